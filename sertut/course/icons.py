"""The icons of the book's theme, cut down to those that the pages use: all 1,900 would be a tenth of every page."""

import re
from pathlib import Path

from fontTools import subset

SHEET, FONT = "styles/pydata-sphinx-theme.css", "vendor/fontawesome/webfonts/fa-solid-900.woff2"
"""Of Font Awesome, in the folder of the theme's files: the style of each icon, and their shapes."""

STYLE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]*"\}')
NAME, CODE = re.compile(r"\bfa-[\w-]+"), re.compile(r"\\(f[0-9a-f]{3})\b")


def keep_used_icons(html: Path) -> None:
    """Drop the styles of icons that no page and no script names, then the shapes of those that no style shows."""
    static = html / "_static"
    naming = [*html.rglob("*.html"), *static.rglob("*.js")]
    used = {name for path in naming for name in NAME.findall(path.read_text(encoding="utf-8"))}
    sheet = static / SHEET
    keep = lambda rule: rule[0] if used & set(NAME.findall(rule[1])) else ""  # noqa: E731
    style = STYLE.sub(keep, sheet.read_text(encoding="utf-8"))
    sheet.write_text(style, encoding="utf-8")
    shown = {int(code, 16) for path in static.rglob("*.css") for code in CODE.findall(path.read_text(encoding="utf-8"))}
    options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[13, 14])  # its license stays in it
    font = subset.load_font(str(static / FONT), options)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=shown)
    chosen.subset(font)
    subset.save_font(font, str(static / FONT), options)
