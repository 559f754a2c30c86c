"""Hear one clip of a corpus, before any network has an opinion of it."""

from __future__ import annotations

import torch

from sertut.corpora import Clip
from sertut.evidence import Example
from sertut.show.player import Player, player
from sertut.show.words import decoys, spans, true_regions
from sertut.signals import SAMPLE_RATE, level_db, log_mel, read_audio


def listen(clip: Clip, *, title: str | None = None) -> Player:
    """Play a clip while a cursor runs over its waveform and, where it is known, its emotional region.

    Args:
        title: by default speaker, emotion and sentence.
    """
    example = unheard(clip)
    seconds = len(example.samples) / SAMPLE_RATE
    text = f"{seconds:.1f} s of {clip.speaker}, {clip.emotion}: {clip.sentence}"
    for what, regions in (("the emotional region", true_regions(example)), ("the decoy", decoys(example))):
        text += f"; {what} is {spans(regions)}" if regions else ""
    return player(example, title=title or f"{clip.speaker}, {clip.emotion}: {clip.sentence}", alt=text)


def unheard(clip: Clip) -> Example:
    """The clip as an example without a map and without a decision."""
    samples = read_audio(clip.audio)
    return Example(
        clip=clip,
        emotions=(clip.emotion,),
        samples=samples,
        level=level_db(samples),
        spectrogram=log_mel(samples),
        map=None,
        probabilities=torch.ones(1),
        predicted=clip.emotion,
    )
