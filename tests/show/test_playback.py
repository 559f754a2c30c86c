"""A player is one piece of HTML: sound and video that decode, a drawing that fits the data; and in a real browser."""

import base64
import io
import re
from dataclasses import replace
from html import unescape

import av
import numpy as np
import pytest
import torch
from matplotlib.image import imread
from PIL import Image

from sertut import show
from sertut.errors import SertutError
from sertut.show import marks
from sertut.show.strips import describe_truth, say_lost
from sertut.show.weights import describe
from sertut.signals import SAMPLE_RATE, read_audio
from sertut.video import read_video, write_video

from .conftest import CLOCK, Page, a_map, mapped


def content(player, kind: str) -> io.BytesIO:
    """What a data address of the page holds."""
    (data,) = re.findall(rf'(?:src|href)="data:{kind};base64,([^"]+)"', player.html)
    return io.BytesIO(base64.b64decode(data, validate=True))


def decoded(player, folder, kind: str):
    """The same as a file."""
    path = folder / kind.replace("/", ".")
    path.write_bytes(content(player, kind).getvalue())
    return path


def spans(page, role="region", seconds=2.0):
    """(start, end, top, bottom) of the spans of a role: seconds, and units of the drawing."""
    found = []
    for attributes in page.named("path"):
        if attributes.get("class") == f"sertut-{role}":
            y, wide, high = map(float, re.findall(r"[\d.]+", attributes["transform"])[1:])
            start, end = (float(x) * wide * seconds / 600 for x in re.findall(r"[MH]([\d.]+)", attributes["d"]))
            found.append((pytest.approx(start, abs=0.002), pytest.approx(end, abs=0.002), y, y + 100 * high))
    return found


@pytest.fixture
def noise() -> np.ndarray:
    """8 s of noise, in which no moment is like another; the first half is faint."""
    samples = (0.1 * np.random.default_rng(0).standard_normal(8 * SAMPLE_RATE)).astype(np.float32)
    samples[: 4 * SAMPLE_RATE] *= 0.1
    return samples


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_every_place_of_the_sound_is_found(example, noise, seconds):
    # A bare FLAC file has no table of places, and late ones are not found at all; after a seek in Ogg Vorbis the sound
    # is up to 1 s from where it says that it is.
    samples = noise[-int(seconds * SAMPLE_RATE) :]
    media = content(show.player(replace(example, samples=samples)), "audio/mp4")
    assert len(media.getvalue()) <= 75_000  # 100 kB as text, also of noise, which is hard to pack
    for place in [*np.linspace(0, seconds, 19, endpoint=False), seconds - 0.3]:
        with av.open(io.BytesIO(media.getvalue())) as container:
            (stream,) = container.streams.audio
            container.seek(int(place / stream.time_base), stream=stream)
            frames = [frame for frame, _ in zip(container.decode(stream), range(4), strict=False)]
        at = float(frames[0].pts * stream.time_base)
        assert abs(place - at) < 0.15
        heard = np.concatenate([frame.to_ndarray().ravel().astype(float) for frame in frames])[1024:2048]
        there = samples[round(at * SAMPLE_RATE) + 1024 :][: len(heard)]
        assert np.corrcoef(heard[: len(there)], there)[0, 1] > 0.9  # one sample further it would be 0


def test_sound_is_the_clip(example, noise, tmp_path):
    short = replace(example, samples=example.samples[:SAMPLE_RATE])
    exact = read_audio(decoded(show.player(short), tmp_path, "audio/mp4"))
    np.testing.assert_allclose(exact, short.samples, atol=1e-4)
    long = read_audio(decoded(show.player(replace(example, samples=noise)), tmp_path, "audio/mp4"))  # AAC
    assert abs(len(long) - len(noise)) <= 1024


@pytest.mark.parametrize("make", [show.player, show.watch])
def test_the_page_is_well_formed_of_one_piece_and_its_own(seen, make):
    evil = replace(seen, clip=replace(seen.clip, speaker='<script>"&x</script>'))
    player, other = make(evil), make(evil)
    page = Page(player.html)
    assert len(player.html) < 150_000
    bare = re.sub(r"base64,[^\"]+", "", player.html)
    assert "//" not in bare and "require" not in bare
    assert "&lt;script&gt;" in bare and [tag for tag, _ in page.tags].count("script") == 1
    # the book's theme brings Bootstrap: a class of its own for everything, and rules for nothing else
    classes = {name for _, attributes in page.tags for name in attributes.get("class", "").split()}
    assert classes and all(name.startswith("sertut-") for name in classes)
    (style,) = re.findall(r"<style>(.*?)</style>", player.html, re.DOTALL)
    selectors = re.findall(r"(?:^|[},{])\s*([^\s{},;@][^{},;]*)(?=[,{])", style)
    assert selectors and all(selector.startswith((".sertut-", "(max-width")) for selector in selectors)
    first, second = (re.search(r' id="([^"]+)"', html).group(1) for html in (player.html, other.html))
    assert first != second
    code, same = (re.findall(r"<(?:style|script)>.*?</", html, re.DOTALL) for html in (player.html, other.html))
    assert code == same and sum(map(len, code)) < 20_000  # the same in all, so that a book needs it once
    assert player._repr_html_() == player.html and repr(player) == player.alt


def test_drawing_fits_the_data(example):
    page = Page(show.player(example).html)
    shapes = {attributes.get("class"): attributes for attributes in page.named("path")}
    (svg,) = page.named("svg")
    assert svg["viewbox"].split()[2] == "600" and [span[:2] for span in spans(page)] == [(0.9, 1.15)]
    heights = [100 - float(y) for y in re.findall(r"V([\d.]+)H", shapes["sertut-attention"]["d"])]
    weights = example.map.weights[0].numpy()
    assert np.corrcoef(heights, weights)[0, 1] > 0.999
    uniform = 100 - float(re.search(r"M0 ([\d.]+)H", shapes["sertut-uniform"]["d"]).group(1))
    assert uniform / max(heights) * weights.max() == pytest.approx(1 / len(weights), abs=1e-3)
    assert shapes["sertut-uniform"]["transform"] == shapes["sertut-attention"]["transform"]
    assert all(attributes["aria-label"] for tag in ("button", "input", "svg") for attributes in page.named(tag))
    assert re.findall(r"<text[^>]*>([^<]+)</text>", show.player(example).html) == ["0 s", "0.5", "1", "1.5"]
    spectrogram = np.asarray(Image.open(content(show.player(example), "image/webp")).convert("L"), dtype=float)
    table = example.spectrogram.numpy().T[::-1]
    assert spectrogram.shape == table.shape
    assert np.corrcoef(spectrogram.ravel(), np.maximum(table, table.max() - 70).ravel())[0, 1] > 0.9


def drawn(shown) -> dict[str, str]:
    """The paths of a player, by class."""
    return {a.get("class"): a["d"] for a in Page(show.player(shown).html).named("path")}


def views(page) -> dict[str, dict]:
    """Name -> attributes of the buttons that switch."""
    names = re.findall(r'class="sertut-view"[^>]*>([^<]+)<', page)
    return dict(zip(names, [a for a in Page(page).named("button") if a["class"] == "sertut-view"], strict=True))


def test_one_switches_between_heads_emotions_and_networks(example, report):
    own, n = example.map.weights[0], len(example.map.weights[0])
    both = torch.stack([own, own.flip(0)])  # (2, n)
    heads = mapped(example, both[:, None].expand(2, n, n), head=None, query=CLOCK, time=CLOCK)
    of_emotions = mapped(example, both[[0, 1, 0]], emotion=None, time=CLOCK)
    second = mapped(example, own.flip(0), time=CLOCK)
    found = views(show.player(heads).html)
    assert list(found) == ["all heads", "head 1", "head 2"]
    assert [one["aria-pressed"] for one in found.values()] == ["true", "false", "false"]
    assert found["head 1"]["data-weights"] == drawn(example)["sertut-attention"]
    assert found["head 2"]["data-weights"] == drawn(second)["sertut-attention"] != found["head 1"]["data-weights"]
    assert found["all heads"]["data-weights"] == drawn(heads)["sertut-attention"]
    heard = views(show.player(of_emotions).html)
    assert list(heard) == [example.predicted, *(name for name in example.emotions if name != example.predicted)]
    both_networks = show.player({"this": example, "that": second})
    networks = views(both_networks.html)
    assert networks["this"]["data-alt"] == both_networks.alt
    assert networks["that"]["data-weights"] == found["head 2"]["data-weights"]
    assert networks["that"]["data-alt"].startswith("that: Attention over")
    assert views(show.player(example).html) == {}
    for wrong in ({}, {"this": example, "mean": replace(example, map=None)}, {"this": example, "other": report[1]}):
        with pytest.raises(SertutError, match="one and the same clip"):
            show.player(wrong)


def test_a_player_of_the_face_shows_the_spans_of_the_face(seen):
    page = Page(show.player(seen).html)
    assert spans(page) == [(1.22, 1.46, 86, 199)] and spans(page, "decoy") == [(0.4, 0.75, 86, 199)]
    dashed = [attributes["class"] for attributes in page.named("path") if "stroke-dasharray" in attributes]
    assert dashed == ["sertut-decoy", "sertut-uniform"]
    legend = re.findall(r"</i>([^<]+)</span>", show.player(seen).html)
    assert {"attention (face)", "true region (face)", "decoy (face, dashed)"} < set(legend)
    assert "decoy (dashed)" in re.findall(r"</i>([^<]+)</span>", show.watch(seen).html)
    assert "(face" not in show.player(replace(seen, map=a_map(2.0))).html


def test_a_clip_that_nobody_judged(seen, tmp_path):
    player = show.player(seen.clip, title="a < b")
    assert "redicted" not in player.html and 'class="sertut-attention"' not in player.html
    assert "a &lt; b" in player.html
    low, high = (int(re.search(r'viewBox="0 0 600 (\d+)"', one.html).group(1)) for one in (player, show.player(seen)))
    assert low < 0.6 * high, "no room is kept for weights that are not there"
    known = "the true region is 0.90 to 1.15 s; the decoy is 0.20 to 0.50 s"
    assert player.alt == f"2.0 s of actor 01, anger: one; {known}"
    unknown = show.player(replace(seen.clip, regions=()), alt="what it is")
    assert 'class="sertut-region"' not in unknown.html and unknown.alt == "what it is"
    write_video(tmp_path / "face.avi", seen.face.crops)
    video = show.watch(replace(seen.clip, video=tmp_path / "face.avi"))
    assert ">actor 01, anger: one</strong>" in video.html and "redicted" not in video.alt


def test_the_video_is_the_clip(seen, tmp_path):
    path = decoded(show.watch(seen), tmp_path, "video/mp4")
    video, samples = read_video(path), read_audio(path)
    assert video.frames.shape == (50, 96, 96)
    np.testing.assert_allclose(video.times, seen.face.times, atol=0.002)
    np.testing.assert_allclose(video.frames.mean(axis=(1, 2)), seen.face.crops.mean(axis=(1, 2)), atol=4)
    assert len(samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    shortest = min(len(samples), len(seen.samples))
    assert np.corrcoef(samples[:shortest], seen.samples[:shortest])[0, 1] > 0.95
    snow = np.random.default_rng(0).integers(0, 255, (50, 48, 48), dtype=np.uint8)  # large: with single pixels
    player = show.watch(replace(seen, face=replace(seen.face, crops=snow, found=np.ones(50, dtype=bool))))
    assert read_video(decoded(player, tmp_path, "video/mp4")).frames.shape == (50, 48, 48)


def test_a_strip_of_frames_remains_where_no_video_can_be_played(seen):
    strip = imread(content(show.watch(seen), "image/png"))
    assert strip.shape == (48, 6 * 48)
    values = (255 * strip[24, 24::48]).round() - 100
    np.testing.assert_allclose(values, [0, 10, 20, 29, 39, 49])


def test_the_words_say_where_the_emotion_is(seen):
    player, truth = show.watch(seen), " ".join([*describe_truth(seen), *say_lost(seen.face)])
    assert player.alt == f"Video with sound, 2.0 s of actor 01, anger: one {truth} {describe(seen)}"
    title = ">actor 01, anger. Predicted: neutral (0.96)</strong>"
    assert f"{title}</div>\n<div>{truth}</div>" in unescape(player.html)
    assert spans(Page(player.html)) == [(0.9, 1.15, 1, 84), (1.22, 1.46, 86, 199)]  # the voice above the face


def test_a_clip_of_fewer_samples_than_strokes_has_a_stroke_for_each():
    path = "M166.667 2V2M500 74V74M833.333 50V50"
    assert marks.waveform(np.array([1, -0.5, 0], dtype=np.float32)) == ("wave", path)


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
