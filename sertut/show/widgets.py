"""Choosing clips with the mouse where a kernel runs; the same picture without it where none does."""

from __future__ import annotations

import ipywidgets

from sertut.evidence import Report
from sertut.progress import static
from sertut.show.picture import Picture
from sertut.show.weights import attention


def explore(report: Report) -> ipywidgets.Widget | Picture:
    """Look at the attention of any clip: choose one in the list, which is in the order of the emotions.

    Where ``SERTUT_STATIC`` is set (the book is made that way: a page has no kernel), the picture of the typical clip of
    the first emotion instead.
    """
    if static():
        return attention(report.typical(1)[0])
    clips = sorted(enumerate(report.predictions.clips), key=lambda pair: report.emotions.index(pair[1].emotion))
    choices = [(f"{clip.emotion}, {clip.speaker}, {clip.name}", i) for i, clip in clips]
    chooser = ipywidgets.interactive(lambda clip: attention(report[clip]), clip=choices)
    chooser.auto_display = True
    return chooser
