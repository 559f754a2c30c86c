"""A table of recordings is a corpus; what is wrong with one is told, all of it, each with its line and file."""

import csv
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sertut
from sertut import cli
from sertut.corpora import Region
from sertut.corpora.own import files_of, look_through, table_of
from sertut.course import execution
from sertut.course.execution import run_chapters
from sertut.course.packs import write_pack
from sertut.course.results import read_results
from sertut.errors import CorpusError, SertutError
from sertut.show.style import EMOTIONS, emotion_color
from sertut.signals import SAMPLE_RATE, read_audio, write_audio
from sertut.study import build, recipe
from sertut.video import write_video
from tests.conftest import tone
from tests.course.tiny import cell, write_notebook, write_table

pytestmark = pytest.mark.filterwarnings("ignore:.*can be used, but")
SPEAKERS, MOODS = ("anna", "ben", "eva"), ("joy", "gloom")


def rows() -> list[dict[str, str]]:
    """A clip of each speaker in each mood, anna's first: lines 2 to 7."""
    return [{"path": f"{who}-{mood}.wav", "speaker": who, "emotion": mood} for who in SPEAKERS for mood in MOODS]


def write(path: Path, lines: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)
    return path


@pytest.fixture
def folder(tmp_path, cache) -> Path:
    """The sounds of :func:`rows`, each 0.5 s of its own pitch."""
    (tmp_path / "mine").mkdir()
    for i, row in enumerate(rows()):
        write_audio(tmp_path / "mine" / row["path"], tone(0.5, 150 + 30 * i))
    return tmp_path / "mine"


def changed(line: int, **cells: str):
    """A table in which these cells of a line are others; columns that are new are empty elsewhere."""

    def make(folder: Path) -> list[dict[str, str]]:
        return [
            row | {name: text if i == line else row.get(name, "") for name, text in cells.items()}
            for i, row in enumerate(rows(), start=2)
        ]

    return make


def without(column: str):
    return lambda folder: [{name: text for name, text in row.items() if name != column} for row in rows()]


def spoiled(line: int, spoil):
    """A table as it should be, with the file of a line spoiled."""

    def make(folder: Path) -> list[dict[str, str]]:
        spoil(folder / rows()[line - 2]["path"])
        return rows()

    return make


def copied(folder: Path) -> list[dict[str, str]]:
    """ben's joy is anna's, in another container."""
    write_audio(folder / "copy.flac", read_audio(folder / "anna-joy.wav"))
    return changed(4, path="copy.flac")(folder)


def silent_part(folder: Path) -> list[dict[str, str]]:
    write_audio(folder / "ben-joy.wav", np.concatenate([tone(0.3), np.zeros(SAMPLE_RATE)]))
    return changed(4, start="0.5", end="1.0")(folder)


def overlapping(folder: Path) -> list[dict[str, str]]:
    """anna's moods are two parts of one file, and share a tenth of a second."""
    first, second, *others = changed(2, start="0", end="0.3")(folder)
    return [first, second | {"path": "anna-joy.wav", "start": "0.2", "end": "0.5"}, *others]


BAD = {  # the table, the line that is told, and what is said of it
    "missing file": (changed(3, path="no.wav"), 3, r"no\.wav does not exist"),
    "a folder": (changed(3, path="."), 3, r"mine does not exist"),
    "empty file": (spoiled(5, lambda path: path.write_bytes(b"")), 5, r"ben-gloom\.wav is an empty file"),
    "no sound": (spoiled(5, lambda path: path.write_text("x" * 99)), 5, r"ben-gloom\.wav cannot be read as audio"),
    "silent file": (
        spoiled(5, lambda path: write_audio(path, np.zeros(8000))),
        5,
        r"ben-gloom\.wav is silent from start",
    ),
    "silent part": (silent_part, 4, r"ben-joy\.wav is silent from 0\.5 to 1 s"),
    "two speakers": (
        changed(4, path="./anna-joy.wav"),
        4,
        r"anna-joy\.wav is 'ben', joy here and 'anna', joy in line 2",
    ),
    "overlapping parts": (overlapping, 3, r"anna-joy\.wav is 'anna', gloom here and 'anna', joy in line 2"),
    "equal sound": (
        copied,
        4,
        r"exactly like anna-joy\.wav \(line 2\), but is 'ben', joy here and 'anna', joy in line 2",
    ),
    "the same line twice": (lambda _: [*rows(), rows()[1]], 8, r"the same clip of anna-gloom\.wav stands in line 3"),
    "emotions in two cases": (changed(6, emotion="Joy"), 6, r"the emotion 'Joy' and 'joy' \(line 2\) differ in case"),
    "speakers in two cases": (changed(7, speaker="EVA"), 7, r"the speaker 'EVA' and 'eva' \(line 6\) differ in case"),
    "files in two cases": (changed(3, path="Anna-joy.wav"), 3, r"path 'Anna-joy\.wav' and 'anna-joy\.wav' \(line 2\)"),
    "no column of paths": (without("path"), 1, "the column path is missing; there are speaker, emotion"),
    "half a region": (changed(3, region_start="0.1"), 1, "the column region_end is missing"),
    "empty speaker": (changed(3, speaker=" "), 3, "the cell 'speaker' is empty"),
    "empty path": (changed(3, path=""), 3, "the cell 'path' is empty"),
    "start after end": (changed(3, start="0.4", end="0.2"), 3, r"starts at 0\.4 s and ends at 0\.2 s"),
    "start after the file": (changed(3, start="0.7"), 3, r"starts at 0\.7 s and ends at 0\.5 s"),
    "end after the file": (changed(3, end="0.52"), 3, r"ends at 0\.52 s, but anna-gloom\.wav lasts 0\.50 s"),
    "less than a frame": (changed(3, start="0.1", end="0.12"), 3, r"lasts 0\.02 s, less than one frame of 0\.025 s"),
    "no number": (changed(3, start="0,1"), 3, r"start is '0,1'; write seconds, such as 1\.25"),
    "before the file": (changed(3, start="-1"), 3, "start is '-1'"),
    "not a number": (changed(3, end="nan"), 3, "end is 'nan'"),
    "two starts": (changed(3, start="0;0.1"), 3, "start is '0;0.1'"),
    "region outside": (
        changed(3, start="0.2", region_start="0.1", region_end="0.3"),
        3,
        r"the region 0\.1 to 0\.3 s does not lie inside the clip, 0\.2 to 0\.50 s",
    ),
    "region backwards": (changed(3, region_start="0.3", region_end="0.1"), 3, r"the region 0\.3 to 0\.1 s"),
    "a region without end": (changed(3, region_start="0.1;0.3", region_end="0.2"), 3, "2 regions start and 1 end"),
    "missing video": (changed(3, video="no.mp4"), 3, r"no\.mp4 does not exist"),
    "video of a part": (changed(3, video="x.mp4", start="0.1"), 3, "a clip with a video cannot have a start"),
    "too few speakers": (lambda _: rows()[:5], 3, "'gloom' has 2 speakers; train, dev and test need one each"),
    "one emotion": (lambda _: [row | {"emotion": "joy"} for row in rows()], 2, "every clip is 'joy'; there is nothing"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_with_line_and_file(folder, case):
    make, line, said = BAD[case]
    table = write(folder / "clips.csv", make(folder))
    found = look_through(table)
    assert [str(e) for e in found.errors if re.search(f"^clips\\.csv, line {line}: .*{said}", str(e))], found.errors
    with pytest.raises(CorpusError, match=rf"mine/clips\.csv cannot be used, for {len(found.errors)} reasons:\n"):
        sertut.load(str(table))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"clips\.csv is empty; its first line must name the columns"),
        (b"path,emotion,speaker\n", r"clips\.csv, line 1: no clip stands below"),
        ("path,emotion\nübung.wav,joy\n".encode("latin-1"), r"clips\.csv is not text in UTF-8"),
        (b'path,emotion\n"a.wav,joy\n', r"clips\.csv, line 2: unexpected end of data"),
        (b"path,emotion,emotion\na.wav,joy,joy\n", r"clips\.csv, line 1: two columns are named 'emotion'"),
        (b"path,emotion\n\na.wav,joy,very\n", r"clips\.csv, line 3: 3 cells, but there are 2 columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, cache, content, said):
    (tmp_path / "clips.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=said):
        sertut.load(str(tmp_path / "clips.csv"))


def test_what_is_no_table_is_told_apart_from_a_name(tmp_path):
    assert table_of("my/clips.CSV") and table_of("clips.parquet") and not table_of("ravdess") and not table_of("my/x")
    (tmp_path / "clips.parquet").write_bytes(b"PAR1")
    parquet = "read as Parquet" if importlib.util.find_spec("pyarrow") else r"pip install 'sertut\[tables\]'"
    for name, said in (("no.csv", "does not exist"), ("clips.parquet", parquet), (".", "is no table: write")):
        with pytest.raises(CorpusError, match=said):
            sertut.load(str(tmp_path / name))
    with pytest.raises(CorpusError, match="which takes no option 'known_faults'"):
        sertut.load("clips.csv", known_faults="keep")
    with pytest.raises(SertutError, match="did you mean 'ravdess'"):
        sertut.load("ravdes")


def test_everything_is_told_at_once_and_by_the_command(folder, capsys):
    lines = changed(3, start="0.4", end="0.2", speaker="")(folder)
    lines[3]["path"], lines[5]["emotion"] = "no.wav", "JOY"
    table = write(folder / "clips.csv", lines)
    with pytest.raises(SystemExit) as end:
        cli.main(["data", "validate", str(table)])
    *told, summary = capsys.readouterr().out.splitlines()
    for line, said in (("3", "'speaker' is empty"), ("3", "starts at"), ("5", "no.wav"), ("7", "'JOY' and 'joy'")):
        assert any(text.startswith(f"clips.csv, line {line}: ") and said in text for text in told)
    assert end.value.code == 1
    assert summary == f"clips.csv: 4 clips read, {len(look_through(table).errors)} errors, 5 warnings."


def test_doubts_are_told_once_and_do_not_refuse(folder):
    """One mood of a speaker, few clips and speakers, a copy of the same label, and a misspelled column."""
    write_audio(folder / "copy.flac", read_audio(folder / "anna-joy.wav"))
    more = [{"path": "copy.flac", "speaker": "anna", "emotion": "joy"}]
    for i, mood in enumerate(MOODS * 2):
        write_audio(folder / f"new{i}.wav", tone(0.3, 500 + 20 * i))
        more.append({"path": f"new{i}.wav", "speaker": f"new{i % 2}", "emotion": mood})
    lines = [row | {"sentense": "hello"} for row in rows() + more]
    with pytest.warns(UserWarning, match=r"clips\.csv can be used, but") as caught:
        corpus = sertut.load(str(write(folder / "clips.csv", lines)), trim=False)
    (said,) = [str(warning.message) for warning in caught if "can be used" in str(warning.message)]
    for text in (
        "line 1: the column 'sentense' is not used; did you mean 'sentence'?",
        "line 8: copy.flac sounds exactly like anna-joy.wav (line 2); keep one of them",
        "line 9: speaker 'new0' has no emotion but 'joy', which the voice gives away",
        "line 3: 'gloom' has 5 clips; scores of so few say little",
    ):
        assert f"clips.csv, {text}" in said
    assert len(corpus) == 11 and corpus[0].details == {"sentense": "hello"}


def test_two_speakers_in_one_file_are_a_doubt_where_they_do_not_overlap(folder):
    write_audio(folder / "talk.wav", np.concatenate([tone(0.2, 200), tone(0.2, 300)]))
    lines = changed(2, path="talk.wav", start="", end="0.2")(folder)
    lines[2] |= {"path": "talk.wav", "start": "0.2"}
    found = look_through(write(folder / "clips.csv", lines))
    assert not found.errors
    assert any("line 4: talk.wav has two speakers: 'ben', joy here and 'anna'" in str(doubt) for doubt in found.doubts)


def test_a_part_is_cut_to_the_sample_and_regions_move_with_it(folder):
    samples = np.round(np.random.default_rng(0).normal(scale=0.1, size=2 * SAMPLE_RATE) * 32768) / 32768
    write_audio(folder / "long.wav", samples)
    part = dict(start="0.5", end="1.75", region_start="0.6;1.0", region_end="0.75;1.755")
    corpus = sertut.load(str(write(folder / "clips.csv", changed(2, path="long.wav", **part)(folder))))
    first, second = corpus[0], corpus[1]
    np.testing.assert_array_equal(read_audio(first.audio), samples[8000:28000].astype(np.float32))
    assert first.name == "long 0.5-1.75 s" and second.name == "anna-gloom"
    assert first.regions == (Region(pytest.approx(0.1), pytest.approx(0.25)), Region(0.5, 1.25)) and not second.regions
    assert second.audio == folder / "anna-gloom.wav"  # nothing is trimmed where regions are known


def test_silence_is_cut_as_of_recorded_corpora_but_not_beside_a_video(folder):
    for name in ("anna-joy.wav", "ben-joy.wav"):
        write_audio(folder / name, np.concatenate([np.zeros(8000), tone(0.5, len(name) * 20), np.zeros(8000)]))
    write_video(folder / "face.avi", np.full((3, 8, 8), 80, dtype=np.uint8))
    corpus = sertut.load(str(write(folder / "clips.csv", changed(2, video="face.avi")(folder))))
    lengths = [len(read_audio(clip.audio)) / SAMPLE_RATE for clip in corpus]
    assert corpus[0].video == folder / "face.avi" and lengths[0] == 1.5
    assert 0.5 < lengths[2] < 0.62


def test_folds_have_separate_speakers_and_without_speakers_there_are_none(folder):
    corpus = sertut.load(str(write(folder / "clips.csv", rows())))
    folds = corpus.folds(3)
    assert all(not fold.leaks.speakers and len(fold.train.speakers) == 1 for fold in folds)
    assert sorted(fold.test.speakers[0] for fold in folds) == list(SPEAKERS)
    unknown = sertut.load(str(write(folder / "unknown.csv", without("speaker")(folder))))
    assert "speakers unknown" in unknown.describe() and unknown[0].sentence == unknown[0].name == "anna-joy"
    with pytest.raises(CorpusError, match=r"'unknown\.csv' does not tell who speaks.*add a column 'speaker'"):
        unknown.keeping(unknown.clips[:5]).folds()


@pytest.mark.parametrize("name", ["semicolons.csv", "excel.csv", "clips.parquet"])
def test_parquet_and_other_ways_to_write_csv_say_the_same(folder, name):
    lines = changed(4, start="0.125", end="0.5", sentence='say; this, "now"', take="3")(folder)
    expected = sertut.load(str(write(folder / "clips.csv", lines)), trim=False)
    if name == "semicolons.csv":
        write(folder / name, lines, ";")
    elif name == "excel.csv":
        text = "\ufeff" + (folder / "clips.csv").read_text().replace("eva,", "  eva ,") + "\n\n"
        (folder / name).write_text(text, encoding="utf-8")
    else:
        pytest.importorskip("pyarrow", reason="pyarrow comes with sertut[tables]")
        frame = pd.DataFrame(lines).replace("", None).astype({"start": float, "end": float, "take": "Int64"})
        frame.to_parquet(folder / name)
    corpus = sertut.load(name, root=folder, trim=False)
    assert corpus.clips == expected.clips and corpus.name == name
    assert [clip.details for clip in corpus] == [clip.details for clip in expected]


def test_an_audformat_database_is_a_corpus(folder, monkeypatch):
    audformat = pytest.importorskip("audformat", reason="audformat comes with sertut[tables]")
    database = audformat.Database("mine")
    files, seconds = [row["path"] for row in rows()], pd.to_timedelta([0.1] * 6, unit="s")
    parts = audformat.segmented_index(files, seconds, seconds * 4)
    for name, index in (("speaker", audformat.filewise_index(files)), ("emotion", parts)):
        database.schemes[name] = audformat.Scheme("str")
        database[name] = audformat.Table(index)
        database[name][name] = audformat.Column(scheme_id=name)
        database[name][name].set([row[name] for row in rows()])
    database.schemes["transcription"] = audformat.Scheme("str")
    database.save(str(folder))
    corpus = sertut.load(str(folder), trim=False)
    assert corpus.name == "mine/db.yaml" and corpus.emotions == ("gloom", "joy") and corpus.speakers == SPEAKERS
    assert len(read_audio(corpus[0].audio)) == round(0.3 * SAMPLE_RATE)
    assert recipe(str(folder)) == recipe(corpus.name) == recipe("ravdess")
    assert set(files_of(folder / "db.yaml")) >= {folder / "db.yaml", folder / "anna-joy.wav"}
    (folder / "eva-joy.wav").unlink()
    with pytest.raises(CorpusError, match=r"db\.yaml, row 5: .*eva-joy\.wav does not exist"):
        sertut.load(str(folder / "db.yaml"))
    monkeypatch.setitem(sys.modules, "audformat", None)
    with pytest.raises(CorpusError, match=r"package audformat reads; install it with: pip install 'sertut\[tables\]'"):
        sertut.load(str(folder))


def test_clips_with_regions_train_by_the_recipe_of_recorded_corpora(tmp_path, tones):
    tones = tones.keeping(clip for clip in tones if clip.name[-1] in "01")
    lines = []
    for clip in tones:
        region = clip.regions[0] if clip.regions else None
        row = dict(path=str(clip.audio), speaker=clip.speaker, emotion=clip.emotion.title(), sentence=clip.sentence)
        row["region_start"], row["region_end"] = (f"{region.start:.6f}", f"{region.end:.6f}") if region else ("", "")
        lines.append(row)
    corpus = sertut.load(str(write(tmp_path / "clips.csv", lines)))
    for own, clip in zip(corpus, tones, strict=True):
        there = [pytest.approx((region.start, region.end), abs=1e-6) for region in clip.regions]
        assert [(region.start, region.end) for region in own.regions] == there and own.audio == clip.audio
    options = recipe(corpus.name) | {"epochs": 1}
    assert options == recipe("ravdess") | {"epochs": 1}
    run = sertut.fit(build("attention", corpus), corpus.folds(3)[0], seed=0, progress=False, **options)
    assert sertut.evaluate(run, corpus.folds(3)[0].test).localization is not None
    assert run.emotions == ("High", "Low")
    colors = {emotion_color(name, run.emotions) for name in run.emotions}
    assert len(colors) == 2 and not colors & set(EMOTIONS.values())


def test_a_chapter_takes_a_table_and_is_run_again_when_a_file_of_it_changes(tmp_path, folder, monkeypatch):
    for name in ("notebooks", "book"):
        (tmp_path / name).mkdir()
    parameters = cell("corpus = 'planted'\nseed = 0", "parameters")
    write_notebook(tmp_path / "notebooks" / "01-one.ipynb", parameters)
    seen = []

    def execute(run, parameters, *rest):
        run.folder.mkdir(parents=True, exist_ok=True)
        seen.append(parameters["corpus"])
        return ""

    monkeypatch.setattr(execution, "_execute", execute)
    monkeypatch.chdir(tmp_path)
    table = write(folder / "clips.csv", rows())

    def reused() -> bool:
        (run,) = run_chapters(["1"], {"corpus": "mine/clips.csv"}, progress=False)
        return run.reused

    assert not reused() and seen == [str(table)] and reused()
    write_audio(folder / "ben-joy.wav", tone(0.6, 900))
    assert not reused() and reused()
    write(table, changed(3, sentence="no")(folder))
    assert not reused() and reused() and len(seen) == 3
    (folder / "ben-joy.wav").unlink()
    with pytest.raises(CorpusError, match=r"line 4: .*ben-joy\.wav does not exist"):
        reused()


def test_a_chapter_of_the_book_runs_on_a_table(tmp_path, tones, monkeypatch):
    """Chapter 1 as it is, on 24 clips of a second, in two emotions that no other corpus has."""
    write_pack(tmp_path / "pack", ["1"], teachers=True)
    table = write_table(tmp_path / "clips.csv", tones.keeping(clip for clip in tones if clip.name[-1] in "01"))
    monkeypatch.chdir(tmp_path / "pack")
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "1", "-p", "corpus", str(table), "-p", "partitions", "1"])
    assert not end.value.code
    (done,) = (tmp_path / "pack" / "_build" / "chapters").rglob("results.json")
    assert read_results(done)["corpus"] == str(table)
    (notebook,) = done.parent.glob("*.ipynb")
    assert "clips.csv: 24 clips" in notebook.read_text(encoding="utf-8")
