"""One reading of ``SERTUT_STATIC`` for bars and widgets alike."""

import pytest

from sertut.progress import progress_bar, static


@pytest.mark.parametrize(("value", "still"), [("", 0), ("0", 0), ("false", 0), ("No", 0), ("1", 1), ("true", 1)])
def test_static_means_what_it_says(monkeypatch, value, still):
    monkeypatch.setenv("SERTUT_STATIC", value)
    assert static() is bool(still)
    assert progress_bar([]).disable is bool(still)


def test_unset_is_off(monkeypatch):
    monkeypatch.delenv("SERTUT_STATIC", raising=False)
    assert not static()
