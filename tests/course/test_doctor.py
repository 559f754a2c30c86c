"""The doctor finds what is missing, and says how to get it."""

from sertut.course import doctor, results
from sertut.errors import SertutError


def test_this_installation_is_healthy():
    findings = list(doctor.examine())
    assert all(fine for fine, _ in findings), [text for fine, text in findings if not fine]
    text = "\n".join(text for _, text in findings)
    for word in ("python 3.1", "torch 2.", "jupyter-book 1.", "device cpu", "planted", "ravdess", "self-test passed"):
        assert word in text


def test_what_is_missing_is_named(monkeypatch):
    declared = ["torch>=2", "no-such-package>=1", "no-such-book>=1; extra == 'book'", "no-such-tool; extra == 'dev'"]
    monkeypatch.setattr(results, "requires", lambda name: declared)

    def broken() -> None:
        raise SertutError("it is broken")

    monkeypatch.setattr(doctor, "_learn", broken)
    missing = [(fine, text) for fine, text in doctor.examine() if "no-such" in text or not fine]
    assert missing == [
        (False, "no-such-package is not installed: pip install no-such-package"),
        (True, "no-such-book is missing; only the book needs it: pip install sertut[book]"),
        (False, "self-test failed: a network with attention learns two tones: SertutError: it is broken"),
    ]


def test_corpora_are_listed_with_the_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SERTUT_DATA", str(tmp_path))
    (tmp_path / "emodb").mkdir()
    (tmp_path / "ravdess_video").mkdir()
    lines = doctor.list_corpora().splitlines()
    assert f"emodb: found in {tmp_path / 'emodb'}" in lines
    assert "spliced-emodb: made by sertut from emodb" in lines
    assert "spliced-ravdess: made by sertut from ravdess, which is missing" in lines
    assert {f"{name}: made by sertut on first use" for name in ("planted", "planted-loud")} <= set(lines)
    how = "`sertut data fetch ravdess`, or download"
    assert any(line.startswith(f"ravdess: not in {tmp_path / 'ravdess'}: {how}") for line in lines)
    assert f"ravdess-video: found in {tmp_path / 'ravdess_video'}" in lines
    assert any(line.startswith("iemocap: not in") and "Data_Release_Form_IEMOCAP.pdf" in line for line in lines)
    assert any(line.startswith("afew: not in") and "signed agreement" in line for line in lines)
    assert not any(line.startswith("spliced-afew") for line in lines)  # who speaks in it is not known
    assert lines.count("    license: CC BY-NC-SA 4.0") == 3
