"""What of a file counts as its code, and files that appear whole."""

import pytest

from sertut.errors import SertutError
from sertut.files import code_of, write

TEXT = '''"""A module."""

# why
X = 1
"""What X is,
in two lines."""


def f(a):
    """A function."""
    return a + X
'''


def test_code_is_what_does_something(tmp_path):
    library = tmp_path / "sertut"
    (library / "room").mkdir(parents=True)
    for name in ("room/one.py", "room/two.py", "single.py"):
        (library / name).write_text(TEXT)
    found = code_of("room", "single.py", library=library)
    assert set(found) == {"room/one.py", "room/two.py", "single.py"}
    assert set(found.values()) == {"X = 1\ndef f(a):\n    return a + X"}
    assert {"models/layers.py", "cli.py"} <= set(code_of("models", "cli.py"))


def test_a_file_is_written_as_it_is_told_in_folders_that_are_made_for_it(tmp_path):
    text, data = tmp_path / "new" / "text.txt", tmp_path / "data.bin"
    write(text, "ein Wörtchen\nzwei\r\n")
    write(data, b"\x00\r\n")
    assert text.read_bytes() == "ein Wörtchen\nzwei\r\n".encode() and data.read_bytes() == b"\x00\r\n"
    write(text, "")
    assert text.read_bytes() == b"" and sorted(path.name for path in tmp_path.rglob("*")) == [
        "data.bin",
        "new",
        "text.txt",
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder").write_text("not a folder")
    with pytest.raises(SertutError, match=r"text.txt: .*folder is a file, not a folder"):
        write(tmp_path / "folder" / "deep" / "text.txt", "")
