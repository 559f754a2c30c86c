"""Who says what how often: a corpus at a glance."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from sertut.corpora import Corpus
from sertut.show.picture import Picture, canvas
from sertut.show.style import HEAT, look


def corpus(corpus: Corpus, *, ax: Axes | None = None, title: str | None = None) -> Picture:
    """Number of clips of each emotion (rows) and speaker (columns); the margins' totals stand beside the names."""
    speakers, emotions = corpus.speakers, corpus.emotions
    counts = np.zeros((len(emotions), len(speakers)), dtype=int)
    for clip in corpus:
        counts[corpus.label(clip), speakers.index(clip.speaker)] += 1
    with look():
        figure, axes = canvas(height=1.9 + 0.36 * len(emotions), ax=ax)
        axis = axes[0, 0]
        sns.heatmap(
            counts,
            vmin=0,
            cmap=HEAT,
            linewidths=0.5,
            annot=len(speakers) <= 14,
            fmt="d",
            xticklabels=_short(speakers),
            yticklabels=[f"{emotion} ({n})" for emotion, n in zip(emotions, counts.sum(axis=1), strict=True)],
            cbar_kws={"label": "clips", "pad": 0.02},
            ax=axis,
        )
        axis.tick_params(length=0)
        axis.set_xticks(axis.get_xticks(), _short(speakers), rotation=90 if len(speakers) > 14 else 0, fontsize=10.5)
        axis.set(
            xlabel=f"{len(speakers)} speakers", title=f"{corpus.name}: {len(corpus)} clips" if title is None else title
        )
    cells = f"{counts.min()} to {counts.max()}" if counts.min() < counts.max() else f"{counts.max()}"
    by_emotion = ", ".join(f"{emotion} {n}" for emotion, n in zip(emotions, counts.sum(axis=1), strict=True))
    alt = (
        f"{corpus.name}: {len(corpus)} clips of {len(speakers)} speakers and {len(emotions)} emotions ({by_emotion});"
        f" {cells} clips for each pair of speaker and emotion."
    )
    return Picture(figure, alt)


def _short(speakers: tuple[str, ...]) -> list[str]:
    """Without the word that all names begin with: ``actor 03`` becomes ``03``."""
    words = {speaker.partition(" ")[0] for speaker in speakers if " " in speaker}
    same = len(words) == 1 and all(" " in speaker for speaker in speakers)
    return [speaker.partition(" ")[2] for speaker in speakers] if same else list(speakers)
