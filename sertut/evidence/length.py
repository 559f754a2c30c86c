"""Speech of any length: what a network decides when it hears less of a clip, hears it in pieces, or hears more.

Each function hears every clip of a corpus in one way at each of several lengths (seconds, or numbers of clips joined)
and counts the decisions: ``at_lengths(run, corpus, (0.5, 1.0)).at(0.5).uar`` is the UAR on half a second.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from sertut.corpora import Corpus
from sertut.errors import SertutError
from sertut.evidence.intervals import confusions_by_speaker
from sertut.evidence.sums import AT, Tally
from sertut.signals import HOP_SECONDS, WINDOW_SECONDS
from sertut.training.data import Examples
from sertut.training.runs import Run


def at_lengths(run: Run, corpus: Corpus, seconds: Sequence[float]) -> Tally:
    """Hear only the middle `s` seconds of each clip; a clip that is shorter is heard whole."""
    rows = run.examples(corpus).rows

    def middle(i: int, s: float) -> list[torch.Tensor]:
        start = max(0, (len(rows[i]) - frames(s)) // 2)
        return [rows[i][start : start + frames(s)]]

    return _count(run, corpus, seconds, middle)


def in_segments(run: Run, corpus: Corpus, seconds: Sequence[float]) -> Tally:
    """Cut each clip into segments of `s` seconds, decide on each, and average the probabilities.

    The last segment ends where the clip ends, and overlaps the one before it. This is how networks that need one
    length hear long speech.
    """
    rows = run.examples(corpus).rows

    def segments(i: int, s: float) -> list[torch.Tensor]:
        row, n = rows[i], frames(s)
        return [row[start : start + n] for start in (*range(0, len(row) - n, n), max(0, len(row) - n))]

    return _count(run, corpus, seconds, segments)


def joined(run: Run, corpus: Corpus, counts: Sequence[int]) -> Tally:
    """Hear `n` clips of one speaker and one emotion as one recording.

    Clip i of each speaker and emotion is joined with the n - 1 that follow it, the last with the first ones, so that
    there are as many recordings as clips. Raises SertutError where a speaker has too few clips of an emotion.
    """
    rows = run.examples(corpus).rows
    groups: dict[tuple[str, str], list[int]] = {}
    for i, clip in enumerate(corpus):
        groups.setdefault((clip.speaker, clip.emotion), []).append(i)
    smallest = min(len(members) for members in groups.values())
    if max(counts) > smallest:
        raise SertutError(f"some speaker has only {smallest} clips of an emotion; join at most as many.")
    followers = {i: members[place:] + members[:place] for members in groups.values() for place, i in enumerate(members)}
    return _count(run, corpus, counts, lambda i, n: [torch.cat([rows[k] for k in followers[i][: int(n)]])])


def frames(seconds: float) -> int:
    """Feature frames that lie whole within `seconds`."""
    return max(1, 1 + int((seconds - WINDOW_SECONDS) / HOP_SECONDS + 1e-6))


@torch.no_grad()
def decide(run: Run, rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """Probabilities (N, C) of N normalized feature tables (T_i, F)."""
    result = torch.empty(len(rows), len(run.emotions))
    for indices, batch in Examples(rows, torch.zeros(len(rows), dtype=torch.long)).in_order(64):
        result[indices] = run.model(batch.to(run.device)).logits.float().softmax(dim=1).cpu()
    return result


def _count(
    run: Run, corpus: Corpus, lengths: Sequence[float], pieces: Callable[[int, float], list[torch.Tensor]]
) -> Tally:
    """Decide on each clip by what `pieces` makes of its index and a length, and count."""
    labels, who = [corpus.label(clip) for clip in corpus], [clip.speaker for clip in corpus]
    tables: dict[str, np.ndarray] = {}
    for length in lengths:
        cut = [pieces(i, length) for i in range(len(corpus))]
        probabilities = decide(run, [piece for clip in cut for piece in clip])
        by_clip = torch.stack([p.mean(dim=0) for p in probabilities.split([len(clip) for clip in cut])])
        table, _ = confusions_by_speaker(labels, by_clip.argmax(dim=1), who, len(run.emotions))
        tables[f"uar{AT}{length:g}"] = table[None]
    return Tally(corpus.speakers, {"model": tables}, {"uar": "uar"})
