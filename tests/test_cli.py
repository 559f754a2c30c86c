"""The command line: what it accepts, what it prints, how it exits."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import Mock

import pandas as pd
import pytest

import sertut.study
from sertut import cli
from sertut.course import execution


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        cli.main(list(arguments))
    return exit_.value.code


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-3", 1e-3), ("true", True), ("none", None), ("[1, 2]", [1, 2]), ("emodb", "emodb"), ("'3'", "3")],
)
def test_words_become_values(text, value):
    assert cli.literal(text) == value and type(cli.literal(text)) is type(value)


COMMANDS = "run, book, reproduce, explain, doctor, data list, data describe, data validate, data fetch"


def test_every_command_has_help(capsys):
    for command in ["", *f"{COMMANDS}, study list, study run, study report, course pack, course grade".split(", ")]:
        assert call(*command.split(), "--help") == 0
        assert f"Usage: sertut {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["", "bogus", "run -p corpus", "run -w 0", "explain", "data describe", "book 3", "study run"]
)
def test_wrong_usage_exits_with_2(capsys, command):
    assert call(*command.split()) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("data describe planteed", "unknown corpus 'planteed': did you mean 'planted'?"),
        ("data validate ravdess --root {}", "holds no .wav"),
        ("data validate ravdess --root {}/absent", "is not in"),
        ("explain {}/absent.wav", "does not exist; check the path"),
        ("run bogus", "unknown chapter 'bogus'"),
        ("study run region-planted", "did you mean 'regions-planted'"),
    ],
)
def test_an_error_is_one_line_and_exits_with_1(capsys, tmp_path, monkeypatch, command, says):
    for folder in ("notebooks", "book"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notebooks" / "01-one.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert call(*command.format(tmp_path / "book").split()) == 1
    said = capsys.readouterr().err
    assert said.startswith("sertut: ") and says in said and said.count("\n") == 1


def test_stopping_is_no_traceback(capsys, monkeypatch):
    monkeypatch.setattr(execution, "run_chapters", Mock(side_effect=KeyboardInterrupt))
    assert call("run") == 130
    assert "sertut: stopped; what was finished is kept.\n" in capsys.readouterr().err


def test_parameters_reach_the_runner(monkeypatch, capsys, tmp_path):
    done = SimpleNamespace(chapter=SimpleNamespace(name="04-x"), reused=True, notebook=tmp_path / "04-x.ipynb")
    monkeypatch.setattr(execution, "run_chapters", run := Mock(return_value=[done]))
    assert call("run", "4", "-p", "corpus", "ravdess", "-p", "epochs", "3", "-f", "-w", "1") == 0
    run.assert_called_once_with(("4",), {"corpus": "ravdess", "epochs": 3}, time_limit=1800.0, workers=1, force=True)
    assert capsys.readouterr().out == f"04-x: up to date, {tmp_path / '04-x.ipynb'}\n"


def test_what_is_there_and_what_is_wrong_with_it(capsys, recorded, tmp_path):
    assert call("data", "list") == 0
    assert "planted: made by sertut" in capsys.readouterr().out
    names = sorted(recorded("emodb").rglob("*.flac"))[:30]
    assert call("data", "describe", "emodb") == 0
    assert "license:" in capsys.readouterr().out
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / names[0].name).write_bytes(b"")
    for path in names[1:]:
        shutil.copy(path, tmp_path / "wav")
    with pytest.warns(UserWarning, match="incomplete"):
        assert call("data", "validate", "emodb", "--root", str(tmp_path)) == 1
    out = capsys.readouterr().out
    assert names[0].stem in out and "is an empty file" in out


def test_study_commands_call_the_study(capsys, monkeypatch):
    table = pd.DataFrame({"corpus": ["planted"], "method": ["mean"], "UAR": ["0.5"]})
    report = SimpleNamespace(question="Which is better?", table=lambda: table)
    monkeypatch.setattr(sertut.study, "run_study", run := Mock())
    monkeypatch.setattr(sertut.study, "report_study", lambda name: report)
    assert call("study", "list") == 0
    out = capsys.readouterr().out
    assert "regions-planted: Does attention" in out and "transfer-ravdess: Does a network" in out
    assert call("study", "run", "one", "-w", "3", "--device", "cpu") == 0
    run.assert_called_once_with("one", workers=3, device="cpu", scheduler=None)
    assert call("study", "run", "one", "--scheduler", "tcp://192.0.2.1:8786") == 0
    assert run.call_args.kwargs["scheduler"] == "tcp://192.0.2.1:8786"
    assert call("study", "report", "one") == 0
    assert "Which is better?" in (out := capsys.readouterr().out) and "UAR" in out


def test_help_from_another_folder_costs_nothing(tmp_path):
    """Half a second of CPU, since no room is imported for it."""
    before = os.times()
    done = subprocess.run([sys.executable, "-m", "sertut", "--help"], cwd=tmp_path, capture_output=True, text=True)
    after = os.times()
    assert done.returncode == 0 and "Usage: sertut" in done.stdout
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5
