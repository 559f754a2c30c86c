"""Getting corpora from a local server: what is said before, where it lands, what goes on, what is refused."""

import hashlib
import io
import itertools
import json
import shutil
import sys
import warnings
import zipfile
from collections import namedtuple
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from unittest.mock import Mock

import click
import filelock
import pytest

import sertut
from sertut.corpora import RECORDED, cremad, emodb, folder_of, ravdess_video
from sertut.course.downloading import File
from sertut.course.fetching import ASK, OFFERS, fetch, terms
from sertut.errors import SertutError
from tests.course.tiny import call


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


class Handler(BaseHTTPRequestHandler):
    log_message = lambda *_: None  # noqa: E731

    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")


@pytest.fixture
def server(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path / "data"))
    server = serve(Handler)
    server.files = {}
    return server


def left(folder):
    """Names of what lies in the folder of the corpora, hidden things included."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def berlin(server, monkeypatch):
    """A server with an archive of 535 clips that are named like those of EMO-DB."""
    codes = itertools.product(emodb.SENTENCES, emodb.EMOTIONS, emodb.SPEAKERS)  # each speaker has some, fairly
    names = ["".join((speaker, *others)) + "a.wav" for *others, speaker in itertools.islice(codes, 535)]
    server.files["/download.zip"] = zipped({f"wav/{name}": name.encode() for name in names})
    offer = OFFERS["emodb"]
    file = replace(offer.archives[0], url=server.at + "download.zip", size=len(server.files["/download.zip"]))
    monkeypatch.setitem(OFFERS, "emodb", replace(offer, archives=(file,), bytes=10_000))
    return server


def test_a_corpus_lands_where_it_is_looked_for(berlin, tmp_path):
    said = fetch("emodb")
    corpus = sertut.load("emodb", trim=False)
    assert len(corpus) == 535 and left(tmp_path / "data") == ["emodb"]
    sha256 = hashlib.sha256(berlin.files["/download.zip"]).hexdigest()
    kept = json.loads((folder_of("emodb") / "fetched.json").read_text())["download.zip"]
    assert kept["sha256"] == sha256 and kept["checked"] is None and kept["url"] == berlin.at + "download.zip"
    assert sha256 in said[0] and str(tmp_path / "data" / "emodb") in said[-1]
    with pytest.raises(SertutError, match="is there already"):
        fetch("emodb")
    assert berlin.asked == ["/download.zip"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wav/03a01Fa.wav", "not emodb as it was published, and was removed: 1 of 535 clips"),
        ("wav/angry.wav", r"angry\.wav is not an EMO-DB name"),
        ("../../outside.wav", "leads out of its folder"),
    ],
)
def test_what_is_not_the_corpus_is_removed(berlin, tmp_path, name, says):
    """A few clips, strange names, an archive that is refused: the next call starts anew."""
    berlin.files["/download.zip"] = zipped({name: b"x"})
    with pytest.raises(SertutError, match=says):
        fetch("emodb")
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".wav", ".zip")]


@pytest.mark.parametrize(("name", "of", "n"), [("emodb", "berlin", 1), ("cremad", "crowd", 7)])
def test_what_is_there_is_not_fetched_again(request, monkeypatch, tmp_path, name, of, n):
    """Stopped after the last byte, the next call fetches nothing."""
    server, module = request.getfixturevalue(of), RECORDED[name]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "read", Mock(side_effect=KeyboardInterrupt))
        fetch(name)
    assert left(tmp_path / "data") == [f".{name}.fetching"]
    assert "SHA-256" in fetch(name)[0] and len(server.asked) == len(set(server.asked)) == n
    assert left(tmp_path / "data") == [name] and len(sertut.load(name, trim=False)) == (535 if n == 1 else 6)


def test_too_little_room_is_said_first(berlin, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 6, 4))
    with pytest.raises(SertutError, match=r"too little room in .* to fetch emodb"):
        fetch("emodb")
    assert berlin.asked == []


def test_two_do_not_fetch_at_once(berlin, tmp_path):
    staging = tmp_path / "data" / ".emodb.fetching"
    staging.mkdir(parents=True)
    with filelock.FileLock(staging / "lock"), pytest.raises(SertutError, match="another process is fetching emodb"):
        fetch("emodb")
    assert berlin.asked == []


@pytest.fixture
def films(server, monkeypatch):
    """Two of the archives of ravdess-video, and the record with their sums."""
    take = "01-03-01-01-01-01"
    offer, archives, entries = OFFERS["ravdess-video"], [], []
    for file, actor in zip(offer.archives[:2], ("01", "02"), strict=True):
        body = zipped({f"Actor_{actor}/{kind}-{take[:-2]}{actor}.mp4": kind.encode() for kind in ("01", "02")})
        server.files[f"/{file.name}"] = body
        archives.append(replace(file, url=server.at + file.name, size=len(body)))
        entries.append({"key": file.name, "size": len(body), "checksum": f"md5:{hashlib.md5(body).hexdigest()}"})
    server.files["/record"] = json.dumps({"files": entries}).encode()
    changed = replace(offer, archives=tuple(archives), record=server.at + "record", bytes=100)
    monkeypatch.setitem(OFFERS, "ravdess-video", changed)
    source = replace(ravdess_video.SOURCE, expected={"clips": 2, "speakers": 2}, folds=())
    monkeypatch.setattr(ravdess_video, "SOURCE", source)
    return server


def test_sums_are_asked_of_the_record(films, tmp_path):
    fetch("ravdess-video")
    assert left(folder_of("ravdess-video")) == ["Actor_01", "Actor_02", "fetched.json"]
    assert left(tmp_path / "data") == ["ravdess_video"]
    kept = json.loads((folder_of("ravdess-video") / "fetched.json").read_text())
    assert all(row["checked"].startswith("md5:") for row in kept.values()) and len(kept) == 2


def test_of_several_archives_the_good_ones_are_kept(films, tmp_path):
    second = next(path for path in films.files if "02.zip" in path)
    body = films.files[second]
    films.files[second] = bytes(len(body))
    with pytest.raises(SertutError, match=r"Video_Speech_Actor_02\.zip is not what was published"):
        fetch("ravdess-video")
    assert not folder_of("ravdess-video").exists()
    films.files[second] = body
    fetch("ravdess-video")
    assert len(sertut.load("ravdess-video")) == 2
    assert films.asked.count("/Video_Speech_Actor_01.zip") == 1


RECORDS = {  # what is made of the record, and what is said of it
    "absent": (lambda record: None, "404"),
    "a page": (lambda record: b"<html>", "does not tell the sums"),
    "empty": (lambda record: b'{"files": []}', "does not tell the sums"),
    "of another form": (lambda record: b'{"files": ["a"]}', "does not tell the sums"),
    "of another sum": (lambda record: record.replace(b"md5:", b"crc:"), "which has"),
    "of another size": (lambda record: record.replace(b'"size": ', b'"size": 1'), "which has"),
}


@pytest.mark.parametrize("record", RECORDS)
def test_without_sums_nothing_is_fetched(films, record):
    change, says = RECORDS[record]
    films.files["/record"] = change(films.files["/record"])
    with pytest.raises(SertutError, match=says):
        fetch("ravdess-video")
    assert films.asked == ["/record"]


@pytest.fixture
def crowd(server, monkeypatch):
    """A repository with placeholders of Git LFS, as GitHub packs it, and its recordings elsewhere."""
    names = [f"{actor}_DFA_{emotion}_XX.wav" for actor in (1001, 1002) for emotion in ("ANG", "SAD", "NEU")]
    sounds = {name: name.encode() * 50 for name in names}
    sums = {name: hashlib.sha256(sound).hexdigest() for name, sound in sounds.items()}
    lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
    inside = {f"CREMA-D-master/AudioWAV/{n}": lfs.format(sums[n], len(sounds[n])).encode() for n in names}
    inside |= {f"CREMA-D-master/VideoFlash/{n}.flv": b"placeholder" for n in names}
    actors = "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Asian,Not Hispanic\n"
    inside["CREMA-D-master/VideoDemographics.csv"] = actors.encode()
    server.files |= {"/master.zip": zipped(inside), **{f"/wav/{name}": sound for name, sound in sounds.items()}}
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(names))
    offer, size, sum_of_sums = OFFERS["cremad"], len(server.files["/master.zip"]), hashlib.sha256(lines.encode())
    there = replace(offer.placeholders, url=server.at + "wav/", sum=sum_of_sums.hexdigest())
    archives = (File("master.zip", server.at + "master.zip", size, exact=False),)
    monkeypatch.setitem(OFFERS, "cremad", replace(offer, archives=archives, placeholders=there))
    monkeypatch.setattr(cremad, "SOURCE", replace(cremad.SOURCE, expected={"clips": 6, "speakers": 2}, folds=()))
    return server


def test_placeholders_become_recordings(crowd, tmp_path):
    fetch("cremad")
    folder = folder_of("cremad")
    assert left(folder) == ["AudioWAV", "VideoDemographics.csv", "fetched.json"]
    sounds = {f"/wav/{path.name}": path.read_bytes() for path in (folder / "AudioWAV").iterdir()}
    assert crowd.files == sounds | {"/master.zip": crowd.files["/master.zip"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus = sertut.load("cremad", trim=False)
    assert corpus.clips[0].details["age"] == 51 and left(tmp_path / "data") == ["cremad"]


def test_a_recording_that_is_not_its_placeholder_s(crowd):
    path = "/wav/1002_DFA_SAD_XX.wav"
    body, crowd.files[path] = crowd.files[path], bytes(len(crowd.files[path]))
    with pytest.raises(SertutError, match=r"1002_DFA_SAD_XX\.wav is not what was published"):
        fetch("cremad")
    assert not folder_of("cremad").exists()
    crowd.files[path] = body
    fetch("cremad")
    assert crowd.asked.count("/master.zip") == 1 and crowd.asked.count(path) == 2


def test_other_placeholders_are_refused(crowd, monkeypatch):
    offer = OFFERS["cremad"]
    monkeypatch.setitem(OFFERS, "cremad", replace(offer, placeholders=replace(offer.placeholders, sum="0" * 64)))
    with pytest.raises(SertutError, match="the 6 placeholders in AudioWAV are not those that were counted"):
        fetch("cremad")
    assert crowd.asked == ["/master.zip"] and not folder_of("cremad").exists()


def test_the_numbers_of_the_offers():
    """Sums of sizes as the reference page of the corpora has them."""
    assert OFFERS["ravdess-video"].size == 13_357_344_723 and len(OFFERS["ravdess-video"].archives) == 24
    assert OFFERS["ravdess"].size == 208_468_073
    assert set(OFFERS) | set(ASK) == set(RECORDED)
    for offer in OFFERS.values():
        verified = all(file.sum for file in offer.archives) or offer.record or offer.placeholders
        assert verified or "NOT VERIFIED" in offer.checked
        assert all(file.url.startswith("https://") for file in offer.archives) or "NOT VERIFIED" in offer.checked


@pytest.mark.parametrize("name", OFFERS)
def test_terms_say_size_license_place_and_what_is_verified(name):
    said = terms(name)
    size = {"ravdess": "208 MB", "ravdess-video": "13,357 MB", "emodb": "40 MB", "cremad": "630 MB"}[name]
    for part in (size, RECORDED[name].ABOUT.license, RECORDED[name].ABOUT.citation, str(folder_of(name)), "checked:"):
        assert part in said


@pytest.mark.parametrize(("name", "says"), [("iemocap", "sail.usc.edu/iemocap"), ("afew", "EmotiW")])
def test_how_to_ask_for_what_cannot_be_fetched(capsys, name, says):
    assert call("data", "fetch", name) == 1
    said = capsys.readouterr().out
    assert says in said and str(folder_of(name)) in said


def test_an_unknown_corpus():
    with pytest.raises(SertutError, match="unknown corpus to fetch 'ravdes': did you mean 'ravdess'"):
        terms("ravdes")


def test_nothing_is_fetched_before_the_license_is_accepted(berlin, capsys, monkeypatch):
    assert call("data", "fetch", "emodb") == 1
    out = capsys.readouterr()
    assert "license:" in out.out and "nobody accepted the license of emodb" in out.err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda question: False)
    assert call("data", "fetch", "emodb") == 1 and berlin.asked == []
    monkeypatch.setattr(click, "confirm", lambda question: True)
    assert call("data", "fetch", "emodb") == 0 and len(sertut.load("emodb", trim=False)) == 535


def test_a_flag_accepts_the_license(berlin, capsys):
    assert call("data", "fetch", "emodb", "--accept-license") == 0
    said = capsys.readouterr().out
    assert said.index("license:") < said.index("SHA-256") < said.index("emodb is in")
