"""How the library is built: which room imports which, what things are called, how much there is to read."""

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
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
FOR_EVERYONE = {"errors", "files", "progress", "tensors"}
ENTRANCES = {"__init__", "__main__"}
STUDENT = {"signals", "attention", "models", "training"}
STUDENT_LINES, ALL_LINES = 3_099, 21_755
"""What a student reads, and the whole of it: all lines, docstrings and blanks included. Where the house stands: it may
only shrink from here, toward 2,500 and 13,000, so lower these numbers with every piece that goes."""

SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(LIBRARY.rglob("*.py"))}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path) for path in SOURCES}


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and module of each import from sertut, wherever it stands: inside functions too, but not for type checkers.

    ``from sertut.show import maps`` is the module ``sertut.show.maps``, ``from sertut.show.maps import x`` too.
    """
    found = []
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped |= {id(inner) for inner in ast.walk(node)}
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} imports relatively; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in NAMES else str(node.module) for name in names]
        found += [(node.lineno, name) for name in names if name.split(".")[0] == "sertut" and id(node) not in skipped]
    return found


FILES = [path for path in SOURCES if room_of(path) not in ENTRANCES]


def test_every_file_is_in_a_room():
    assert {room_of(path) for path in FILES} <= {*ROOMS, *FOR_EVERYONE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_look_up(path):
    """A room imports only from rooms before it."""
    own = room_of(path)
    allowed = FOR_EVERYONE | ({own} if own in FOR_EVERYONE else set(ROOMS[: ROOMS.index(own) + 1]))
    rooms = [(line, f"{name}.".split(".")[1]) for line, name in imports(SOURCES[path])]
    wrong = [f"line {line}: {room or 'sertut itself'}" for line, room in rooms if room not in allowed]
    assert not wrong, f"{own} may not import from there: {wrong}"


def test_an_import_inside_a_function_is_seen():
    text = "def f():\n    from sertut.show import anything\n    from sertut import study\n    import sertut\n"
    seen = [(2, "sertut.show"), (3, "sertut.study"), (4, "sertut")]
    assert imports(ast.parse(text)) == seen
    assert not imports(ast.parse("if TYPE_CHECKING:\n    from sertut import cli\n"))


def test_no_modules_import_each_other():
    """Not even through the entrance of a room, or by an import inside a function."""
    graph = {name_of(path): {module for _, module in imports(tree)} for path, tree in SOURCES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_no_import_inside_a_function_from_its_own_room():
    functions = [
        (path, node) for path in FILES for node in ast.walk(SOURCES[path]) if isinstance(node, ast.FunctionDef)
    ]
    found = [(path, line, name) for path, node in functions for line, name in imports(node)]
    own = [(path, line, name) for path, line, name in found if f"{name}.".split(".")[1] == room_of(path)]
    assert not [f"{path.relative_to(LIBRARY)}, line {line}: {name}" for path, line, name in own]


def test_no_thing_bears_the_name_of_its_module():
    """Else ``import sertut.training.fit`` would yield a function."""
    things = (ast.FunctionDef, ast.ClassDef)
    found = [(path.stem, node.name) for path, tree in SOURCES.items() for node in tree.body if isinstance(node, things)]
    assert not [f"{module}.{name}" for module, name in found if module == name]


def test_a_file_name_means_one_thing():
    names = Counter(path.stem for path in SOURCES if path.stem not in ENTRANCES)
    assert not [name for name, times in names.items() if times > 1]


def test_it_can_be_read_in_one_evening(capsys):
    lines = Counter()
    for path in SOURCES:
        lines[room_of(path)] += len(path.read_text(encoding="utf-8").splitlines())
    student = sum(lines[room] for room in STUDENT)
    with capsys.disabled():
        sizes = ", ".join(f"{room} {lines[room]}" for room in ROOMS)
        print(f"\nlines: {sizes}; a student reads {student}, all {lines.total()}")
    assert student <= STUDENT_LINES
    assert lines.total() <= ALL_LINES
