"""Exercises of chapters 1 to 3: splits and the leak; frames, masks and normalization; the last state, WA and UAR."""

from pathlib import Path
from typing import Any

import torch

from sertut.corpora import Clip
from sertut.corpora.ravdess import EMOTIONS
from sertut.course.exercises import Wrong, ask, compare, exercise, pair, refuse
from sertut.signals import HOP, SAMPLE_RATE, WINDOW, length_mask, n_frames


def _said_by(speakers: str) -> list[Clip]:
    return [Clip(f"{name}-{i}", Path(f"{name}{i}.wav"), name, "anger", "one") for name in speakers for i in range(2)]


@exercise("1.1")
def shared_speakers(answer: Any) -> str:
    got = ask(answer, _said_by("abcf"), _said_by("cdf"), _said_by("adef"))
    if isinstance(got, (bool, int)):
        raise Wrong("return the speakers themselves, as a set: a bare yes or no does not help to find the leak.")
    names = set(got)
    if any(isinstance(name, Clip) for name in names):
        raise Wrong("you returned clips; return the names of their speakers, `clip.speaker`.")
    mistakes = {
        frozenset("f"): "you found only speakers who are in all three parts; two parts are enough for a leak.",
        frozenset("af"): "you compared train with test only; dev chooses the best epoch, so it must be clean too.",
        frozenset("acf"): "you compared train with dev and test, but not dev with test.",
        frozenset("abcdef"): "these are all speakers; return those who are in more than one part.",
        frozenset("be"): "these are the speakers who are in one part only, which is where they should be.",
        frozenset(): "you found no shared speaker, but there are some; compare names (`clip.speaker`), not clips.",
    }
    if names != set("acdf"):
        raise Wrong(mistakes.get(frozenset(names), f"expected {sorted('acdf')}, got {sorted(map(str, names))}."))
    if set(ask(answer, _said_by("ab"), _said_by("c"), _said_by("de"))):
        raise Wrong("your function finds shared speakers in a split that has none.")
    return "three pairs of parts, three chances for a leak."


@exercise("1.2")
def parse_name(answer: Any) -> str:
    codes = list(EMOTIONS)
    for code, actor in (("05", 12), ("08", 1), ("03", 24)):
        name = f"03-01-{code}-02-01-01-{actor:02d}.wav"
        emotion, number = pair(ask(answer, name), "the emotion and the actor")
        if emotion == code:
            raise Wrong(f"`{code}` is the emotion's code; look it up in `EMOTIONS` to get the word.")
        if emotion != EMOTIONS[code]:
            index = codes.index(code)
            mistakes = {
                EMOTIONS["02"]: "you read the fourth field, the intensity; the emotion is the third field.",
                EMOTIONS["01"]: "you read the second field, the channel; the emotion is the third field.",
                EMOTIONS[codes[(index + 1) % len(codes)]]: "you are off by one: the codes count from 01, not from 0.",
            }
            raise Wrong(mistakes.get(emotion, f"{name} is {EMOTIONS[code]}, you read {emotion!r}."))
        if isinstance(number, str):
            raise Wrong(f"the actor is the text {number!r}; cut off `.wav` and make it a number with `int`.")
        if number != actor:
            raise Wrong(f"{name} is spoken by actor {actor}, you read {number!r}; the actor is the last field.")
    return "the speaker is in the name, so a leak between speakers can be found without opening a file."


@exercise("1.3")
def majority_scores(answer: Any) -> str:
    for counts in ([60, 20, 10, 10], [5, 5], [96, 192, 192]):
        uar, wa = 1 / len(counts), max(counts) / sum(counts)
        got = pair(ask(answer, list(counts)), "UAR and WA")
        mistakes = [
            ((wa, uar), "UAR and WA are the other way round."),
            ((wa, wa), "that UAR is the WA: UAR takes the recall of each class first, here 1, 0, 0, ..., then the"
             " mean."),
            ((uar, uar), "that WA is the one of guessing at random; always saying the largest class is right more"
             " often."),
            ((uar, 1.0), "WA counts right clips among all clips, not among those of the largest class."),
        ]  # fmt: skip
        compare(got, (uar, wa), mistakes, f"For the counts {counts}:")
    return "WA rewards whoever knows which class is frequent; UAR does not, so this book quotes UAR first."


@exercise("2.1")
def frame_clock(answer: Any) -> str:
    for n, t in ((16_000, 10), (16_160, 0), (720, 1), (48_123, 250)):
        count, center = pair(ask(answer, n, t), "the number of frames and the time of frame t")
        mistakes = [
            (n // HOP, "that many hops fit, but the last frames would stick out: each needs 25 ms from its start."),
            (1 + n // HOP, "that is the count with padding at both ends; here only whole frames count."),
            ((n - WINDOW) // HOP, "one is missing: count the first frame too, then one more for every hop that fits."),
            (n // WINDOW, "you moved on by a whole window; a new frame starts every 10 ms, so frames overlap."),
            (n / HOP, "a number of frames is whole: use integer division."),
            (1 + (n - WINDOW) / HOP, "a number of frames is whole: round down with `//`."),
        ]
        compare(count, n_frames(n), mistakes, f"Number of frames in {n} samples:")
        begin, middle = HOP * t / SAMPLE_RATE, (WINDOW / 2 + HOP * t) / SAMPLE_RATE
        mistakes = [
            (begin, "that is where the frame begins; its center lies half a window, 12.5 ms, later."),
            (begin + WINDOW / SAMPLE_RATE, "that is where the frame ends; its center lies half a window earlier."),
            (begin + HOP / 2 / SAMPLE_RATE, "you added half a hop; the center is half a window (12.5 ms) after the"
             " start."),
            (middle * 1000, "that is in milliseconds; give seconds."),
            (middle * SAMPLE_RATE, "that is in samples; divide by the sample rate to get seconds."),
        ]  # fmt: skip
        compare(center, middle, mistakes, f"Center of frame {t}, seconds:")
    for n in (399, 100):
        count, _ = pair(ask(answer, n, 0), "the number of frames and the time of frame t")
        if count != 0:
            raise Wrong(f"a clip of {n} samples is shorter than one frame, so it has 0 frames; you count {count}.")
    return "every map in this book gets its seconds from these two lines."


@exercise("2.2")
def masked_mean(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 7, 2, generator=generator) + 3.0  # padding is not zero here: nobody promised that
    mask = length_mask(torch.tensor([7, 4, 2]))
    real = mask.unsqueeze(-1)
    total = (features * real).sum(dim=1)
    right = total / real.sum(dim=1)
    mistakes = [
        (features.mean(dim=1), "the padded frames are in your mean: multiply by the mask before you add up."),
        (total / 7, "you divide by T, the padded length, so that short clips come out too small; divide by the real"
         " frames of each clip, `mask.sum(dim=1)`."),
        (features.sum(dim=1) / real.sum(dim=1), "you divide by the right number, but padded frames are in the sum."),
        (total, "that is the sum; divide by the number of real frames of each clip."),
        (total / mask.sum(), "you divide by the real frames of the whole batch; each clip has a number of its own."),
        (features[mask].mean(dim=0).expand(3, 2), "you mixed the clips of the batch; each has a mean of its own."),
        ((features * real).mean(dim=(1, 2)), "you averaged over the features too; keep the last axis."),
    ]  # fmt: skip
    compare(ask(answer, features, mask), right, mistakes, "The mean over the real frames is different.")
    return "a clip's mean no longer depends on how long its neighbors in the batch are."


@exercise("2.3")
def statistics(answer: Any) -> str:
    generator = torch.Generator().manual_seed(1)
    scale = torch.tensor([1.0, 5.0, 0.2])
    train = torch.randn(4, 9, 3, generator=generator) * scale + 2.0
    test = torch.randn(2, 9, 3, generator=generator) * 3 * scale - 1.0
    train_mask, test_mask = length_mask(torch.tensor([9, 5, 3, 7])), length_mask(torch.tensor([6, 9]))
    train, test = train * train_mask.unsqueeze(-1), test * test_mask.unsqueeze(-1)
    mean, std = pair(ask(answer, train, train_mask, test, test_mask), "the mean and the standard deviation")
    ours, theirs = train[train_mask], test[test_mask]
    both = torch.cat([ours, theirs])
    everything = torch.cat([train.flatten(0, 1), test.flatten(0, 1)])
    per_clip = torch.stack([row[keep].mean(dim=0) for row, keep in zip(train, train_mask, strict=True)]).mean(dim=0)
    mistakes = [
        (both.mean(dim=0), "test frames are in your mean: what is fitted may come from train only."),
        (theirs.mean(dim=0), "you used the test part; fit on train, then apply to both."),
        (train.flatten(0, 1).mean(dim=0), "the zeros of the padding are in your mean: use `train[train_mask]`."),
        (everything.mean(dim=0), "padding and test frames are in your mean: use `train[train_mask]` and nothing else."),
        (per_clip, "you averaged the means of clips, so a short clip counts as much as a long one; take all frames at"
         " once."),
        (ours.mean(), "you averaged over the features too; each feature has a mean of its own."),
    ]  # fmt: skip
    compare(mean, ours.mean(dim=0), mistakes, "The mean is different.")
    mistakes = [
        (ours.var(dim=0), "that is the variance; take its square root."),
        (both.std(dim=0), "test frames are in your standard deviation: what is fitted may come from train only."),
        (train.flatten(0, 1).std(dim=0), "the zeros of the padding are in your standard deviation."),
        (ours.std(), "you took one standard deviation over all features; each feature has its own."),
    ]
    if not torch.allclose(torch.as_tensor(std).double(), ours.std(dim=0, correction=0).double(), atol=1e-4):
        compare(std, ours.std(dim=0), mistakes, "The standard deviation is different.")
    return "only real frames, only of train: the test speakers had no say in how they are measured."


@exercise("3.1")
def last_state(answer: Any) -> str:
    lengths = torch.tensor([4, 6, 2])
    states = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
    clips = torch.arange(3)
    mistakes = [
        (states[:, -1], "`states[:, -1]` is the last column: for short clips that is padding. Where does each clip"
         " end?"),
        (states[clips, lengths.clamp(max=5)], "you are one frame too far: a clip of n frames ends at index n - 1."),
        (states[clips, lengths - 2], "you are one frame too early: a clip of n frames ends at index n - 1."),
        (states[:, int(lengths.min()) - 1], "you took the same frame for all clips, the end of the shortest one."),
        (states[:, 0], "that is the first frame, where the network has heard almost nothing."),
        (states[:, lengths - 1], "the index broadcast over the batch: pair it with `torch.arange(len(states))`."),
        ((states * length_mask(lengths).unsqueeze(-1)).sum(dim=1) / lengths[:, None], "that is mean pooling."),
    ]  # fmt: skip
    right = states[clips, lengths - 1]
    compare(ask(answer, states, length_mask(lengths)), right, mistakes, "These are not the last real states.")
    return "taken at the wrong place, the state of a short clip would depend on how long its neighbors are."


@exercise("3.2")
def farthest(answer: Any) -> str:
    for sizes in ([50, 10, 20], [6, 6, 1, 40, 30], [3, 9]):
        n, C = torch.tensor(sizes).double(), len(sizes)
        counts = torch.as_tensor(ask(answer, torch.tensor(sizes))).double()
        if counts.shape != (C, C) or bool((counts < 0).any()):
            raise Wrong(f"return counts, no negative ones, of shape ({C}, {C}); yours are {counts.tolist()}.")
        if torch.equal(counts.sum(dim=0), n) and not torch.equal(counts.sum(dim=1), n):
            raise Wrong("it is transposed: row i holds the clips of class i.")
        compare(counts.sum(dim=1), n, (), "Row i must sum to n[i].")
        recalls, gain = counts.diagonal() / n, n / n.sum() - 1 / C  # of WA - UAR, if all of a class is recognized
        apart, best = float((recalls * gain).sum()), float(gain.clamp(min=0).sum())
        if apart < best - 1e-6:
            k = int(torch.where(gain > 0, 1 - recalls, recalls * (gain < 0)).argmax())
            refuse(
                ((recalls == recalls[0]).all(), "all recalls are equal. Then WA and UAR are the same."),
                (apart < 0, "your UAR is above your WA; let WA be larger."),
                (recalls[n.argmax()] == recalls.sum() == 1, "only the largest class is recognized. Other large classes,"
                 " too, add more to WA than to UAR."),
                (True, f"with n = {sizes} yours {'misses' if gain[k] > 0 else 'recognizes'} clips of class {k}. All of"
                 f" its clips add {float(n[k] / n.sum()):.2f} to WA and {1 / C:.2f} to UAR."),
            )  # fmt: skip
    return "so a high WA can hide that small classes are never recognized."
