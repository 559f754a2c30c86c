"""What a reader does in the built book besides reading: searches it, ticks chapters, plays the game; in a browser."""

import json
import re

import pytest

from sertut.course.catalog import repository

KEPT = """async () => [
  {...localStorage}, {...sessionStorage}, document.cookie, await indexedDB.databases(), location.href]"""
TICKS = r"""() => [...document.querySelectorAll(".bd-links a, .book-map a")].filter(one =>
  one.querySelector(".tick")?.checkVisibility() || /✓/.test(getComputedStyle(one, "::after").content)
).map(one => one.ariaLabel ?? one.textContent.trim())"""
HEAR = """const play = HTMLMediaElement.prototype.play;  // the sound is no part of the page; as a loop it does not end
HTMLMediaElement.prototype.play = function () { window.sound = this; this.loop = true; return play.call(this); };"""
SEEN = """seconds => {
  const [drawn, truth] = ["svg", ".truth"].map(one => document.querySelector(`#game ${one}`).getBoundingClientRect());
  const look = document.querySelector("#game .look"), boxes = [...document.querySelectorAll("#game button")];
  return {
    truth: [truth.left, truth.right].map(x => (x - drawn.left) / drawn.width * seconds),
    peak: [...Array(600).keys()].filter(x => look.isPointInFill(new DOMPoint(x, 20))).map(x => x / 600 * seconds),
    within: boxes.map(one => one.getBoundingClientRect()).every(({left, right}) => left >= 0 && right <= innerWidth),
  };
}"""


@pytest.fixture
def page(html, chromium):
    """A page for a reader who was never here; an error, or a request to elsewhere, fails the test."""
    said: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    context.on("weberror", lambda one: said.append(str(one.error)))
    context.on("console", lambda one: one.type == "error" and said.append(one.text))
    context.on("request", lambda one: one.url.startswith(("file:", "data:", "blob:")) or said.append(one.url))
    yield context.new_page()
    context.close()
    assert said == []


def test_a_search_shows_the_words_around_what_it_found(html, page):
    page.goto((html / "notebooks" / "02-features.html").as_uri())
    page.get_by_role("button", name="Search").click()
    page.get_by_role("searchbox").fill("synchrony")
    page.get_by_role("searchbox").press("Enter")
    status, results = page.locator(".search-summary"), page.locator("ul.search > li")
    status.filter(has_text=re.compile(r"found \d+ page")).wait_for()
    assert f"found {results.count()} page" in status.inner_text()
    for name in ("14 · ", "15 · ", "Glossary", "For teachers"):
        words = results.filter(has=page.get_by_role("link", name=re.compile(f"^{name}"))).first.locator(".context")
        assert len(words.inner_text()) > 200
        assert "synchrony" in map(str.lower, words.locator(".highlighted").all_inner_texts()), name
    results.first.get_by_role("link").click()
    page.wait_for_url("**/notebooks/14-synchrony-without-labels.html*")
    page.goto((html / "search.html").as_uri() + "?q=synchronyless")
    status.filter(has_text="did not match").wait_for()
    assert results.count() == 0


def test_a_tick_is_kept_in_this_browser_and_nowhere_else(html, page):
    first, third = ((html / one).as_uri() for one in ("book/intro.html", "notebooks/03-recurrent-baseline.html"))
    sidebar, on_map = "3 · A recurrent baseline", "Chapter 3: recurrent baseline"
    other = page.context.new_page()
    other.goto(first)
    page.goto(third)
    before, box = page.evaluate(KEPT), page.get_by_label("I have read this chapter")
    assert not box.is_checked() and page.evaluate(TICKS) == other.evaluate(TICKS) == []
    box.press("Space")
    kept = page.evaluate(KEPT)
    assert json.loads(kept[0].pop("sertut-read")) == ["recurrent-baseline"] and kept == before
    other.get_by_label(f"{on_map}, read").wait_for()  # another tab follows
    for reload in (lambda: None, page.reload, other.reload):
        reload()
        assert box.is_checked() and page.evaluate(TICKS) == [f"{sidebar}, read"]
        assert other.evaluate(TICKS) == [f"{sidebar}, read", f"{on_map}, read"]
    box.click()
    other.get_by_label(on_map, exact=True).wait_for()
    other.reload()
    assert page.evaluate(TICKS) == other.evaluate(TICKS) == []
    assert page.get_by_role("link", name=sidebar, exact=True).is_visible()
    other.goto(third)
    assert not other.get_by_role("checkbox").is_checked()
    box.click()
    other.get_by_role("checkbox", checked=True).wait_for()  # the same chapter in two tabs


@pytest.mark.parametrize("width", [1280, 390])
def test_the_game_is_played_by_mouse_and_by_keys(html, page, width):
    script = (repository() / "book" / "images" / "game-clips.html").read_text(encoding="utf-8")
    clips = json.loads(script.split(">")[1].split("<")[0])
    page.add_init_script(HEAR)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((html / "book" / "intro.html").as_uri())
    game, keys = page.locator("#game"), page.keyboard
    play, words, score, more = (game.locator(part) for part in (".play", ".words button", ".score", ".next"))
    keys.press("Control+k")
    page.get_by_role("searchbox").press("1")  # a number that is searched for is no answer
    keys.press("Escape")
    you = network = loudest = 0
    for n, (clip, way) in enumerate(zip([*clips, clips[0]], ("right", "wrong", "number", "Tab"), strict=True)):
        if n == 3:  # played again
            you = network = loudest = 0
        names, right = [name for name, _, _ in clip["words"]], way in ("right", "number")
        angry = next(i for i, (_, start, end) in enumerate(clip["words"]) if start <= sum(clip["region"]) / 2 <= end)
        chosen = angry if right else (angry + 1) % len(names)
        assert score.inner_text() == f"Clip {n % 3 + 1} of 3" and words.all_inner_texts() == names
        assert not more.is_visible() and game.locator(".truth, .look").count() == 0
        assert game.get_by_role("img").get_attribute("aria-label") == "Waveform of the clip"
        play.click()
        page.wait_for_function("document.querySelector('#game .spoken') && sound.currentTime > 0")
        assert page.evaluate("sound.duration") == pytest.approx(clip["seconds"], abs=0.1)
        game.get_by_role("button", name="Pause").press("Space")
        game.get_by_role("button", name="Listen").wait_for()
        if way in ("right", "wrong"):
            words.nth(chosen).click()
        else:
            for key in [str(chosen + 1)] if way == "number" else ["Tab"] * (chosen + 1) + ["Enter"]:
                keys.press(key)
        keys.press(str(angry + 1))  # nobody answers twice
        you, network, loudest = you + right, network + (clip["network"] == angry), loudest + (clip["loudest"] == angry)
        assert score.inner_text() == f"You {you} · network {network} · loudest word {loudest} (of {n % 3 + 1})"
        said = f"{'Right' if right else 'No'}: “{names[angry]}” was spoken in anger"
        assert game.locator(".say b, .angry").all_inner_texts() == [said, f"✓ {names[angry]}"]
        assert game.locator(".wrong").all_inner_texts() == ([] if right else [names[chosen]])
        seen, (_, start, end) = page.evaluate(SEEN, clip["seconds"]), clip["words"][clip["network"]]
        assert seen["within"] and seen["truth"] == pytest.approx(clip["region"], abs=0.01)
        assert seen["peak"] and start <= min(seen["peak"]) and max(seen["peak"]) <= end
        assert more.inner_text() == ("Play again" if n == 2 else "Next clip")
        more.click() if way == "right" else keys.press("Enter")  # it has the focus
