"""The doctor finds what is missing, and says how to get it."""

import pytest

from sertut.course import doctor
from sertut.errors import SertutError


def test_this_installation_is_healthy():
    findings = list(doctor.examine())
    assert all(finding.fine for finding in findings), [str(finding) for finding in findings if not finding.fine]
    text = "\n".join(map(str, findings))
    for word in ("python 3.1", "torch 2.", "device cpu", "planted", "ravdess", "self-test passed"):
        assert word in text


def test_a_missing_package_is_named(monkeypatch):
    declared = ["torch>=2", "no-such-package>=1", "no-such-book>=1; extra == 'book'", "no-such-tool; extra == 'dev'"]
    monkeypatch.setattr(doctor, "requires", lambda name: declared)
    missing = [str(finding) for finding in doctor._packages() if "not installed" in finding.text]
    assert missing[0] == "! no-such-package is not installed: pip install no-such-package"
    assert missing[1].startswith("  no-such-book is not installed; only the book needs it")
    assert len(missing) == 2


def test_a_failing_self_test_is_a_finding():
    def broken() -> None:
        raise SertutError("it is broken")

    finding = doctor._tried("a thing works", broken)
    assert str(finding) == "! self-test failed: a thing works: SertutError: it is broken"


def test_corpora_are_listed_with_the_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    (tmp_path / "emodb").mkdir()
    (tmp_path / "ravdess_video").mkdir()
    lines = doctor.list_corpora().splitlines()
    assert f"emodb: found in {tmp_path / 'emodb'}" in lines
    assert "spliced-emodb: made by sertut from emodb" in lines
    assert any(line.startswith(f"ravdess: not in {tmp_path / 'ravdess'}: download") for line in lines)
    assert f"ravdess-video: found in {tmp_path / 'ravdess_video'}" in lines
    assert any(line.startswith("iemocap: not in") and "Data_Release_Form_IEMOCAP.pdf" in line for line in lines)
    assert any(line.startswith("afew: not in") and "signed agreement" in line for line in lines)
    assert not any(line.startswith("spliced-afew") for line in lines)  # who speaks in it is not known
    assert lines.count("    license: CC BY-NC-SA 4.0") == 3


@pytest.mark.parametrize("name", ["planted", "planted-loud", "spliced-ravdess"])
def test_made_corpora_are_listed(name):
    assert f"\n{name}: made by sertut" in "\n" + doctor.list_corpora()
