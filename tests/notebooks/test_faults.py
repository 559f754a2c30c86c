"""The cells of "Find the fault": each has the fault that its solution tells, and the repaired line removes it."""

import contextlib
import difflib
import io
import re

import pytest
import torch

from sertut.course.catalog import find, source


def is_gaussian(names):
    """Whether the window is a factor of the weights, on the real keys of both clips."""
    left = names["A"].log() - names["scores"] - names["window"].log()
    spread = [left[b, :, names["mask"][b]].std(dim=1).max() for b in range(2)]
    return bool(max(spread) < 1e-4)


RIGHT = {
    "06": lambda names: bool((names["log_p"].exp().sum() - 1).abs() < 1e-6),  # the moments' shares are mixed
    "10": lambda names: bool(names["A"][0, :, :4, 4:].abs().max() < 1e-6),  # no weight on padding
    "11": is_gaussian,
    "12": lambda names: bool(names["summary"].min() > 0.5),  # random heads of size 1 have not cancelled out
    "13": lambda names: torch.allclose(names["alpha"].sum(dim=2), names["face_mask"].float()),
    "14": lambda names: torch.equal(names["backward"][0, :4], names["voices"][0, :4].flip(0)),  # within its length
    "15": lambda names: torch.allclose(names["weights"].sum(dim=2), torch.ones(2, 3)),
}


@pytest.mark.parametrize("number", RIGHT)
def test_the_fault_is_there_and_the_repair_removes_it(number):
    cells = {cell["id"]: source(cell) for cell in find(number).cells()}
    wrong, solution = cells[f"ch{number}-fault"], cells[f"ch{number}-fault-solution"]
    (repair,) = re.findall(r"^Repaired: `([^`]+)`", solution, re.M)
    (line,) = difflib.get_close_matches(repair, wrong.splitlines(), 1, 0.3)
    for code, expected in ((wrong, False), (wrong.replace(line, repair), True)):
        names = {"torch": torch}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)
        assert RIGHT[number](names) is expected, code
