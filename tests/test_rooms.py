"""A room of the library imports only from rooms above it, inside functions too."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "sertut"
ROOMS = (
    "video",
    "signals",
    "corpora",
    "planted",
    "attention",
    "models",
    "training",
    "evidence",
    "show",
    "study",
    "course",
    "cli",
)
FOR_EVERYONE = {"errors", "files", "progress"}
ENTRANCES = {"__init__", "__main__"}


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """Line and room of each import from sertut, wherever in the file it stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the whole name"
            module = node.module or ""
            names = [f"sertut.{alias.name}" for alias in node.names] if module == "sertut" else [module]
        for name in names:
            if name.split(".")[0] == "sertut":
                found.append((node.lineno, name.split(".")[1] if "." in name else "sertut itself"))
    return found


FILES = [path for path in sorted(LIBRARY.rglob("*.py")) if room_of(path) not in ENTRANCES]


def test_every_file_is_in_a_room():
    assert {room_of(path) for path in FILES} <= {*ROOMS, *FOR_EVERYONE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_look_up(path):
    own = room_of(path)
    allowed = FOR_EVERYONE | ({own} if own in FOR_EVERYONE else set(ROOMS[: ROOMS.index(own) + 1]))
    wrong = [f"line {line}: {room}" for line, room in imports(path) if room not in allowed]
    assert not wrong, f"{own} may not import from there: {wrong}"


def test_an_import_inside_a_function_is_seen(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("def f():\n    from sertut.show import attention\n    from sertut import study\n")
    assert imports(path) == [(2, "show"), (3, "study")]
