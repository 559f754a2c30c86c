"""What of a file counts as its code."""

from sertut.files import code_of

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
