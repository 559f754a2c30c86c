"""The command line: what it accepts, what it prints, how it exits."""

import shutil
import subprocess
import sys

import pandas as pd
import pytest

from sertut import cli


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        cli.main(list(arguments))
    return exit_.value.code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("true", True),
        ("None", None),
        ("[1, 2]", [1, 2]),
        ("ravdess", "ravdess"),
        ("'3'", "3"),
    ],
)
def test_words_become_values(text, value):
    assert cli.literal(text) == value and type(cli.literal(text)) is type(value)


@pytest.mark.parametrize("command", ["", "run", "book", "doctor", "data", "data list", "data validate", "study run"])
def test_every_command_has_help(capsys, command):
    assert call(*command.split(), "--help") == 0
    assert "usage: sertut" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["", "bogus", "run -p corpus", "run -w 0", "data describe", "book 3"])
def test_wrong_usage_exits_with_2(capsys, command):
    assert call(*command.split()) == 2
    assert "sertut" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("data describe planteed", "unknown corpus 'planteed': did you mean 'planted'?"),
        ("data validate ravdess --root {}", "holds no .wav"),
        ("data validate ravdess --root {}/absent", "is not in"),
        ("run bogus", "unknown chapter 'bogus'"),
    ],
)
def test_an_error_is_one_line_and_exits_with_1(capsys, tmp_path, monkeypatch, command, says):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks" / "01-one.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert call(*command.format(tmp_path / "book").split()) == 1
    said = capsys.readouterr().err
    assert said.startswith("sertut: ") and says in said and said.count("\n") == 1


def test_parameters_reach_the_runner(monkeypatch, capsys):
    from sertut.course import execution as run

    seen = {}

    def fake(names, parameters, **options):
        seen.update(names=names, parameters=parameters, **options)
        return []

    monkeypatch.setattr(run, "run_chapters", fake)
    assert call("run", "4", "-p", "corpus", "ravdess", "-p", "epochs", "3", "-f", "-w", "1") == 0
    assert seen["names"] == ["4"]
    assert seen["parameters"] == {"corpus": "ravdess", "epochs": 3}
    assert seen["force"] is True and seen["workers"] == 1


def test_data_list(capsys):
    assert call("data", "list") == 0
    out = capsys.readouterr().out
    assert "planted: made by sertut" in out and "license: CC BY-NC-SA 4.0" in out


def test_validate_tells_what_is_wrong(capsys, recorded, tmp_path):
    names = sorted(recorded("emodb").rglob("*.flac"))[:30]
    (tmp_path / "wav").mkdir()
    for path in names:
        shutil.copy(path, tmp_path / "wav")
    (tmp_path / "wav" / names[0].name).write_bytes(b"")
    with pytest.warns(UserWarning, match="incomplete"):
        assert call("data", "validate", "emodb", "--root", str(tmp_path)) == 1
    out = capsys.readouterr().out
    assert names[0].stem in out and "is an empty file" in out


def test_describe(capsys, recorded):
    recorded("emodb")
    assert call("data", "describe", "emodb") == 0
    assert "license:" in capsys.readouterr().out


def test_study_commands_call_the_study(capsys, monkeypatch):
    import sertut.study

    class Report:
        question = "Which is better?"

        def table(self):
            return pd.DataFrame({"corpus": ["planted"], "method": ["mean"], "UAR": ["0.5"]})

    seen = []
    monkeypatch.setattr(sertut.study, "run_study", lambda name, **options: seen.append((name, options)))
    monkeypatch.setattr(sertut.study, "report_study", lambda name: Report())
    assert call("study", "list") == 0
    assert "regions-planted: Does attention" in capsys.readouterr().out
    assert call("study", "run", "one", "-w", "3", "--device", "cpu") == 0
    assert seen == [("one", {"workers": 3, "device": "cpu"})]
    assert call("study", "report", "one") == 0
    assert "Which is better?" in (out := capsys.readouterr().out) and "UAR" in out


def test_an_unknown_study_gets_a_suggestion(capsys):
    assert call("study", "run", "region-planted") == 1
    assert "did you mean 'regions-planted'" in capsys.readouterr().err


def test_python_m_sertut_from_another_folder(tmp_path):
    done = subprocess.run([sys.executable, "-m", "sertut", "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "usage: sertut" in done.stdout
