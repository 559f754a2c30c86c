"""The vocabulary of the drawings of mechanisms: what a shape means, and where it stands, is the same in every chapter.

From top to bottom: frames (gray squares), states (round sky boxes), scores (hollow, in ink), weights (solid blue, they
sum to 1), contexts (sky circles), the emotion (a pill). Time runs to the right. A face is orange, a gate or a window
yellow. A bar is as high as its number. Ink is the page's own color, so that light and dark pages both show it.
"""

from html import escape

import numpy as np

from sertut.show.style import BLUE, EMOTIONS, GRAY, SKY

WIDE, LEFT, PITCH, TEXT = 360, 92, 54, 12.5  # a phone shows about 350 pixels, so that no text is smaller than 11


class Sheet:
    """A drawing in the making: `rows`, and how each is made, from top to bottom; a name of blanks gives room."""

    def __init__(self, name: str, rows: dict[str, str], alt: str) -> None:
        self.name, self.alt, self.marks = name, alt, [""]
        self.y = {row: 24 + PITCH * k for k, row in enumerate(rows)}
        for row, made in rows.items():
            self.text(2, self.y[row], row.strip(), 'font-weight="bold"')
            self.text(2, self.y[row] + 15, made, 'font-style="italic"')

    def text(self, x: float, y: float, words: str, more: str = "") -> None:
        self.marks.append(f'<text x="{x:g}" y="{y:g}" {more}>{escape(words)}</text>' if words else "")

    def middle(self, x: float, y: float, words: str, ink: str = "currentColor") -> None:
        self.text(x, y + 4, words, f'text-anchor="middle" fill="{ink}"')

    def line(self, x: float, y: float, to_x: float, to_y: float, width: float = 1, color: str = "currentColor") -> None:
        self.marks.append(f'<path d="M{x:g},{y:g}L{to_x:g},{to_y:g}" stroke="{color}" stroke-width="{width:.2f}"/>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self.line(x, y, to_x, to_y)
        back = 5 * np.array([x - to_x, y - to_y]) / np.hypot(x - to_x, y - to_y)
        (ax, ay), (bx, by) = back + back[::-1] * (0.5, -0.5), back - back[::-1] * (0.5, -0.5)
        self.marks.append(f'<path d="M{to_x:g},{to_y:g}l{ax:g},{ay:g}L{to_x + bx:g},{to_y + by:g}z"/>')

    def box(self, x: float, y: float, wide: float, tall: float, color: str, more: str = "") -> None:
        size = f'x="{x - wide / 2:.2f}" y="{y - tall / 2:.2f}" width="{wide:.2f}" height="{tall:.2f}"'
        self.marks.append(f'<rect {size} fill="{color}" stroke="currentColor" {more}/>')

    def circle(self, x: float, y: float, words: str = "", color: str = SKY, radius: float = 11) -> None:
        self.marks.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{color}" stroke="currentColor"/>')
        self.middle(x, y, words, "#111")

    def frames(self) -> None:
        for x in columns(6):
            self.box(x, self.y["frames"], 18, 18, GRAY)
            self.arrow(x, self.y["frames"] + 12, x, self.y["states"] - 14)

    def states(self, n: int = 6, row: str = "states", letter: str = "h", end: float = WIDE) -> None:
        for k, x in enumerate(columns(n, LEFT, end)):
            self.box(x, self.y[row], min(32, 210 / n), 24, SKY, 'rx="6"')
            self.middle(x, self.y[row], letter and letter + "₁₂₃₄₅₆₇₈"[k], "#111")

    def bars(self, row: str, values: np.ndarray, unit: float, color: str = "none", span=(LEFT, WIDE), base=16) -> None:
        self.marks.append('<g class="weights">' if color == BLUE else "<g>")
        for x, value in zip(columns(len(values), *span), values, strict=True):
            tall, wide = unit * float(value), min(16, 0.6 * (span[1] - span[0]) / len(values))
            self.box(x, self.y[row] + base - tall / 2, wide, abs(tall), color, f'data-value="{value:.4f}"')
        self.line(span[0] + 4, self.y[row] + base, span[1] - 4, self.y[row] + base)
        self.marks.append("</g>")

    def grid(self, y: float, rows: int, n: int) -> None:
        """Cells: states that stand in rows, one a band, and in columns."""
        for at in columns(rows, y - 20, y + 20):
            for x in columns(n):
                self.box(x, at, 32, 34 / rows, SKY, 'rx="4"')

    def matrix(
        self, x: float, y: float, values: np.ndarray, wide: float, tall: float, color="currentColor", weigh=""
    ) -> None:
        """Cells of (rows, columns), the fuller the larger; `weigh`: "row" or "all", what sums to 1."""
        high, most = tall / len(values), max(values.max(), 0.25)  # equal weights are pale
        middles = columns(values.shape[1], x - wide / 2, x + wide / 2)
        for at, row in enumerate(values):
            self.marks.append('<g class="weights">' if weigh == "row" or (weigh and not at) else "")
            for value, cx in zip(row, middles, strict=True):
                full = f'fill-opacity="{max(value, 0) / most:.2f}" stroke-width=".5" stroke-opacity=".5"'
                size = wide / len(row), high
                self.box(cx, y - tall / 2 + (at + 0.5) * high, *size, color, f'{full} data-value="{value:.4f}"')
            self.marks.append("</g>" if weigh == "row" or (weigh and at == len(values) - 1) else "")

    def total(self, weights: np.ndarray) -> None:
        """The weighted sum: a line as thick as its weight to one circle, and from there to the emotion."""
        x, y = (LEFT + WIDE) / 2, self.y["context"]
        for at, weight in zip(columns(len(weights)), weights, strict=True):
            self.line(at, self.y["weights"] + 20, x, y - 11, 0.6 + 9 * weight, BLUE)
        self.circle(x, y, "c")
        self.decide()

    def decide(self, after: str = "context", x: float = (LEFT + WIDE) / 2) -> None:
        if after:
            self.arrow(x, self.y[after] + 13, x, self.y["emotion"] - 14)
        self.box(x, self.y["emotion"], 61, 24, EMOTIONS["anger"], 'rx="12"')
        self.middle(x, self.y["emotion"], "anger", "#111")

    def _repr_html_(self) -> str:
        size = f'viewBox="0 0 {WIDE} {max(self.y.values()) + 28}" font-size="{TEXT}" font-family="Arial, sans-serif"'
        told = f'role="img" aria-label="{escape(f"{self.name}: {self.alt}", quote=True)}"'
        ink = 'fill="currentColor" style="display:block;width:100%"'
        dark = 'html[data-theme="dark"] .bd-content div.cell_output .text_html.text_html:has(.sertut-drawing)'
        look = f"<style>{dark} {{background:none; color:var(--pst-color-text-base); padding:0}}</style>"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {told} {ink}>{"".join(self.marks)}</svg>'
        return f'<div class="sertut-drawing" style="max-width:520px;margin:8px 0">{look}{svg}</div>'

    def __repr__(self) -> str:
        return self.alt


def columns(n: int, start: float = LEFT, end: float = WIDE) -> np.ndarray:
    """The middles of n equal columns."""
    return start + (np.arange(n) + 0.5) * (end - start) / n
