"""The command line: parses, calls, prints. Work is done elsewhere, and imported only when a command needs it."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence

from sertut.errors import SertutError


def run(arguments: argparse.Namespace) -> int:
    """Run chapters; what is up to date is not run again."""
    from sertut.course.execution import run_chapters

    parameters = {name: literal(value) for name, value in arguments.parameter}
    for done in run_chapters(
        arguments.chapter,
        parameters,
        workers=arguments.workers,
        force=arguments.force,
        time_limit=arguments.time_limit,
    ):
        print(f"{done.chapter.name}: {'up to date, ' if done.reused else ''}{done.notebook}")
    return 0


def book(arguments: argparse.Namespace) -> int:
    """Run what is not up to date, build the HTML book, say where it is."""
    from sertut.course.book import build_book

    print(f"open {build_book(workers=arguments.workers, force=arguments.force).resolve().as_uri()}")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Say what is installed, which device and corpora were found, and what is missing; then a short self-test."""
    from sertut.course.doctor import examine

    healthy = True
    for finding in examine():
        print(finding, flush=True)
        healthy = healthy and finding.fine
    print("everything that sertut needs is here." if healthy else "something is missing: see the lines marked '!'.")
    return 0 if healthy else 1


def data_list(arguments: argparse.Namespace) -> int:
    """All corpora: made here or recorded, found where, under which license."""
    from sertut.course.doctor import list_corpora

    print(list_corpora())
    return 0


def data_describe(arguments: argparse.Namespace) -> int:
    """Size, speakers, emotions, license and citation of one corpus."""
    from sertut.corpora import load

    print(load(arguments.name, arguments.root).describe())
    return 0


def data_validate(arguments: argparse.Namespace) -> int:
    """Read every file of a corpus; exit code 1 if something is missing, unreadable or doubled."""
    from sertut.corpora import load

    corpus = load(arguments.name, arguments.root, trim=False)
    problems = corpus.validate()
    for problem in problems:
        print(problem)
    for known in corpus.dropped:
        print(f"left out: {known}")
    print(f"{corpus.name}: {len(corpus)} clips, {len(problems)} problems.")
    return 1 if problems else 0


def study_list(arguments: argparse.Namespace) -> int:
    """All protocols, and the question that each answers."""
    from sertut.study import PROTOCOLS

    for name, protocol in PROTOCOLS.items():
        print(f"{name}: {protocol.question}")
    return 0


def study_run(arguments: argparse.Namespace) -> int:
    """Run the trainings of a protocol that are not there yet; it may be stopped and started again."""
    from sertut.study import run_study

    run_study(arguments.name, workers=arguments.workers, device=arguments.device)
    return 0


def study_report(arguments: argparse.Namespace) -> int:
    """Sum up the trainings of a protocol and write the reference results into the book."""
    from sertut.study import report_study

    report = report_study(arguments.name)
    print(f"{report.question}\n{report.table().set_index(['corpus', 'method']).T.to_string()}")
    return 0


def literal(text: str) -> object:
    """The value that a word on the command line means: 3, 1e-3, true, none, [1, 2]; anything else is text."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def parser() -> argparse.ArgumentParser:
    """All commands with their help."""
    top = argparse.ArgumentParser(
        prog="sertut", description="Where emotion lives: run the chapters, build the book, look after corpora."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = _add(commands, "run", run)
    command.add_argument("chapter", nargs="*", help="number or name; all chapters if none is given")
    command.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="replace a parameter of the chapter, e.g. -p corpus ravdess; may be repeated",
    )
    command.add_argument("--time-limit", type=float, default=1800.0, metavar="SECONDS", help="for one chapter")
    _add_running(command)

    _add_running(_add(commands, "book", book))
    _add(commands, "doctor", doctor)

    corpora = _group(commands, "data", "corpora: which there are, what they hold, whether they are complete")
    _add(corpora, "list", data_list)
    for name, function in (("describe", data_describe), ("validate", data_validate)):
        command = _add(corpora, name, function)
        command.add_argument("name", metavar="CORPUS", help="a name that `sertut data list` shows")
        command.add_argument("--root", help="folder of a recorded corpus")

    studies = _group(commands, "study", "reference results: the same training over many folds and seeds")
    _add(studies, "list", study_list)
    for name, function in (("run", study_run), ("report", study_report)):
        command = _add(studies, name, function)
        command.add_argument("name", metavar="PROTOCOL", help="a name that `sertut study list` shows")
        if name == "run":
            command.add_argument("-w", "--workers", type=_positive, default=2, help="trainings at a time (default 2)")
            command.add_argument("--device", default="auto", help="auto (default), cpu, cuda or mps")
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: a :class:`SertutError` becomes one line on stderr and exit code 1; wrong usage exits with 2."""
    parsed = parser().parse_args(arguments)
    try:
        code = parsed.function(parsed)
    except SertutError as error:
        print(f"sertut: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("sertut: stopped; what was finished is kept.", file=sys.stderr)
        code = 130
    raise SystemExit(code)


def _add(commands, name: str, function) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=_first_line(function), description=_first_line(function))
    command.set_defaults(function=function)
    return command


def _group(commands, name: str, text: str):
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(required=True, metavar="COMMAND")


def _add_running(command: argparse.ArgumentParser) -> None:
    command.add_argument("-w", "--workers", type=_positive, default=2, help="chapters at a time (default 2)")
    command.add_argument("-f", "--force", action="store_true", help="run also what is up to date")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of 1 or more")
    return int(text)


def _first_line(function) -> str:
    text = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return text[0].lower() + text[1:]
