"""Exercises of chapters 16 to 18: tests of attention; channels, masks and paired differences; how sure, how right."""

from typing import Any

import torch

from sertut.course.exercises import Wrong, ask, compare, exercise, kind_of, pair, refuse, tensors
from sertut.signals import length_mask
from sertut.training.metrics import uar, wa


@exercise("16.1")
def area(answer: Any) -> str:
    shares = torch.tensor([0.0, 0.05, 0.1, 0.3, 1.0], dtype=torch.float64)
    p = torch.tensor([0.9, 0.7, 0.3, 0.25, 0.1], dtype=torch.float64)
    steps, middles = shares.diff(), (p[1:] + p[:-1]) / 2
    right = (steps * middles).sum()
    mistakes = [
        (p.mean(), "that is the mean of the points. They do not lie equally far apart: half of them lie below a share"
         " of .1, and count too much."),
        (middles.mean(), "that is the mean of the pieces; weigh each by how wide it is."),
        ((steps * p[:-1]).sum(), "you took the left end of each piece; the curve falls to the right one."),
        ((steps * p[1:]).sum(), "you took the right end of each piece; take the mean of its two ends."),
        (1 - right, "that is what lies above the curve."),
        (p[0] - right, "that is the fall, averaged over all shares. The area itself is asked for."),
    ]  # fmt: skip
    compare(ask(answer, shares, p), right, mistakes, "The area is another.")
    return "of a deletion curve a small area is good, of an insertion curve a large one."


@exercise("16.2")
def right_pairs(answer: Any) -> str:
    truth = torch.tensor([1.0, 0.9, 0.85, 0.5, 0.45])
    test = torch.tensor([0.3, 0.7, 0.3, 0.3, 0.4])

    def share(clear: float, tie: float, sign: float = 1.0) -> float:
        found = []
        for i in range(5):
            for j in range(i):
                truly, says = float(truth[i] - truth[j]), sign * float(test[i] - test[j])
                if abs(truly) >= clear:
                    found.append(tie if says == 0 else float(truly * says > 0))
        return sum(found) / len(found)

    mistakes = [
        (share(0.09, 0.0), "there equal scores count as wrong. A test that cannot choose is neither right nor wrong:"
         " .5."),
        (share(0.09, 1.0), "there equal scores count as right, so that a test which says the same of all maps would be"
         " perfect."),
        (share(0.0, 0.5), "pairs that the truth does not tell apart are in it; leave out those nearer than `clear`."),
        (share(0.09, 0.5, -1.0), "the other way round: right is a test that prefers the map of which the truth is"
         " larger."),
    ]  # fmt: skip
    compare(ask(answer, truth, test, 0.09), share(0.09, 0.5), mistakes, "The share is another.")
    return "chance is one half, whatever the maps are, because the truth plays no part in a coin."


@exercise("16.3")
def contradiction(answer: Any) -> str:
    wanted = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    ways = torch.cat([torch.ones(1), (torch.arange(500) + 0.5) / 500]).double()  # x itself, then the way from 0 to x
    for x in torch.tensor([[1.0, 1.0], [2.0, -0.5]], dtype=torch.float64):
        step = 1e-3 * torch.diag(x)
        up, down = ((ways[:, None, None] * x + way * step).flatten(0, 1) for way in (1, -1))  # (1002, 2)
        y = ask(answer, torch.cat([up, down, x[None], 0 * x[None]]), x)
        if not isinstance(y, torch.Tensor) or y.shape != (2006,):
            raise Wrong(f"return one value for each of the N points, shape (N,): here (2006,), not {kind_of(y)}.")
        slopes = (y[:1002] - y[1002:2004]).double().view(501, 2) / (2 * step.diagonal())
        found, rise = x * torch.stack([slopes[0], slopes[1:].mean(dim=0)]), float(y[2004] - y[2005])
        (a, b), (c, d) = found.tolist()
        told = f"For x = {x.tolist()} gradient times input gives ({a:.2f}, {b:.2f}), and IG gives ({c:.2f}, {d:.2f})."
        if abs(c + d - rise) > 0.02:
            raise Wrong(f"{told} IG should add up to f(x) - f(0) = {rise:.2f}: your f jumps, and no slope sees that.")
        mistakes = [
            (found[[1, 1]], "The two agree, as they do where f is straight. Bend f between 0 and x."),
            (wanted.flip(0), "The two are exchanged."),
            (wanted.new_tensor([[a, 1.0], [1.0, 0.0]]), "In entry 0, f must rise on the way and be level at x."),
            (wanted.new_tensor([[0.0, 1.0], [1.0, d]]), "In entry 1, f must fall first and come back before x."),
        ]
        if not torch.allclose(found, wanted, atol=0.02):
            near = [why for each, why in mistakes if torch.allclose(found, each, atol=0.02)]
            raise Wrong(f"{told} {near[0] if near else 'They must be (0, 1) and (1, 0), for every x.'}")
    return "both add up to 1, so a right sum is no proof of an attribution. Remove each entry, and see what f does."


@exercise("17.1")
def louder(answer: Any) -> str:
    first, second = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0))
    x, got = 0.75, ask(answer, first, second, 0.75)
    right = torch.stack([first + x, second])
    mistakes = [
        (torch.stack([first, second]), "nothing changed: then no channel would know how loud a voice is."),
        (torch.stack([first + x, second + x]), "the second channel moves, too. But the clip's own mean grows by x as"
         " well, and it is taken away."),
        (torch.stack([first, second + x]), "it is the other way round: the second one is relative to the clip."),
        (right.flip(0), "return the first channel first."),
        (torch.stack([first * (1 + x), second]), "louder by x dB is a *sum* in a table of decibels, not a product."),
    ]  # fmt: skip
    compare(torch.stack([torch.as_tensor(part) for part in pair(got, "both channels")]), right, mistakes)
    return "the first channel hears how loud a voice is, the second cannot be fooled by the volume knob."


@exercise("17.2")
def relative(answer: Any) -> str:
    mask = length_mask(torch.tensor([7, 4, 5]))
    real, n = mask.unsqueeze(-1), mask.sum(dim=1)[:, None, None]
    values = real * (2 + torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0)))
    changes = (values - values.sum(dim=1, keepdim=True) / n) * real
    squares = changes.square().sum(dim=1, keepdim=True)
    deviation = (squares / n).sqrt()
    padded = values - values.mean(dim=1, keepdim=True)
    all_clips = (values - values[mask].mean(dim=0)) * real / (values[mask].std(dim=0, correction=0) + 0.2)
    unmasked = (values - values.sum(dim=1, keepdim=True) / n) / (deviation + 0.2)
    mistakes = [
        (padded / (values.std(dim=1, keepdim=True) + 0.2), "the fault is still there: padding is in your mean."),
        (padded * real / (padded.square().mean(dim=1, keepdim=True).sqrt() + 0.2), "padding is in your mean."),
        (unmasked, "right on real steps; padding must stay zero."),
        (all_clips, "that is relative to the batch: a clip would depend on its neighbors."),
        (changes / (deviation + 1e-9), "the 0.2 is missing: a band in which nothing happens is blown up."),
        (changes / (deviation.square() + 0.2).sqrt(), "add the 0.2 to the deviation, not under the root."),
        (changes / ((squares / (n - 1)).sqrt() + 0.2), "divide the squares by the number of real steps, not one less."),
        (changes / ((squares / values.shape[1]).sqrt() + 0.2), "you divided by T, padding included."),
        (changes, "these are the changes; divide them by the deviation + 0.2."),
    ]
    compare(ask(answer, values, mask), changes / (deviation + 0.2), mistakes, "The values are different.")
    return "a clip alone and a clip in a batch are the same now, as every network of this book promises."


@exercise("17.3")
def drawn_difference(answer: Any) -> str:
    ours, theirs = torch.randint(1, 9, (2, 4, 3, 3), generator=torch.Generator().manual_seed(0))
    drawn, several = torch.tensor([2, 0, 2, 3]), torch.tensor([0, 2, 3])

    def gain(tables: Any, others: Any, score: Any = uar) -> float:
        return float(score(tables.numpy()) - score(others.numpy()))

    right = gain(ours[drawn].sum(dim=0), theirs[drawn].sum(dim=0))
    mistakes = [
        (-right, "that is theirs minus ours."),
        (gain(ours.sum(dim=0), theirs.sum(dim=0)), "you took each speaker once; take those who were drawn."),
        (gain(ours[several].sum(dim=0), theirs[several].sum(dim=0)), "a speaker who was drawn twice counts twice."),
        (gain(ours[drawn].sum(dim=0), theirs.sum(dim=0)), "draw the same speakers on both sides: that is the pairing."),
        (gain(ours[drawn].sum(dim=0), theirs[drawn].sum(dim=0), wa), "that is WA; take the recall of each class."),
        (float((uar(ours[drawn].numpy()) - uar(theirs[drawn].numpy())).mean()), "you averaged over speakers the UAR of"
         " each; put their clips together first."),
    ]  # fmt: skip
    compare(ask(answer, ours, theirs, drawn), right, mistakes, "The difference is another.")
    return "what is hard about a speaker is hard on both sides of the difference, and cancels."


@exercise("18.1")
def off_by(answer: Any) -> str:
    generator = torch.Generator().manual_seed(0)
    sure = torch.cat([torch.rand(40, generator=generator), torch.tensor([1.0, 0.999])])
    right = torch.rand(42, generator=generator) < sure**2
    bins = (sure * 5).long().clamp(max=4)
    apart = torch.tensor([float((right.double() - sure)[bins == b].sum()) for b in range(5)])
    n = torch.bincount(bins, minlength=5)
    total = apart.abs().sum() / len(sure)
    mistakes = [
        ((apart / n).abs().mean(), "every bin counts alike in yours; weigh each bin by its number of clips."),
        (apart.sum().abs() / len(sure), "take the absolute value of each bin before you add them: too sure in one bin"
         " and too unsure in another must not cancel out."),
        (apart.sum() / len(sure), "there the bins cancel out; take the absolute value of each."),
        ((apart / n).abs().max(), "that is the worst bin, the *maximum* calibration error."),
        ((right.double() - sure).abs().mean(), "that is the mean over single clips. One clip is right or wrong; only"
         " the clips of a bin together can be right in 70 % of cases."),
        (apart.abs().sum(), "divide by the number of all clips."),
        (apart[:4].abs().sum() / len(sure), "the last bin is missing."),
    ]  # fmt: skip
    compare(ask(answer, sure, right, 5), total, mistakes, "The error is another.")
    return "0 means: of all clips of which it is 70 % sure, 70 % are right. It does not say how often that is."


@exercise("18.2")
def swapped(answer: Any) -> str:
    for T in (2.0, 0.5, 1.5):
        (logits,) = tensors([ask(answer, T)], logits=(2, 3))
        p = torch.stack([(logits / by).softmax(dim=1) for by in (1, T)])  # before and after, clip, emotion
        (a, b), (c, d) = p.amax(dim=2).tolist()
        told = f"With T = {T:g} the confidences are {a:.3f} and {b:.3f} as trained, {c:.3f} and {d:.3f} after."
        below = " Below 1 a temperature sharpens, and the two clips change places." if T < 1 else ""
        refuse(
            (a < b and c > d, f"{told} The wrong way round.{below}"),
            (a > b and c < d and min(a - b, d - c) < 0.01, f"{told} The differences must be at least .01."),
            ((a - b) * (c - d) >= 0 and bool((p.amin(dim=2) < 0.005).all()), f"{told} The third emotion plays no role"
             " in both clips. Of two, the larger distance stays surer at every T."),
            ((a - b) * (c - d) >= 0, f"{told} The order stays. Give one clip a single rival near the top, and the other"
             " clip two rivals farther away."),
        )  # fmt: skip
    return "so choose the threshold after the temperature: chosen before, it would refuse other clips."
