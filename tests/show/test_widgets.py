"""The explorer, with a kernel and without."""

import pytest

from sertut import show


def test_static_by_environment(report, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "1")
    found = show.explore(report)
    assert isinstance(found, show.Picture)
    assert found.alt == show.attention(report.typical(1)[0]).alt


def test_choosing_an_emotion_and_a_clip_changes_the_picture(report, monkeypatch):
    pytest.importorskip("ipywidgets")
    monkeypatch.delenv("SERTUT_STATIC", raising=False)
    box = show.explore(report)
    (emotion, clip), picture, text = box.children[0].children, box.children[1], box.children[2]
    assert emotion.options == ("neutral", "anger", "sadness")
    first = picture.value
    emotion.value = "anger"
    assert [name for name, _ in clip.options] == ["actor 01, clip-1", "actor 02, clip-4", "actor 03, clip-7"]
    assert picture.value != first and "anger" in text.value
    clip.value = 7
    assert "actor 03, anger" in text.value
