"""The drawn face: each action unit moves the right part the right way, and the mouth tells when the voice was heard."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sertut.errors import SertutError
from sertut.planted import drawing
from sertut.planted import expressions as faces
from sertut.planted.drawing import SIZE, UNITS, Movement, draw
from sertut.planted.expressions import EXPRESSIONS, RAMP, Expression, random_look, render_face, speech_opening
from sertut.planted.plans import EMOTIONS
from sertut.signals import HOP_SECONDS, WINDOW_SECONDS
from sertut.video import FACE_SIZE, VIDEO_HOP, Faces, face_features

SECONDS = 3.0


class Average:
    """In place of a random generator: nobody strays from the mean."""

    normal = staticmethod(lambda: 0.0)
    uniform = staticmethod(lambda low, high: (low + high) / 2)
    choice = staticmethod(lambda values: values[1])


PLAIN = replace(random_look(Average()), mouth=11.0, mouth_curve=0.0, skin=0.75, hair=0.15, iris=0.2, background=0.5)


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng([17, *seed])


def voice(seed: int, seconds: float = SECONDS) -> np.ndarray:
    """Level, dB, of syllables of random height between two pauses; shape (T_a,)."""
    times = WINDOW_SECONDS / 2 + HOP_SECONDS * np.arange(round((seconds - WINDOW_SECONDS) / HOP_SECONDS) + 1)
    draws = rng(seed)
    level = np.full_like(times, -75.0)
    for middle in np.arange(0.75, seconds - 0.65, 0.19):
        level = np.maximum(level, draws.uniform(-42, -26) - 25 * ((times - middle) / 0.09) ** 2)
    return level


def still(speech: float = 0.0, lids: float = 0.0, sides: tuple[float, float] = (1.0, 1.0), **units: float) -> Movement:
    """One frame of a face that holds still."""
    contracted = np.array([units.pop(name, 0.0) for name in UNITS])
    assert not units
    return Movement(
        units=contracted[:, None, None] * np.array(sides)[:, None],
        speech=np.full(1, speech),
        lids=np.full(1, lids),
        gaze=np.zeros((2, 1)),
        shift=np.zeros((2, 1)),
        tilt=np.zeros(1),
        scale=np.ones(1),
        light=np.array([[1.0], [0.0], [0.0]]),
    )


def height(picture: np.ndarray, u: float, low: float, high: float) -> float:
    """v of what is dark between v = low and v = high, in the three columns about u on both sides of the face."""
    rows = slice(round(SIZE / 2 + low), round(SIZE / 2 + high))
    columns = [round(SIZE / 2 - 0.5 + side * u) + k for side in (-1, 1) for k in (-1, 0, 1)]
    dark = np.clip(0.55 - picture[rows, columns], 0, None).sum(axis=1)
    return float((np.arange(SIZE)[rows] + 0.5 - SIZE / 2) @ dark / dark.sum())


def brow(picture: np.ndarray, u: float = 4.5) -> float:
    return height(picture, u, -14, -6)


def corners(picture: np.ndarray) -> float:
    return height(picture, 5.5, 6, 16)


def dark_mouth(pictures: np.ndarray, dark: float) -> np.ndarray:
    """How many pixels of each picture's mouth are dark: the opening."""
    return (pictures[..., 27:, 12:36] < dark).sum(axis=(-2, -1))


def eye_white(pictures: np.ndarray) -> np.ndarray:
    """How much in the eyes is brighter than the skin around them."""
    eyes = np.concatenate([pictures[..., 17:24, 13:21], pictures[..., 17:24, 27:35]], axis=-1)
    return np.clip(eyes - 0.95 * PLAIN.skin, 0, None).sum(axis=(-2, -1))


def shown(**how: float) -> np.ndarray:
    return draw(PLAIN, still(**how))[0]


REST = shown()


@pytest.mark.parametrize("unit, inner, outer", [("AU1", -1, 0), ("AU2", 0, -1), ("AU4", 1, 1)])
def test_units_of_the_brow(unit, inner, outer):
    """AU1 raises the inner end, AU2 the outer one, AU4 lowers all of it; v runs down."""
    picture = shown(**{unit: 1.0})
    moved = [brow(picture, u) - brow(REST, u) for u in (4.0, 10.0)]
    for pixels, way in zip(moved, (inner, outer), strict=True):
        assert way * pixels > 1.0 if way else abs(pixels) < 1.0, moved


def test_units_of_the_eyes():
    white = {name: eye_white(shown(**{name: 1.0})) for name in ("AU5", "AU6", "AU7")}
    assert white["AU5"] > 1.2 * eye_white(REST)
    assert white["AU6"] < 0.9 * eye_white(REST) and white["AU7"] < 0.8 * eye_white(REST)
    assert eye_white(shown(lids=1.0)) < 0.4 * eye_white(REST)


def test_units_of_the_mouth():
    one = {name: shown(**{name: 1.0}) for name in UNITS}
    assert corners(one["AU12"]) < corners(REST) - 1.5
    assert corners(one["AU15"]) > corners(REST) + 1.0
    assert dark_mouth(one["AU26"], 0.3) > dark_mouth(REST, 0.3) + 20
    talking = {name: shown(speech=0.7, **{name: 1.0}) < 0.2 for name in ("AU20", "AU23")}
    wide = {name: np.ptp(np.flatnonzero(dark[27:, 12:36].any(axis=0))) for name, dark in talking.items()}
    assert wide["AU20"] > wide["AU23"] + 3
    lips = lambda picture: np.clip(0.7 - picture[34:40, 20:28], 0, None).sum()  # noqa: E731
    assert lips(one["AU23"]) < 0.8 * lips(REST)
    for unit in ("AU9", "AU10"):
        assert height(one[unit], 0, 8, 14) < height(REST, 0, 8, 14)


def test_every_unit_can_be_seen_and_stays_on_its_side():
    for unit in UNITS:
        left = np.abs(shown(sides=(1.0, 0.0), **{unit: 1.0}) - REST)
        assert left.max() > 0.08, unit
        if unit in ("AU1", "AU2", "AU4", "AU5", "AU6", "AU7"):
            assert left[:28, 25:].max() < 1e-6, unit


def test_a_larger_head_that_moves_is_the_same_face_elsewhere():
    moved = draw(PLAIN, replace(still(), shift=np.array([[2.0], [-1.0]])))[0]
    assert np.abs(moved[3:-3, 3:-3] - REST[4:-2, 1:-5]).max() < 1e-5


def test_windows_cut_nothing_off(monkeypatch):
    """Each part is drawn only where it can be; drawing it on the whole picture gives the same picture."""

    def performances() -> list[np.ndarray]:
        plays = [(random_look(rng(k)), [Expression(emotion, 0.5, 2.5, 1.3)]) for k, emotion in enumerate(EXPRESSIONS)]
        return [render_face(look, voice(0), 1.0, 0.1, play, rng(1)) for look, play in plays]

    windowed = performances()
    monkeypatch.setattr(drawing._Canvas, "window", lambda canvas, *part: canvas)
    assert all((a == b).all() for a, b in zip(windowed, performances(), strict=True))


@pytest.mark.parametrize("seconds, frames", [(3.0, 75), (2.999, 74), (0.28, 7), (0.06, 1), (0.03, 0)])
def test_as_many_frames_as_fit(seconds, frames):
    pictures = render_face(PLAIN, voice(0), seconds, 0.0, [Expression("fear", 0.0, 1.0, 1.0)], rng(0))
    assert pictures.shape == (frames, FACE_SIZE, FACE_SIZE) and pictures.dtype == np.uint8


@pytest.mark.parametrize("emotion", EXPRESSIONS)
def test_outside_its_span_an_expression_changes_nothing(emotion):
    neutral = render_face(PLAIN, voice(0), SECONDS, 0.2, [], rng(3))
    seen = render_face(PLAIN, voice(0), SECONDS, 0.2, [Expression(emotion, 1.0, 1.6, 1.0)], rng(3))
    times = (np.arange(len(neutral)) + 0.5) * VIDEO_HOP
    outside = (times < 1.0 - max(RAMP) / 2) | (times > 1.6 + max(RAMP) / 2)
    inside = (times > 1.0 + max(RAMP) / 2) & (times < 1.6 - max(RAMP) / 2)
    changed = np.abs(seen.astype(int) - neutral).mean(axis=(1, 2))
    assert (changed[outside] == 0).all() and (changed[inside] > 0.5).all()
    assert (render_face(PLAIN, voice(0), SECONDS, 0.2, [Expression(emotion, 1.0, 1.6, 0.0)], rng(3)) == neutral).all()


@pytest.mark.parametrize(
    "emotion, measure, least",
    [
        ("anger", brow, 0.7),  # v runs down
        ("surprise", brow, -0.7),
        ("sadness", brow, -0.4),
        ("happiness", corners, -0.7),
        ("sadness", corners, 0.5),
    ],
)
def test_emotions_move_the_face_as_their_prototypes_say(emotion, measure, least):
    assert (measure(shown(**EXPRESSIONS[emotion])) - measure(REST)) / least > 1


def delayed(level: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The voice's level at these times, cut to its upper 25 dB: a plain second version of `speech_opening`."""
    smooth = [level[max(0, j - 4) : j + 5].mean() for j in range(len(level))]
    seconds = np.arange(len(level)) * HOP_SECONDS + WINDOW_SECONDS / 2
    return np.interp(times, seconds, np.clip(smooth, np.max(smooth) - 25, None))


@pytest.mark.parametrize(
    "emotion, offset", [(None, -0.6), (None, 0.3), *zip(EXPRESSIONS, 2 * (-0.6, -0.17, 0.3), strict=True)]
)
def test_the_mouth_follows_the_voice_by_the_offset(offset, emotion):
    """Also while an expression is on, here for the whole clip."""
    shown_here = [] if emotion is None else [Expression(emotion, -1.0, SECONDS + 1, 1.0)]
    mouths, voices = [], []
    lags = np.arange(-20, 21) * VIDEO_HOP
    for k in range(3):
        pictures = render_face(PLAIN, voice(k), SECONDS, offset, shown_here, rng(4, k))
        times = (np.arange(len(pictures)) + 0.5) * VIDEO_HOP
        mouths.append(dark_mouth(pictures, 50))
        voices.append([delayed(voice(k), times - lag) for lag in lags])
    mouth, heard = np.concatenate(mouths), np.concatenate(voices, axis=1)
    alike = np.array([np.corrcoef(mouth, h)[0, 1] for h in heard])
    assert abs(lags[alike.argmax()] - offset) <= VIDEO_HOP
    assert alike.max() > 0.7 and np.percentile(mouth, 90) - np.percentile(mouth, 10) > 8


def test_a_silent_voice_keeps_the_mouth_shut_and_the_jaw_needs_its_time():
    times = np.arange(0, 3, VIDEO_HOP)
    assert (speech_opening(np.full(300, -100.0), times) == 0).all()
    assert (speech_opening(np.full(300, -30.0), times) == 1).all()
    level, times = np.where(np.arange(300) < 150, -80.0, -30.0), np.arange(0, 3, 0.001)
    change = times[np.searchsorted(speech_opening(level, times), [0.1, 0.5, 0.9])]
    assert change[1] == pytest.approx(1.495 + WINDOW_SECONDS / 2, abs=0.005)
    assert 0.06 < change[2] - change[0] < 0.1


def test_every_clip_has_movements_that_mean_nothing(monkeypatch):
    seen = []
    monkeypatch.setattr(faces, "draw", lambda look, movement: seen.append(movement) or draw(look, still()))
    render_face(PLAIN, voice(0), 60.0, 0.0, [], rng(6))
    (movement,) = seen
    blinks = np.flatnonzero(np.diff((movement.lids > 0.5).astype(int)) == 1) * VIDEO_HOP
    assert 13 <= len(blinks) <= 30 and np.diff(blinks).min() > 1.9 and np.diff(blinks).max() < 4.1
    assert 0.5 < movement.shift.std() < 1.5 and movement.tilt.std() > 0.02 and movement.scale.std() > 0.01
    assert 20 < len(np.unique(movement.gaze[0])) < 120
    assert 0.02 < movement.units.mean() < 0.1 and (movement.units.max(axis=(1, 2)) > 0.1).all()


def test_expressions_are_the_emotions_of_the_corpus_and_nothing_else_can_be_shown():
    assert {*EXPRESSIONS, "neutral"} == set(EMOTIONS)
    assert all(unit in UNITS and 0 < size <= 1 for units in EXPRESSIONS.values() for unit, size in units.items())
    for emotion, hint in (("neutral", "known are anger"), ("hapiness", "did you mean 'happiness'")):
        with pytest.raises(SertutError, match=hint):
            render_face(PLAIN, voice(0), SECONDS, 0.0, [Expression(emotion, 1.0, 2.0, 1.0)], rng(0))


def test_emotions_can_be_told_on_people_never_seen_but_not_always():
    """One frame, at full strength, by a linear classifier: far above chance (1/7), and not perfect."""
    rows, labels, people = [], [], []
    for person in range(12):
        look = random_look(rng(7, person))
        for emotion in EMOTIONS * 3:
            draws = rng(8, len(rows))
            shown_here = [] if emotion == "neutral" else [Expression(emotion, -1.0, 2.0, 1.0)]
            pictures = render_face(look, voice(len(rows)), 0.2, float(draws.uniform(-0.6, 0.6)), shown_here, draws)[-1:]
            rows.append(face_features(Faces(pictures, np.ones(1, dtype=bool), np.zeros(1)))[0].numpy())
            labels.append(emotion)
            people.append(person)
    features, emotions, unseen = np.stack(rows), np.array(labels), np.array(people) >= 8
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    classifier.fit(features[~unseen], emotions[~unseen])
    assert 0.65 < classifier.score(features[unseen], emotions[unseen]) < 0.95
