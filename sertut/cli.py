"""The command line: parses, calls, prints. Work is done elsewhere, and imported only when a command needs it."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sertut.errors import SertutError

WORKERS = click.option("-w", "--workers", type=click.IntRange(min=1), default=2, help="How many run at a time.")
FORCE = click.option("-f", "--force", is_flag=True, help="Run also what is up to date.")
CORPUS = click.argument("name", metavar="CORPUS")
ROOT = click.option("--root", help="Folder of a recorded corpus or of a table.")
PROTOCOL = click.argument("name", metavar="PROTOCOL")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def commands() -> None:
    """Where emotion lives: run the chapters, build the book, look after corpora."""


@commands.command()
@click.argument("chapter", nargs=-1)
@click.option(
    "-p",
    "--parameter",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Replace a parameter of the chapter, e.g. -p corpus ravdess; may be repeated.",
)
@click.option("--time-limit", type=float, default=1800.0, metavar="SECONDS", help="For one chapter.")
@WORKERS
@FORCE
def run(chapter: Sequence[str], parameter: Sequence[tuple[str, str]], **options) -> None:
    """Run chapters, by number or name.

    All of them if none is named; what is up to date is not run again.
    """
    from sertut.course.execution import run_chapters

    for done in run_chapters(chapter, {name: literal(value) for name, value in parameter}, **options):
        click.echo(f"{done.chapter.name}: {'up to date, ' if done.reused else ''}{done.notebook}")


@commands.command()
@WORKERS
@FORCE
def book(**options) -> None:
    """Run what is not up to date, build the book, say where it is."""
    from sertut.course.book import build_book

    click.echo(f"open {build_book(**options).resolve().as_uri()}")


@commands.command()
@click.option("--minutes", type=click.Choice(["10", "60", "all"]), default="10", help="What it may take.")
@WORKERS
def reproduce(minutes: str, workers: int) -> None:
    """Train once more what fits into the time, compare with the reference, write one page for a reviewer.

    A second call goes on where the first one stopped.
    """
    from sertut.course.reproduction import counted, reproduce

    page, findings = reproduce(None if minutes == "all" else float(minutes), workers)
    click.echo(", ".join(f"{number} {outcome}" for outcome, number in counted(findings).items()))
    click.echo(f"open {page.resolve().as_uri()}")


@commands.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--corpus", help="What the networks learned from; else a recorded one found here, or planted.")
@click.option("-o", "--page", default="explained.html", help="The page that is written.")
def explain(files: Sequence[str], page: str, corpus: str | None) -> None:
    """Say what each family hears in sound or video files, when, and how sure.

    The networks are trained when they are first needed, some minutes each, and kept.
    """
    from sertut.course import explaining

    click.echo(f"open {explaining.explain(files, page, corpus or '').resolve().as_uri()}")


@commands.command()
def doctor() -> int:
    """Say what is installed, found and missing; then a short self-test."""
    from sertut.course.doctor import examine

    healthy = True
    for fine, text in examine():
        click.echo(("  " if fine else "! ") + text)
        healthy = healthy and fine
    click.echo("everything that sertut needs is here." if healthy else "something is missing: see the lines with '!'.")
    return 0 if healthy else 1


@commands.group()
def data() -> None:
    """Corpora: which there are, what they hold, are they complete."""


@data.command("list")
def data_list() -> None:
    """All corpora: made here or recorded, found where, under which license."""
    from sertut.course.doctor import list_corpora

    click.echo(list_corpora())


@data.command("describe")
@CORPUS
@ROOT
def data_describe(name: str, root: str | None) -> None:
    """Size, speakers, emotions, license and citation of a corpus."""
    from sertut.corpora.own import load

    click.echo(load(name, root).describe())


@data.command("validate")
@CORPUS
@ROOT
def data_validate(name: str, root: str | None) -> int:
    """Read every file of a corpus, or of a table of your own.

    Exit code 1 if something is missing, unreadable or doubled.
    """
    from sertut.corpora.own import load, look_through, table_of

    if table := table_of(name, root):
        found = look_through(table)
        wrong, known = found.errors, [f"warning: {doubt}" for doubt in found.doubts]
        counts = f"{table.name}: {len(found.clips)} clips read, {len(wrong)} errors, {len(known)} warnings."
    else:
        corpus = load(name, root, trim=False)
        wrong, known = corpus.validate(), [f"left out: {problem}" for problem in corpus.dropped]
        counts = f"{corpus.name}: {len(corpus)} clips, {len(wrong)} problems."
    for line in (*wrong, *known, counts):
        click.echo(line)
    return 1 if wrong else 0


@data.command("fetch")
@CORPUS
@click.option("--accept-license", is_flag=True, help="Accept the license that is shown, without being asked.")
def data_fetch(name: str, accept_license: bool) -> int:
    """Download a corpus: its size and license first, then checked; or say how to ask for it.

    A download that breaks off goes on with the next call.
    """
    from sertut.course.fetching import ASK, fetch, terms

    click.echo(terms(name))
    if name in ASK:
        return 1
    if not accept_license and not (sys.stdin.isatty() and click.confirm("Do you accept this license?")):
        raise SertutError(
            f"nothing was fetched, since nobody accepted the license of {name}; answer y, or pass --accept-license."
        )
    for line in fetch(name):
        click.echo(line)
    return 0


@commands.group()
def study() -> None:
    """Reference results: the same training over many folds and seeds."""


@study.command("list")
def study_list() -> None:
    """All protocols, and the question that each answers."""
    from sertut.study import PROTOCOLS

    for name, protocol in PROTOCOLS.items():
        click.echo(f"{name}: {protocol.question}")


@study.command("run")
@PROTOCOL
@WORKERS
@click.option("--device", default="auto", help="auto, cpu, cuda or mps.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster that trains instead of this machine.")
def study_run(name: str, **options) -> None:
    """Run the trainings of a protocol that are not there yet.

    It may be stopped and started again. With a scheduler, its workers decide how many run at a time.
    """
    from sertut.study import run_study

    run_study(name, **options)


@study.command("report")
@PROTOCOL
def study_report(name: str) -> None:
    """Sum up the trainings of a protocol for the book."""
    from sertut.study import report_study

    report = report_study(name)
    click.echo(f"{report.question}\n{report.table().set_index(['corpus', 'method']).T.to_string()}")


@commands.group()
def course() -> None:
    """For teachers: chapters to hand out, and marks for what comes back."""


@course.command("pack")
@click.option("--students", metavar="FOLDER", help="Write chapters without solutions into a new folder.")
@click.option("--teachers", metavar="FOLDER", help="Write solutions, nbgrader sources, timing and syllabi into one.")
@click.option("--chapter", "chapters", multiple=True, help="This chapter alone, by number or name; may be repeated.")
def course_pack(students: str | None, teachers: str | None, chapters: Sequence[str]) -> None:
    """Write packs for students and teachers that run by themselves."""
    from sertut.course.packs import write_pack

    if not students and not teachers:
        raise click.UsageError("say --students FOLDER or --teachers FOLDER, or both.")
    for folder, whose in ((students, False), (teachers, True)):
        if folder:
            unseen = write_pack(Path(folder), chapters, teachers=whose)
            click.echo(f"written: {folder}")
            if unseen:
                click.echo(f"without slides, since they were not run here (sertut run): {', '.join(unseen)}")


@course.command("grade")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--time-limit", type=float, default=10.0, metavar="SECONDS", help="For one cell or call.")
@click.option("--trusted", is_flag=True, help="Mark also where this system cannot fence in what was handed in.")
@WORKERS
def course_grade(folder: Path, **options) -> None:
    """Mark a folder of notebooks that students have handed in.

    One notebook or one folder a student. Marks go into a new folder beside it: grades.csv and a page for each student.
    """
    from sertut.course.grading import grade_folder

    click.echo(grade_folder(folder, **options) / "grades.csv")


def literal(text: str) -> object:
    """The value that a word on the command line means: 3, 1e-3, true, none, [1, 2]; anything else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None, "null": None}.get(text.lower(), text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: a :class:`SertutError` becomes one line on stderr and exit code 1; wrong usage exits with 2."""
    try:
        code = commands(arguments, prog_name="sertut", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        code = wrong.exit_code
    except SertutError as error:
        click.echo(f"sertut: {error}", err=True)
        code = 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("sertut: stopped; what was finished is kept.", err=True)
        code = 130
    sys.exit(code or 0)
