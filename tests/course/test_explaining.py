"""Explaining files: which sounds are read and which refused, what is said and kept, and a page that needs nothing."""

import io
import re
from dataclasses import replace
from pathlib import Path

import av
import ipywidgets
import numpy as np
import pytest
import soundfile
import torch

import sertut
from sertut.corpora import Fold
from sertut.course import explaining
from sertut.course.catalog import chapters, source
from sertut.errors import AudioError
from sertut.evidence.confidence import Calibration
from sertut.models import AttentiveLSTM, AudioVisual, FullyConvolutional, MultiHead
from sertut.progress import static
from sertut.signals import SAMPLE_RATE, write_audio
from sertut.video import write_video
from tests.conftest import tone
from tests.course.tiny import call, write_table

NETWORKS = {
    "ear-attention": (lambda: AttentiveLSTM(64, 2, n_hidden=8, front=2), "log_mel_long"),
    "ear-heads": (lambda: MultiHead(64, 2, n_hidden=8, n_heads=2, front=2), "log_mel_long_level"),
    "ear-cells": (lambda: FullyConvolutional(2, trunk="front", width=2), "log_mel_long"),
    "ear-perception": (lambda: AudioVisual(64, 8, 2, streams="voice", n_hidden=8, front=2), "log_mel_long"),
}


def fold_of(tones) -> Fold:
    return tones.folds(3)[0]


def trained(method: str, tones) -> explaining.Listener:
    build, feature = NETWORKS[method]
    run = sertut.fit(build(), fold_of(tones), device="cpu", progress=False, epochs=1, feature=feature, similar=True)
    return explaining.Listener.of(method, run, fold_of(tones))


@pytest.fixture
def voice(tmp_path):
    """A file with a second of a tone between silences: 8 kHz, two channels."""
    path = tmp_path / "my voice.wav"
    sound = np.concatenate([np.zeros(4000), tone(1.0)[::2], np.zeros(4000)])
    soundfile.write(path, np.stack([sound, 0.5 * sound], axis=1), SAMPLE_RATE // 2)
    return path


def test_any_rate_any_channels_and_no_silence_around(voice):
    samples = explaining.read_voice(voice)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.06, abs=0.05)  # 30 ms are left at each end


def a_recording(samples, container, codec, options, layout="mono", rate=48_000) -> bytes:
    """As a browser or a phone records: a stream that starts before anybody knows how long it will be."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * stream.channels), format="fltp", layout=layout)
        frame.sample_rate = SAMPLE_RATE
        encoder = stream.codec_context
        encoder.open()
        to_rate = av.AudioResampler(encoder.format, layout, rate, encoder.frame_size)
        for piece in (*to_rate.resample(frame), *to_rate.resample(None), None):
            out.mux(stream.encode(piece))
    return file.getvalue()


def test_the_sound_of_a_video_and_of_a_phone(tmp_path):
    sound = tone(1.0)
    write_video(tmp_path / "face.mp4", np.full((25, 48, 48), 128, np.uint8), sound)
    (tmp_path / "phone.m4a").write_bytes(a_recording(sound, "mp4", "aac", {}, "stereo", 44_100))
    for name in ("face.mp4", "phone.m4a"):
        samples = explaining.read_voice(tmp_path / name)
        assert len(samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.12), name
        loudest = np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples)
        assert loudest == pytest.approx(200, abs=5), name
        assert samples.std() == pytest.approx(sound.std(), rel=0.1), name


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("absent.wav", None, "does not exist"),
        ("empty.wav", b"", "is an empty file"),
        ("text.wav", b"this is no sound at all, it is a text", "cannot be read as audio"),
        ("text.m4a", b"this is no sound at all, it is a text", "cannot be read as audio"),
        ("bare.raw", bytes(64_000), "has no sound"),
        ("silent.wav", np.zeros(SAMPLE_RATE), "is silent from start to end"),
        ("click.wav", tone(0.01), "speak for at least 0.3 s"),
        ("short.wav", tone(0.2), "holds 0.20 s of sound"),
        ("long.wav", tone(121.0), "lasts 121 s; cut out at most 120 s"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_sentence(tmp_path, name, content, says):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write_audio(path, content)
    with pytest.raises(AudioError) as refused:
        explaining.read_voice(path)
    assert says in str(refused.value) and name in str(refused.value) and "\n" not in str(refused.value)


def test_a_bad_file_is_told_before_anything_is_trained(tmp_path, voice, monkeypatch):
    monkeypatch.setattr(explaining, "listeners", lambda corpus: pytest.fail("trained for a file that cannot be read"))
    with pytest.raises(AudioError, match="does not exist"):
        explaining.explain([voice, tmp_path / "absent.wav"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_listener_hears_what_its_run_does(tones):
    """Heard alone, from samples, a test clip gets the same logits as in the batch of the evaluation."""
    listener, fold = trained("ear-attention", tones), fold_of(tones)
    logits = sertut.predict(listener.run, fold.test).logits[0]
    heard = listener.hear(explaining.read_audio(fold.test[0].audio))
    torch.testing.assert_close(heard.example.probabilities, listener.calibration.probabilities(logits))
    assert heard.ranked[0][1] >= heard.ranked[1][1]
    for threshold, fits in ((0.0, True), (1.01, False)):
        one = replace(listener, calibration=Calibration(1.0, threshold)).hear(tone(0.8))
        assert one.fits == fits and str(one).startswith("none of these") != fits
    tested = listener.tested
    assert tested["speakers"] == [len(part.speakers) for part in (fold.train, fold.dev, fold.test)]
    assert 0 <= tested["refused"] <= 1 and 0 <= tested["passed"] <= 1
    assert re.match(r"\S+ \[\S+, \S+\]", tested["ece"]) and re.match(r"\S+ \[\S+, \S+\]", tested["uar"])


def test_listeners_are_trained_once_and_again_when_a_recording_changes(tones, monkeypatch):
    asked = []

    def train(method, corpus):
        asked.append(method)
        return trained(method, corpus)

    monkeypatch.setattr(explaining, "load", lambda name, trim=True: tones)
    monkeypatch.setattr(explaining, "train", train)
    (first,) = explaining.listeners("tones", ["ear-attention"])
    (second,) = explaining.listeners("tones", ["ear-attention"])
    assert asked == ["ear-attention"]
    assert (second.method, second.calibration, second.tested) == (first.method, first.calibration, first.tested)
    assert second.drawing[:4] == b"\x89PNG" and "Reliability" in second.alt
    sound = explaining.read_audio(tones[0].audio)
    write_audio(tones[0].audio, sound[: len(sound) // 2])
    explaining.listeners("tones", ["ear-attention"])
    assert len(asked) == 2


def test_kept_networks_of_a_made_corpus_are_found_without_loading_it(tones, monkeypatch):
    monkeypatch.setattr(explaining, "load", lambda name, trim=True: tones)
    monkeypatch.setattr(explaining, "train", trained)
    (first,) = explaining.listeners("planted", ["ear-attention"])
    monkeypatch.setattr(explaining, "load", lambda *args, **options: pytest.fail("it was loaded"))
    (second,) = explaining.listeners("planted", ["ear-attention"])
    assert second.tested == first.tested
    monkeypatch.setattr(explaining, "version", lambda package: "another engine")
    with pytest.raises(pytest.fail.Exception, match="it was loaded"):
        explaining.listeners("planted", ["ear-attention"])


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path, tones, voice, cache, monkeypatch):
    made = [trained(method, tones) for method in NETWORKS]
    monkeypatch.setattr(explaining, "listeners", lambda corpus: made)
    write_audio(tmp_path / "two <parts>.wav", tone(20.0))
    before = sorted(cache.rglob("*"))
    page = explaining.explain([voice, tmp_path / "two <parts>.wav"], tmp_path / "page.html", "tones")
    assert sorted(cache.rglob("*")) == before, "nothing of the reader's sound is kept"
    text = page.read_text(encoding="utf-8")
    assert text.count("<audio") == 4 * (1 + 2), "a player for each family and part"
    asked = re.findall(r'(?:src|href)="(\w+:|#)?', text)
    assert set(asked) == {"data:", "#"} and not re.search(r"https?://(?!www.w3.org/)", text)
    assert "two &lt;parts&gt;.wav, 0.0 to 10.0 s" in text and "two <parts>" not in text
    says = ["What these networks cannot know", "Article 5(1)(f)", "learned from <b>tones"]
    assert all(said in text for said in (*explaining.FAMILIES.values(), *says))
    assert str(tmp_path) not in text


def test_networks_learn_from_a_table_of_ones_own(tmp_path, tones, voice, monkeypatch, capsys):
    """The command as the book has it; what is kept serves the second call, without training."""
    table = write_table(tmp_path / "clips.csv", tones)
    words = ["explain", "--corpus", str(table), str(voice), "-o", str(tmp_path / "page.html")]
    for train in (trained, lambda *_: pytest.fail("trained again")):
        monkeypatch.setattr(explaining, "train", train)
        assert call(*words) == 0 and "page.html" in capsys.readouterr().out
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<audio") == 4 and "learned from <b>clips.csv" in text and "planted" not in text


def test_a_recorded_corpus_is_preferred(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    assert explaining.default_corpus() == "planted"
    (tmp_path / "emodb").mkdir()
    assert explaining.default_corpus() == "emodb"


BROWSERS = {
    "Chromium, Firefox": ("webm", "libopus", {"live": "1"}),
    "Firefox before": ("ogg", "libopus", {}),
    "Safari": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
}


@pytest.fixture
def own_voice(tones, tmp_path, monkeypatch):
    """The cell of chapter 18 that hears its reader, with a network that knows the tones; what it displays."""
    (chapter,) = [chapter for chapter in chapters() if chapter.name.startswith("18")]
    (cell,) = [cell for cell in chapter.cells() if cell.get("id") == "ch17-upload"]
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("SERTUT_STATIC", "0")
    shown = []
    names = {"Path": Path, "ipywidgets": ipywidgets, "read_voice": explaining.read_voice, "sertut": sertut}
    names |= {"static": static, "display": lambda *things: shown.extend(things)}
    names["listener"] = trained("ear-attention", tones)
    exec(source(cell), names)
    assert names["recorder"] in shown and names["chooser"] in shown
    shown.clear()
    return names, shown


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_recorded_voice_is_heard_like_its_file_and_deleted(own_voice, tones, browser):
    names, shown = own_voice
    for clip in fold_of(tones).test.clips[:8:4]:  # one of each emotion
        samples = explaining.trim(explaining.read_audio(clip.audio))
        content = a_recording(samples, *BROWSERS[browser])
        names["recorder"].set_state({"sound": memoryview(content)})
        assert list(Path().iterdir()) == [] and names["recorder"].sound == b""
        title = re.search(r"your voice\. Heard: [^<]*", shown.pop().html)[0]
        heard = names["listener"].hear(samples)
        assert heard.example.predicted in title and not shown
        assert heard.ranked[0][1] == pytest.approx(float(re.search(r"(\d+)%", title)[1]) / 100, abs=0.03)

        Path("recorded").write_bytes(content)
        read = explaining.read_voice("recorded")
        Path("recorded").unlink()
        assert len(read) == pytest.approx(len(samples), abs=0.1 * SAMPLE_RATE)
        alike = np.correlate(read, samples, "full").max()
        assert alike > 0.95 * np.linalg.norm(read) * np.linalg.norm(samples)


def test_what_was_not_recorded_is_told_in_one_sentence(own_voice, tones, capsys):
    names, shown = own_voice
    bad = {
        " s of sound; speak for at least 0.3 s.": a_recording(tone(0.1), *BROWSERS["Safari"]),
        "is silent from start to end; record": a_recording(0 * tone(1.0), *BROWSERS["Chromium, Firefox"]),
        "cannot be read as audio": b"this is no sound at all",
        "is an empty file": b"",
    }
    for says, content in bad.items():
        names["hear"](content, "your voice")
        told = capsys.readouterr().out
        assert says in told and told.count("\n") == 1 and not shown and list(Path().iterdir()) == []


def test_a_chosen_file_is_heard_and_not_kept(own_voice, voice):
    names, shown = own_voice
    chosen = {"name": voice.name, "type": "audio/wav", "size": 1, "content": voice.read_bytes(), "last_modified": 0}
    names["hear_files"]({"new": [chosen]})
    assert "my voice.wav. Heard: " in shown.pop().html
    assert list(Path().iterdir()) == [] and names["chooser"].value == ()
