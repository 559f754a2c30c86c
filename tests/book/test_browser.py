"""Every page of the built book in a real browser: loaded once, then seen at two widths, and judged light and dark."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from sertut.course.book import contents
from sertut.course.catalog import repository

READY = r"""async () => {
  await window.MathJax?.startup?.promise;
  document.head.insertAdjacentHTML("beforeend", "<style>* { transition: none !important; }</style>");
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });  // what is folded counts, too
}"""
SETTLED = """async () => {
  // tables and formulas follow in the next frames; 300 ms after the last change, the theme looks what scrolls
  for (let i = 0; i < 4; i += 1) await new Promise(requestAnimationFrame);
  await new Promise(done => setTimeout(done, 350));
}"""
LOOK = r"""() => {
  const main = document.querySelector("article"), found = [];
  const text = one => (one.textContent || one.outerHTML).trim().replace(/\s+/g, " ").slice(0, 70);
  const say = (what, one) => found.push(`${what}: ${text(one)}`);
  const seen = (what, act) => main.querySelectorAll(what).forEach(one => { if (one.checkVisibility()) act(one); });
  const over = (one, box) => one.scrollWidth > box.clientWidth + 2;
  seen("pre", one => { if (over(one, one)) say("a line cut off", one); });
  const boxed = (what, box) => one => {
    const around = one.closest(box) || one;
    if (!over(one, around)) return;
    if (!["auto", "scroll"].includes(getComputedStyle(around).overflowX)) say(`${what} cut off`, one);
    else if (around.tabIndex < 0 && !around.querySelector("a[href], button, [tabindex='0']"))
      say(`${what} that keys cannot scroll`, one); };
  seen(".output table", one => { if (over(one, one.closest(".output"))) say("a table wider than its place", one); });
  seen("table", boxed("a table", ".output, .pst-scrollable-table-container, .scroll"));
  seen('mjx-container[display="true"]', boxed("a formula", "mjx-container"));
  seen("mjx-merror", one => say("a formula not understood", one));
  seen("p", one => { if (/\|\s*(---|—|–)/.test(one.textContent)) say("a raw table", one); });
  seen("img, video, svg[role=img]", one => {
    if (!(one.getAttribute("alt") || one.getAttribute("aria-label"))?.trim()) say("a picture without a text", one);
    if (one.complete && !one.naturalWidth) say("a picture that does not load", one); });
  if (document.documentElement.scrollWidth > innerWidth + 2) found.push("the page is wider than the window");
  return found;
}"""
FRAME = "() => new Promise(requestAnimationFrame)"  # the theme follows a change of colors before the next one
REMEMBER = r"""() => {
  // How each text looks in these colors: its own color and size, and all grounds below it.
  const grounds = new Map([[null, ""]]), plain = "rgba(0, 0, 0, 0) none 1 static";
  const ground = one => {
    if (!grounds.has(one)) {
      const {backgroundColor, backgroundImage, opacity, position} = getComputedStyle(one);
      const own = `${backgroundColor} ${backgroundImage} ${opacity} ${position}`;
      grounds.set(one, ground(one.parentElement) + (own === plain ? "" : `; ${own}`)); }
    return grounds.get(one); };
  const speaks = one => one.matches("input, select") || [...one.childNodes].some(part => part.nodeValue?.trim());
  document.querySelectorAll("mjx-container > *, article svg[role=img] > *").forEach(one => one.remove());
  window.looks ??= new Map();
  for (const one of document.body.querySelectorAll("*")) if (speaks(one) && one.checkVisibility()) {
    const {webkitTextFillColor, fontSize, fontWeight, textShadow} = getComputedStyle(one);
    const look = `${webkitTextFillColor} ${fontSize} ${fontWeight} ${textShadow} on ${ground(one)}`;
    looks.set(one, `${looks.get(one) ?? ""} | ${look}`); }
}"""
PRUNE = r"""seen => {
  // One sample of each look; of the rest, what is alike on all pages or many times on one is left out.
  const found = new Map([...looks].reverse().map(([one, look]) => [look, one]));
  window.samples = [...found].filter(([look]) => !seen.includes(look)).map(([, one]) => one);
  const prune = (what, act) => document.querySelectorAll(what).forEach(one => {
    if (!samples.some(sample => one.contains(sample))) act(one); });
  prune("pre span, code span, .sig span", one => one.replaceWith(one.textContent));
  prune("tr:nth-child(n + 4), .cell ~ .cell .copybtn", one => one.remove());
  if (seen.length) prune(".bd-sidebar, .bd-header-article, .bd-sidebar-secondary, footer", one => one.remove());
  return [...found.keys()];
}"""
JUDGE = r"""async ([where, rules]) => {
  if (window[where].length === 0) return [];  // no look is new
  const {violations} = await axe.run(window[where], {preload: false, resultTypes: ["violations"], ...rules});
  const bad = violations.filter(one => ["serious", "critical"].includes(one.impact));
  return bad.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 100)}`));
}"""
HEAVIEST = 2_500_000
"""Bytes of a page with all that it loads, also what is folded, when nothing is kept of the pages before."""

HEAVIEST_OWN = 1_000_000
"""Bytes of a page without what all pages share: what is loaded from the second page on."""

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
OTHERS = {
    # that keys can scroll is seen to at both widths by LOOK; how large a place to touch is, nothing serious says
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "rules": {"scrollable-region-focusable": {"enabled": False}, "color-contrast": {"enabled": False}},
}
"""Rules of axe-core: of texts that look alike in both schemes of colors, one is tried; the other rules try all."""


class Window:
    """One page of a browser, and what it was heard to say and seen to ask for."""

    def __init__(self, page) -> None:
        import axe_playwright_python

        self.page = page
        page.set_default_timeout(120_000)
        self.axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
        self.said: list[str] = []
        self.seen: dict[str, None] = {}
        self.asked: set[str] = set()
        page.on("request", lambda one: self.asked.add(one.url))
        page.on("pageerror", lambda error: self.said.append(f"script error: {error}"))
        page.on("console", lambda one: one.type in ("error", "warning") and self.said.append(f"says: {one.text}"))
        page.on("request", lambda one: self._is_local(one.url) or self.said.append(f"leaves the page: {one.url}"))

    @staticmethod
    def _is_local(address: str) -> bool:
        return address.startswith(("file:", "data:", "blob:", "about:"))

    def turn(self, colors: str) -> None:
        """Light or dark, as the reader's system asks for."""
        self.page.emulate_media(color_scheme=colors)
        self.page.evaluate(FRAME)

    def problems(self, path: Path) -> list[str]:
        """What is wrong with a page, by what it says and by how it looks."""
        self.said.clear()
        self.asked.clear()
        self.page.goto(path.as_uri())
        self.page.evaluate(READY)
        self.page.evaluate(self.axe)
        found = []
        for width in (390, 1280):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.evaluate(SETTLED)
            found += [f"{width} px: {problem}" for problem in self.page.evaluate(LOOK)]
        for colors in ("dark", "light"):
            self.turn(colors)
            self.page.evaluate(REMEMBER)
        self.seen |= dict.fromkeys(self.page.evaluate(PRUNE, list(self.seen)))
        found += self.page.evaluate(JUDGE, ["document", OTHERS])
        for colors in ("dark", "light"):
            self.turn(colors)
            found += [f"{colors}: {problem}" for problem in self.page.evaluate(JUDGE, ["samples", CONTRAST])]
        files = {Path(unquote(urlsplit(one).path)) for one in self.asked if one.startswith("file:")}
        weight = sum(file.stat().st_size for file in files if file.is_file())
        if weight > HEAVIEST:
            found.append(f"the page weighs {weight / 1e6:.2f} MB")
        own = sum(file.stat().st_size for file in files if file.is_file() and "_static" not in file.parts)
        if own > HEAVIEST_OWN:
            found.append(f"the page itself weighs {own / 1e6:.2f} MB")
        return list(dict.fromkeys(self.said + found))


@pytest.fixture(scope="module")
def window(html, chromium):
    """A window onto the built book; `html` comes first, so that nothing is built while the browser is open."""
    pytest.importorskip("axe_playwright_python", reason="needs axe-core: pip install axe-playwright-python")
    context = chromium.new_context()
    yield Window(context.new_page())
    context.close()


@pytest.mark.parametrize("page", contents(repository()))
def test_a_page_in_a_browser(html, window, page):
    assert window.problems(html / f"{page}.html") == []


BROKEN = """<!doctype html><html lang="en"><head><title>broken</title></head><body><article><h1>Broken</h1>
<pre style="overflow:auto; width:20px">a line that is much too long</pre><p>| a |\n|---|\n| 1 |</p>
<img src="absent.png"><p style="color:#999; background:#fff">pale</p><button></button>
<div style="width:2000px">wide</div>
<div class="output" tabindex="0" style="overflow:auto"><table><tr><td style="min-width:2000px">x</td></tr></table></div>
<img src="large.png" alt="a picture"><script src="http://127.0.0.1:9/x.js"></script><script>nowhere()</script>
</article></body></html>"""


def test_a_broken_page_is_found_out(window, tmp_path):
    (tmp_path / "broken.html").write_text(BROKEN)
    (tmp_path / "large.png").write_bytes(bytes(2_600_000))
    found = "\n".join(window.problems(tmp_path / "broken.html"))
    for problem in (
        "script error: nowhere is not defined", "leaves the page: http://127.0.0.1:9/x.js", "a line cut off",
        "a raw table", "a table wider than its place", "a picture without a text", "a picture that does not load",
        "390 px: the page is wider than the window", "light: color-contrast", "dark: color-contrast",
        "button-name", "image-alt", "the page weighs 2.60 MB",
        "the page itself weighs 2.60 MB",
    ):  # fmt: skip
        assert problem in found, found


def test_a_wide_table_is_turned_and_cut_where_it_does_not_fit(chromium, tmp_path):
    columns = pd.MultiIndex.from_product([["pointing game", "mass in region", "AUROC"], ["score", "chance"]])
    values = [[f".{10 * r + c:02d} [.00, .99]" for c in range(6)] for r in range(5)]
    table = pd.DataFrame(values, index=[f"network {r}" for r in range(5)], columns=columns)
    script = (repository() / "book" / "_static" / "tables.js").read_text()
    look = "<meta name=viewport content='width=device-width'><style>td, th {white-space: nowrap}</style>"
    box = f"<div class=output style='overflow: auto'>{table.to_html()}</div>"
    body = f"<div class=bd-article>{box}<details>{box}</details></div><script>{script}</script>"
    (tmp_path / "wide.html").write_text(f"<!doctype html>{look}{body}")
    page = chromium.new_page(viewport={"width": 390, "height": 900})
    page.goto((tmp_path / "wide.html").as_uri())

    def told(where, count):
        """(network, column) -> value, of the tables seen there once they fit their place and their number is so; all
        read in one step, since the page sets them anew a moment after its width has changed."""
        seen = f"[...document.querySelectorAll('{where} table')].filter(one => one.offsetParent)"
        cells = "one => [...one.rows].map(row => [...row.cells].map(cell => cell.innerText))"
        tables = page.wait_for_function(
            f"""() => {{
                const seen = {seen}, n = seen.length;
                const fit = seen.every(one => one.scrollWidth <= one.parentElement.clientWidth);
                return fit && {count} ? seen.map({cells}) : null;
            }}"""
        ).json_value()
        found = {}
        for (_, *names), *rows in tables:
            found |= {(name, row[0]): value for row in rows for name, value in zip(names, row[1:], strict=True)}
        return found, len(tables)

    labels = [", ".join(pair) for pair in columns]
    turned = {(f"network {r}", label): values[r][c] for r in range(5) for c, label in enumerate(labels)}
    found, n_narrow = told(".bd-article > .output", "n > 1")
    assert found == turned
    page.set_viewport_size({"width": 520, "height": 900})
    found, _ = told(".bd-article > .output", f"0 < n && n < {n_narrow}")
    assert found == turned
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function("!document.querySelector('.turned')")
    assert page.locator("table:visible").count() == 1
    page.set_viewport_size({"width": 390, "height": 900})
    page.locator("details").evaluate("fold => { fold.open = true; }")
    assert told("details", f"n === {n_narrow}") == (turned, n_narrow)
    page.close()


def test_a_figure_is_found_by_its_number_and_told_in_words(html, window):
    page = window.page
    page.goto("about:blank")
    page.goto((html / "notebooks" / "04-regions-of-interest.html").as_uri() + "#figure-4-4")
    shown = page.locator(".cell_output img, .sertut-drawing, .sertut-touch").count()
    names = page.locator("figcaption strong, .sertut-touch > div > strong").all_text_contents()
    assert [name for name in names if name.startswith("Figure")] == [f"Figure 4.{k + 1}." for k in range(shown)]
    assert shown > 7
    page.wait_for_function("Math.abs(document.querySelector('#figure-4-4 img').getBoundingClientRect().top) < 200")
    words = page.locator("#figure-4-4 details")
    assert words.get_attribute("open") is None
    words.locator("summary").press("Enter")
    assert words.get_attribute("open") is not None and words.inner_text().endswith(
        page.locator("#figure-4-4 img").get_attribute("alt")
    )


@pytest.mark.parametrize("page", [page for page in contents(repository()) if page.startswith("notebooks/")])
def test_what_only_reviewers_need_is_one_fold(html, window, page):
    found = window.page
    found.goto("about:blank")
    found.goto((html / f"{page}.html").as_uri())
    section = found.locator("#for-reviewers")
    inside = section.locator(":scope > :not(h2)")
    assert inside.count() == 1 and inside.evaluate("one => one.tagName === 'DETAILS' && !one.open")
    for part in section.locator("section").all():
        assert not part.is_visible()
        found.evaluate("id => { location.hash = id; }", part.get_attribute("id"))
        part.wait_for(state="visible")
        inside.evaluate("fold => { fold.open = false; }")


def test_claims_are_filtered_by_keyboard(html, window):
    page = window.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto((html / "book" / "claims.html").as_uri())
    own = page.locator(".own > summary").bounding_box()
    assert own and own["y"] + own["height"] <= 1000, "what the papers say is seen at one glance"
    count = page.locator(".sertut-claims output")
    total = page.locator(".claim-line[id]").count()
    assert count.text_content() == f"{total} of {total} claims"
    page.get_by_label("verdict").press("ArrowDown")
    left = page.locator(".claim-line[id]:visible")
    assert 0 < left.count() < total and count.text_content() == f"{left.count()} of {total} claims"
    assert page.locator(".own[open]").count() == 1, "what is found inside the fold is shown"
    assert all("supported" in row.get_attribute("data-verdicts") for row in left.all())
    page.get_by_label("paper").select_option("K")
    assert all(row.get_attribute("data-paper") == "K" for row in left.all())
    assert page.locator(".sertut-claims h2:visible").all_text_contents() == ["Kim, An & Kim"]
    left.first.locator("summary").press("Enter")
    assert left.first.locator(".body").is_visible() and not left.nth(1).locator(".body").is_visible()
