"""Archives that try to escape, to fill the disk or to deceive: none is unpacked, and nothing is written anywhere."""

import shutil
import stat
import struct
import warnings
import zipfile
from collections import namedtuple

import pytest

from sertut.course.unpacking import ArchiveError, unpack
from sertut.errors import SertutError


def zipped(path, *entries, kind=None, compression=zipfile.ZIP_STORED):
    """A ZIP archive of (name, content); `kind` becomes the type of the file in each entry."""
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two entries with one name
        for name, content in entries:
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = name  # the constructor would put some names right
            entry.external_attr = ((kind or stat.S_IFREG) | 0o644) << 16
            entry.compress_type = compression
            archive.writestr(entry, content)
    return path


def changed(path, signature, offset, value):
    """Overwrite a field of the first record with this signature."""
    data = bytearray(path.read_bytes())
    at = data.index(signature) + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
FINE = ("Actor_01/a.wav", b"sound")
BAD = {
    "up": lambda p: zipped(p, FINE, ("../outside.wav", b"x")),
    "up, later in the name": lambda p: zipped(p, ("Actor_01/../../outside.wav", b"x")),
    "absolute": lambda p: zipped(p, ("/tmp/outside.wav", b"x")),
    "a drive": lambda p: zipped(p, ("C:outside.wav", b"x")),
    "backslashes": lambda p: zipped(p, ("..\\outside.wav", b"x")),
    "a zero byte": lambda p: zipped(p, ("a.wav\0.txt", b"x")),
    "a name of dots": lambda p: zipped(p, ("Actor_01/./a.wav", b"x")),
    "a link": lambda p: zipped(p, ("a.wav", b"/etc/passwd"), kind=stat.S_IFLNK),
    "a link that looks like a folder": lambda p: zipped(p, ("Actor_01/", b"/tmp"), FINE, kind=stat.S_IFLNK),
    "a device": lambda p: zipped(p, ("a.wav", b""), kind=stat.S_IFBLK),
    "a folder that looks like a file": lambda p: zipped(p, ("a.wav", b""), kind=stat.S_IFDIR),
    "a bomb, by its size": lambda p: zipped(p, ("a.wav", bytes(2_000_000))),
    "a bomb, by its ratio": lambda p: zipped(p, ("a.wav", bytes(900_000)), compression=zipfile.ZIP_DEFLATED),
    "a bomb, by its number": lambda p: zipped(p, *((f"{i}.wav", b"") for i in range(101))),
    "one name twice": lambda p: zipped(p, FINE, FINE),
    "one name in two cases": lambda p: zipped(p, FINE, ("actor_01/A.wav", b"other")),
    "one name in two forms": lambda p: zipped(p, ("\u00e9.wav", b"x"), ("e\u0301.wav", b"y")),
    "a file and a folder": lambda p: zipped(p, ("Actor_01/a.wav", b"x"), ("Actor_01", b"y")),
    "a file, then a folder": lambda p: zipped(p, ("Actor_01", b"y"), ("actor_01/a.wav", b"x")),
    "encrypted": lambda p: changed(zipped(p, FINE), CENTRAL, 8, struct.pack("<H", 1)),
    "longer than it says": lambda p: changed(zipped(p, FINE), CENTRAL, 24, struct.pack("<I", 3)),
    "shorter than it says": lambda p: changed(zipped(p, FINE), CENTRAL, 24, struct.pack("<I", 9)),
    "another sum": lambda p: changed(zipped(p, FINE), CENTRAL, 16, bytes(4)),
    "another name inside": lambda p: changed(zipped(p, FINE), LOCAL, 30, b"../../"),
    "an unknown compression": lambda p: changed(zipped(p, FINE), CENTRAL, 10, struct.pack("<H", 77)),
    "cut": lambda p: p.write_bytes(zipped(p, FINE, FINE).read_bytes()[:-30]),
    "cut in the middle": lambda p: p.write_bytes(zipped(p, FINE).read_bytes()[20:]),
    "empty": lambda p: p.write_bytes(b""),
    "a web page": lambda p: p.write_text("<html>too many requests</html>"),
    "nothing in it": lambda p: zipped(p),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_archive_is_refused_and_writes_nothing(tmp_path, what):
    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    archive = folder / "corpus.zip"
    BAD[what](archive)
    before = archive.read_bytes()
    with pytest.raises(ArchiveError, match=r"corpus\.zip (was not unpacked|is damaged)"):
        unpack(archive, folder / "out", most_bytes=1_000_000, most_files=100)
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file()] == [archive]
    assert not (folder / "out").exists() and archive.read_bytes() == before


def test_a_good_archive_is_unpacked(tmp_path):
    loud = bytes(range(256)) * 2_000
    archive = zipped(tmp_path / "a.zip", ("Actor_01/", b""), FINE, ("__MACOSX/._a", b"x"), ("Actor_02/b.wav", loud))
    unpack(archive, tmp_path / "out", 1_000_000, 100, only=r"(?!__MACOSX/).*")
    found = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.*")}
    assert {name: path.read_bytes() for name, path in found.items()} == {FINE[0]: FINE[1], "Actor_02/b.wav": loud}


def test_what_is_not_wanted_is_not_judged(tmp_path):
    archive = zipped(tmp_path / "a.zip", FINE, ("../outside.wav", b"x"))
    unpack(archive, tmp_path / "out", 5, 1, only=r"Actor_\d\d/\w+\.wav")
    assert [path.name for path in tmp_path.rglob("*.wav")] == ["a.wav"]


def test_what_an_interrupted_call_left_is_done_anew(tmp_path):
    (tmp_path / "out.unpacking" / "Actor_01").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (tmp_path / "out.unpacking" / "Actor_01" / name).write_bytes(b"so")
    unpack(zipped(tmp_path / "a.zip", FINE), tmp_path / "out", 100, 10)
    assert [path.read_bytes() for path in tmp_path.rglob("*.wav")] == [FINE[1]]
    assert not (tmp_path / "out.unpacking").exists()


def test_a_full_disk_is_said_before(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 6, 4))
    with pytest.raises(SertutError, match=r"too little room in .* to unpack a\.zip"):
        unpack(zipped(tmp_path / "a.zip", FINE), tmp_path / "out", 100, 10)
    assert not (tmp_path / "out").exists()
