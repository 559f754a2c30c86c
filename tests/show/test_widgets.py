"""The explorer, with a kernel and without."""

from sertut import show


def test_a_printed_page_gets_the_picture_of_a_typical_clip(report, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "1")
    assert show.explore(report).alt == show.attention(report.typical(1)[0]).alt


def test_choosing_a_clip_draws_it(report, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "0")
    chooser = show.explore(report, lambda example: f"{example.clip.speaker}, {example.clip.name}")
    clip = chooser.children[0]
    assert [name for name, _ in clip.options] == [
        f"{emotion}, actor 0{speaker + 1}, clip-{3 * speaker + label}"
        for label, emotion in enumerate(report.emotions)
        for speaker in range(3)
    ]
    clip.value = 7
    assert chooser.result == "actor 03, clip-7"
