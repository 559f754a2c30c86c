"""The player in a real browser: every place is found, one voice sounds at a time, keys and names are there."""

from dataclasses import replace

import numpy as np
import pytest

from sertut import show
from sertut.signals import SAMPLE_RATE

SEEK = """async (playing) => {
  const root = document.querySelector(".sertut-player"), media = root.querySelector("audio, video");
  const slider = root.querySelector("input"), seconds = parseFloat(slider.max), length = media.duration, found = [];
  const places = [...Array(18).keys()].map((k) => seconds * (7 * k % 18) / 18);  // forward and back
  for (const to of [...places, seconds - 0.3, seconds - 0.05]) {
    if (playing && media.paused) { await media.play(); }
    const sought = new Promise((done, fail) => {
      media.addEventListener("seeked", () => done(media.currentTime), {once: true});
      setTimeout(() => fail(new Error(`${to} s was not found, ${media.error?.message}`)), 30_000);
    });
    const asked = performance.now(), passed = () => (performance.now() - asked) / 1000;  // it plays on meanwhile
    slider.value = to;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    const at = await sought, late = passed();
    if (playing && to < seconds - 0.2) {  // the sound goes on from there
      await new Promise(done => media.addEventListener("timeupdate", done, {once: true}));
    }
    const error = media.error && media.error.message;
    const grown = media.duration - length;
    found.push({to, at, late, slider: parseFloat(slider.value), error, grown, passed: passed()});
  }
  media.pause();
  return found;
}"""


@pytest.fixture(scope="module")
def page(chromium):
    """An empty page, whose script errors fail the test."""
    context = chromium.new_context(viewport={"width": 800, "height": 900})
    yield context.new_page()
    context.close()


def put(page, *players) -> None:
    """The players as the only content; returns when all can be played to their end."""
    page.goto("about:blank")
    page.set_content("<!doctype html><html lang=en><title>players</title>" + "".join(one.html for one in players))
    page.wait_for_function("[...document.querySelectorAll('audio, video')].every(media => media.readyState === 4)")


@pytest.mark.parametrize("playing", [False, True])
@pytest.mark.parametrize("kind", ["sound", "long sound", "video"])
def test_every_seek_works(page, seen, kind, playing):
    if kind == "long sound":  # AAC instead of FLAC
        noise = (0.1 * np.random.default_rng(0).standard_normal(6 * SAMPLE_RATE)).astype(np.float32)
        put(page, show.player(replace(seen, samples=noise)))
    else:
        put(page, show.watch(seen) if kind == "video" else show.player(seen))
    found = page.evaluate(SEEK, playing)
    assert len(found) == 20
    for one in found:
        assert one["error"] is None
        assert one["at"] == pytest.approx(one["to"], abs=0.3 + one["late"] if playing else 0.01), one
        assert abs(one["grown"]) < 1e-3
        assert one["slider"] == pytest.approx(one["to"], abs=0.6 + one["passed"] if playing else 0.011), one


def test_one_voice_at_a_time_by_mouse_and_keys(page, seen, example):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    put(page, show.player(example, title="first"), show.watch(seen), show.player(example, title="third"))
    page.evaluate("document.querySelectorAll('audio, video').forEach(media => { media.loop = true; })")  # none ends
    sounding = "[...document.querySelectorAll('audio, video')].map(media => !media.paused)"
    page.get_by_role("button", name="Play first").click()
    page.wait_for_function(f"{sounding}[0]")
    page.get_by_role("button", name="Play third").press("Enter")
    page.wait_for_function(f"{sounding}[2]")
    page.wait_for_function(f"!{sounding}[0]")
    assert page.evaluate(sounding) == [False, False, True]
    page.get_by_role("button", name="Pause third").press("Space")
    page.wait_for_function(f"{sounding}.every(one => !one)")

    slider = page.get_by_role("slider", name="Position in first")
    slider.fill("1.00")
    slider.press("ArrowRight")
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(1.01, abs=1e-3)
    assert slider.get_attribute("aria-valuetext") == "1.01 of 2.00 seconds"
    drawing = page.locator("svg").first
    width = drawing.bounding_box()["width"]
    drawing.click(position={"x": width / 4, "y": 20})
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(0.5, abs=0.01)
    moved = page.locator(".sertut-cursor").first.get_attribute("transform")
    assert float(moved.split("(")[1].split()[0]) == pytest.approx(150, abs=3)  # of 600 units

    spectrogram = page.get_by_role("button", name="Show the spectrogram").first
    assert not page.locator(".sertut-spectrogram").first.is_visible()
    spectrogram.press("Enter")
    assert page.locator(".sertut-spectrogram").first.is_visible()
    assert spectrogram.get_attribute("aria-pressed") == "true"
    assert errors == []


def test_a_button_switches_to_another_network(page, example):
    turned = replace(example, map=replace(example.map, weights=example.map.weights.flip(-1)), predicted="sadness")
    put(page, show.player({"this": example, "that": turned}))
    shape, title = page.locator(".sertut-attention"), page.locator(".sertut-title")
    before, said = shape.get_attribute("d"), title.inner_text()
    told = page.locator("svg").get_attribute("aria-label")
    page.get_by_role("button", name="that", exact=True).press("Enter")
    assert shape.get_attribute("d") != before and "sadness" in title.inner_text() != said
    pressed = [button.get_attribute("aria-pressed") for button in page.locator(".sertut-view").all()]
    assert pressed == ["false", "true"] and page.get_by_role("img", name="that: Attention").count() == 1
    page.get_by_role("button", name="this", exact=True).click()
    assert (shape.get_attribute("d"), title.inner_text()) == (before, said)
    assert page.locator("svg").get_attribute("aria-label") == told
