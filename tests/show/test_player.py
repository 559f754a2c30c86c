"""The player is one piece of HTML: sound that decodes, a drawing that fits the data, and nothing from elsewhere."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from sertut import show
from sertut.signals import SAMPLE_RATE


def sound_of(html: str) -> tuple[str, np.ndarray, int, int]:
    kind, data = re.search(r'src="data:audio/(\w+);base64,([^"]+)"', html).groups()
    raw = base64.b64decode(data, validate=True)
    samples, rate = soundfile.read(io.BytesIO(raw))
    return kind, samples, rate, len(data)


def test_sound_is_the_clip(example):
    kind, samples, rate, size = sound_of(show.player(example).html)
    assert (kind, rate, len(samples)) == ("flac", SAMPLE_RATE, len(example.samples))
    np.testing.assert_allclose(samples, example.samples, atol=1e-4)
    assert size <= 100_000


def test_a_long_clip_is_compressed_but_not_shifted(example):
    generator = np.random.default_rng(0)
    long = (0.1 * generator.standard_normal(8 * SAMPLE_RATE)).astype(np.float32)
    long[: 4 * SAMPLE_RATE] *= 0.01  # the noise starts at 4 s
    kind, samples, _, size = sound_of(show.player(replace(example, samples=long)).html)
    assert kind == "ogg" and size <= 100_000
    assert len(samples) / SAMPLE_RATE == pytest.approx(8.0, abs=0.01)
    onset = int(np.argmax(np.abs(samples) > 0.05)) / SAMPLE_RATE
    assert onset == pytest.approx(4.0, abs=0.02)


def test_nothing_comes_from_the_network(example):
    html = show.player(example).html
    assert "http:" not in html and "https:" not in html and "//" not in re.sub(r"base64,[^\"]+", "", html)
    assert "require" not in html and "import" not in re.sub(r"base64,[^\"]+", "", html)


def test_drawing_fits_the_data(example):
    html = show.player(example).html
    wide, _ = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', html).groups())
    region = re.search(r'<rect class="region" x="([\d.]+)" y="1" width="([\d.]+)"', html).groups()
    start, width = (float(value) / wide * 2.0 for value in region)  # seconds
    assert (start, start + width) == pytest.approx((0.9, 1.15), abs=0.002)
    path = re.search(r'<path class="attention" d="M[^L]*((?:L[^"]*))V', html).group(1)
    heights = [-float(y) for y in re.findall(r"L[-\d.]+ ([\d.]+)", path)]
    weights = example.map.weights[0].numpy()
    assert len(heights) == len(weights)
    assert np.corrcoef(heights, weights)[0, 1] > 0.999
    assert int(np.argmax(heights)) == int(weights.argmax())


def test_controls_have_names_for_screen_readers(example):
    html = show.player(example).html
    for tag in ("button", "input", "svg"):
        assert re.search(rf'<{tag} [^>]*aria-label="[^"]+"', html), tag


def test_names_are_escaped_and_ids_unique(example):
    evil = replace(example, clip=replace(example.clip, speaker='<script>"&x</script>'))
    first, second = show.player(evil).html, show.player(evil).html
    assert first.count("<script>") == 1  # the player's own
    assert "&lt;script&gt;" in first
    ids = [re.search(r'id="([^"]+)"', html).group(1) for html in (first, second)]
    assert ids[0] != ids[1]


class Balanced(HTMLParser):
    """Raises if tags do not close in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_and_filled_in(example, tmp_path):
    player = show.player(example)
    parser = Balanced()
    parser.feed(player.html)
    assert parser.open == []
    assert not re.findall(r"%\w+%", player.html)
    page = player.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and player.html in page
    assert player._repr_html_() == player.html


def test_clip_without_region_and_model_without_map(example):
    plain = replace(example, map=None, clip=replace(example.clip, regions=()))
    html = show.player(plain).html
    assert 'class="region"' not in html and 'class="attention"' not in html and "<audio" in html
