"""Maps that know nothing: distributions, of the shape they promise."""

import numpy as np
import pytest

from sertut.evidence import baselines, entropy


def peaked(n=120, width=8.0):
    weights = np.exp(-0.5 * ((np.arange(n) - 30) / width) ** 2) + 1e-4
    return weights / weights.sum()


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_all_are_distributions(n):
    generator = np.random.default_rng(0)
    like = generator.dirichlet(np.ones(n))
    level = generator.uniform(-60, -10, n)
    for weights in (
        baselines.uniform(n),
        baselines.energy(level),
        baselines.center(n),
        baselines.motion(generator.uniform(size=(n, 4)), n),
        baselines.random_smooth(like, generator),
        baselines.shifted(like, generator),
    ):
        assert weights.shape == (n,)
        assert (weights >= 0).all() and weights.sum() == pytest.approx(1)


def test_motion_is_change_between_frames_with_a_face():
    face = np.ones((8, 3))  # two columns of features, and that a face was found
    face[3:, 0] = 2.0  # a change between frames 2 and 3
    assert baselines.motion(face, 8) == pytest.approx([0, 0, 0.5, 0.5, 0, 0, 0, 0])
    assert baselines.motion(face, 10) == pytest.approx([0, 0, 0.5, 0.5, *[0] * 6])
    assert baselines.motion(face, 3) == pytest.approx([0, 0, 1])
    face[3:] = 0.0  # from here on no face, which is no motion
    assert baselines.motion(face, 8) == pytest.approx([1 / 8] * 8)


def test_energy_is_power():
    assert baselines.energy(np.array([-10.0, -20.0])) == pytest.approx([10 / 11, 1 / 11])


def test_center_is_symmetric_with_the_stated_width():
    weights = baselines.center(60)
    assert weights == pytest.approx(weights[::-1])
    assert weights[39] / weights[29] == pytest.approx(np.exp(-0.5 * ((9.5 / 10) ** 2 - (0.5 / 10) ** 2)))


def test_shifted_keeps_the_weights_and_their_neighbors():
    weights = peaked()
    moved = baselines.shifted(weights, np.random.default_rng(1))
    back = np.argmax(moved) - np.argmax(weights)
    assert back != 0
    assert np.roll(moved, -back) == pytest.approx(weights)


def test_random_smooth_has_the_entropy_and_roughly_the_smoothness_of_the_map():
    weights = peaked()
    generator = np.random.default_rng(2)
    draws = [baselines.random_smooth(weights, generator) for _ in range(100)]
    assert [entropy(draw) for draw in draws] == pytest.approx([entropy(weights)] * 100, abs=1e-3)
    rough = [np.abs(np.diff(draw)).sum() for draw in draws]
    jagged = np.random.default_rng(3).permutation(weights)
    assert np.median(rough) < 0.5 * np.abs(np.diff(jagged)).sum()
    assert len({int(draw.argmax()) for draw in draws}) > 30  # anywhere


def test_random_smooth_of_a_uniform_map_is_uniform():
    drawn = baselines.random_smooth(np.full(50, 0.02), np.random.default_rng(0))
    assert drawn == pytest.approx(np.full(50, 0.02), abs=1e-3)
