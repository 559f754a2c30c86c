"""The mistakes that the exercises of chapter 9 know are called by their names; see test_exercises.py."""

import torch

from sertut.course.exercises import check
from tests.course.answers import named


def all_frozen(model):
    model.requires_grad_(False)
    return 0


def counted_whole(model):
    model.trunk.requires_grad_(False)
    return sum(p.numel() for p in model.parameters())


def of(weight):
    return weight.sum(dim=(1, 2, 3))


MISTAKES = [
    ("9.1", lambda w: w.mean(1, keepdim=True), "not averaged but *added*"),
    ("9.1", lambda w: w[:, :1], "first color only"),
    ("9.1", lambda w: w.sum(1), "the channel is gone"),
    ("9.1", lambda w: w.sum(0, keepdim=True), "added up the filters"),
    ("9.2", lambda w, b, m, s: w * s, "return two values"),
    ("9.2", lambda w, b, m, s: (w / s, b), "divided by std"),
    ("9.2", lambda w, b, m, s: (w, b), "no contrast at all"),
    ("9.2", lambda w, b, m, s: (w * s, b), "the mean is forgotten"),
    ("9.2", lambda w, b, m, s: (w * s, b + m), "*sum of its weights*"),
    ("9.2", lambda w, b, m, s: (w * s, b - m * of(w)), "with a plus"),
    ("9.2", lambda w, b, m, s: (w * s, b + m * s * of(w)), "*old* weights"),
    ("9.3", lambda model: sum(p.numel() for p in model.parameters()), "would still be trained"),
    ("9.3", all_frozen, "you froze attend."),
    ("9.3", counted_whole, "you counted all parameters"),
]


test_mistake_is_named = named(MISTAKES)


def test_the_right_bias_makes_the_layer_blind_to_the_scale():
    def refit(weight, bias, mean, std):
        return std * weight, bias + (mean * torch.ones_like(weight) * weight).flatten(1).sum(1)

    assert check("9.2", refit)
