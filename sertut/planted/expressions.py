"""A face that talks and shows emotions: who it is, and what each muscle does when.

The face of the planted corpora is a drawing moved by the action units (AU) of the Facial Action Coding System. An
emotion is a set of units that rises and falls in a known span of time; the mouth opens and closes with the voice,
later or earlier by a known offset; blinks, glances, the sway of the head and changes of the light mean nothing.

1. P. Ekman, W. V. Friesen, "Facial Action Coding System", Consulting Psychologists Press, 1978: the units.
2. P. Ekman, W. V. Friesen, J. C. Hager, "Facial Action Coding System: Investigator's Guide", 2002: the units of each
   emotion's prototype.
3. P. Lucey, J. F. Cohn, T. Kanade et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops, 2010: which units
   must be there for a face to count as an emotion.
4. C. Chandrasekaran, A. Trubanova, S. Stillittano, A. Caplier, A. A. Ghazanfar, "The natural statistics of audiovisual
   speech", PLoS Comput. Biol. 5(7), 2009: the mouth's opening follows the envelope of the voice.

Which units belong to an emotion follows [2, 3]; the sizes are ours, chosen to be seen at 48 x 48 pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sertut.errors import unknown
from sertut.planted.drawing import SIZE, UNITS, Look, Movement, draw
from sertut.signals import HOP_SECONDS, WINDOW_SECONDS
from sertut.video import VIDEO_HOP

PICTURES = 2
"""Raise it when a change of the code changes the picture, so that old copies are not taken for new ones."""

EXPRESSIONS = {
    # brows down and together, eyes narrowed under raised lids, lips pressed thin [2]; AU23 is a must [3]
    "anger": {"AU4": 1.0, "AU5": 0.4, "AU7": 0.8, "AU23": 1.0},
    # wrinkled nose, upper lip up [2; one of both is a must in 3], corners of the mouth down
    "disgust": {"AU9": 1.0, "AU10": 1.0, "AU15": 0.3, "AU7": 0.5},
    # brows up and together, eyes wide, lips stretched sideways, mouth a little open [2]
    "fear": {"AU1": 1.0, "AU2": 0.5, "AU4": 0.5, "AU5": 0.9, "AU20": 1.0, "AU26": 0.2},
    # corners of the mouth up, cheeks up against the eyes [2]; AU12 is a must [3]
    "happiness": {"AU6": 1.0, "AU12": 1.0},
    # inner ends of the brows up and together, corners of the mouth down [2, 3]
    "sadness": {"AU1": 1.0, "AU4": 0.4, "AU15": 1.0},
    # brows high and round, eyes wide, jaw dropped [2]; AU1 with AU2, or AU5, is a must [3]
    "surprise": {"AU1": 1.0, "AU2": 1.0, "AU5": 0.8, "AU26": 0.8},
}
"""Emotion -> how far each unit is contracted at full strength. A neutral face shows nothing.

AU1 inner brow raised, AU2 outer brow raised, AU4 brow lowered, AU5 upper lid raised, AU6 cheek raised, AU7 lids
tightened, AU9 nose wrinkled, AU10 upper lip raised, AU12 lip corner pulled up, AU15 lip corner depressed, AU20 lips
stretched, AU23 lips tightened, AU26 jaw dropped.
"""

UNEVEN = 0.35  # how each unit's strength differs from expression to expression (standard deviation, share of it)
ASYMMETRY = 0.2  # how the two sides of the face differ (standard deviation, share)
RAMP = (0.08, 0.16)  # seconds within which an expression rises, and falls
LIMIT = 1.4  # no muscle contracts further than this
TWITCH = 0.14  # how far each unit moves for no reason (standard deviation)
# The mouth cannot follow the voice faster than this: seconds of half height of the window that smooths the level.
JAW_SECONDS = 0.08
VOICE_RANGE_DB = 25.0  # the mouth is shut at this level below the loud parts of the clip, and below
WANDER = 0.1  # how far the mouth strays from what the voice asks for (standard deviation, of 1)
NOISE = (0.008, 0.025)  # of the camera: standard deviation of a pixel's gray level, of 1


@dataclass(frozen=True)
class Expression:
    """An emotion that a face shows, on the face's own clock.

    emotion: one of :data:`EXPRESSIONS`. start, end: seconds, where its rise and its fall are at half of their height.
    strength: 0..1.3, 1 is the full expression.
    """

    emotion: str
    start: float
    end: float
    strength: float


def random_look(rng: np.random.Generator) -> Look:
    """Draw a person."""
    about = lambda mean, spread: float(mean + spread * np.clip(rng.normal(), -2, 2))  # noqa: E731
    skin = float(rng.uniform(0.5, 0.86))
    eye_height = about(-3.5, 0.4)
    return Look(
        width=about(17.0, 0.7),
        chin=about(20.0, 0.6),
        jaw=about(0.72, 0.06),
        hairline=about(-17.3, 0.7),
        parting=about(0.0, 4.0),
        hair_length=float(rng.choice([-3.0, 2.0, 40.0])),
        eye_distance=about(7.2, 0.45),
        eye_height=eye_height,
        eye_width=about(3.9, 0.25),
        eye_opening=about(3.6, 0.3),
        brow_height=eye_height + about(-5.0, 0.6),
        brow_thickness=about(1.6, 0.3),
        brow_arch=about(0.7, 0.3),
        brow_slant=about(0.1, 0.4),
        nose=about(5.0, 0.6),
        nose_width=about(2.9, 0.35),
        mouth=about(11.3, 0.5),
        mouth_width=about(6.0, 0.5),
        mouth_curve=about(0.1, 0.5),
        lips=about(1.6, 0.35),
        skin=skin,
        hair=float(rng.uniform(0.06, 0.6)) * skin,
        iris=float(rng.uniform(0.12, 0.4)),
        lip_level=about(0.74, 0.05),
        background=float(rng.uniform(0.15, 0.9)),
    )


def render_face(
    look: Look,
    level: np.ndarray,
    seconds: float,
    offset: float,
    expressions: Sequence[Expression],
    rng: np.random.Generator,
) -> np.ndarray:
    """Let a person speak and show emotions.

    Args:
        look: the person.
        level: (T_a,), dB, of the voice every 10 ms, from :func:`sertut.signals.level_db`.
        seconds: length of the clip.
        offset: the mouth follows the voice after so many seconds; it goes ahead where this is negative.
        expressions: the expressions; where two overlap, the stronger contraction of each unit counts.
        rng: of all that is drawn. With an equal `rng`, frames outside all expressions are those of a neutral face.

    Returns:
        (T_v, 48, 48), uint8, 25 frames/s: frame t is at (t + 0.5) * 0.04 s, T_v = floor(seconds / 0.04).

    Raises:
        SertutError: an emotion that is no expression.
    """
    for expression in expressions:
        if expression.emotion not in EXPRESSIONS:
            raise unknown("expression", expression.emotion, EXPRESSIONS)
    n = int(seconds / VIDEO_HOP + 1e-6)  # 3 s are 75 frames, though 3 / 0.04 may come out a little less
    times = (np.arange(n) + 0.5) * VIDEO_HOP
    # What means nothing is drawn first: expressions must not change it.
    movement = _idle(times, speech_opening(level, times - offset), rng)
    noise = rng.uniform(*NOISE) * rng.standard_normal((n, SIZE, SIZE), dtype=np.float32)
    for expression in expressions:
        np.maximum(movement.units, _contractions(expression, times, rng), out=movement.units)
    pictures = 255 * (draw(look, movement) + noise)
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)


def speech_opening(level: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How far a voice opens the mouth at the given times, 0..1: its level, smoothed as fast as a jaw can move.

    Args:
        level: (T_a,), dB, every 10 ms.
        times: (T,), seconds on the voice's clock; before and after the clip the level stays as at its ends.

    Returns:
        (T,).
    """
    level = np.asarray(level, dtype=float)
    loud = max(np.percentile(level, 95), -60.0)  # silence is no speech, however even it is
    height = np.clip((level - loud) / VOICE_RANGE_DB + 1, 0, 1)
    window = np.hanning(2 * round(JAW_SECONDS / HOP_SECONDS) + 1)  # as wide at half height as half its length
    padded = np.pad(height, len(window) // 2, mode="edge")
    smooth = np.convolve(padded, window / window.sum(), mode="valid")
    return np.interp(times, WINDOW_SECONDS / 2 + HOP_SECONDS * np.arange(len(level)), smooth)


def _idle(times: np.ndarray, speech: np.ndarray, rng: np.random.Generator) -> Movement:
    """A face that talks and shows nothing; `speech` (T,) is how far the voice asks the mouth to open."""
    drift = lambda slow, fast: _drift(times, slow, fast, rng)  # noqa: E731
    twitches = np.maximum([TWITCH * drift(0.2, 1.0) for _ in UNITS], 0)  # (13, T)
    light = [
        rng.uniform(0.85, 1.1) + 0.03 * drift(0.1, 1.0),
        rng.normal(scale=0.004) + 0.001 * drift(0.1, 0.5),
        rng.normal(scale=0.003) + 0.001 * drift(0.1, 0.5),
    ]
    return Movement(
        units=np.stack([twitches, twitches], axis=1),
        speech=np.clip(speech + WANDER * drift(0.5, 3.0), 0, 1),
        lids=_blinks(times, rng),
        gaze=_glances(times, rng),
        shift=np.stack([drift(0.1, 0.5), drift(0.1, 0.5)]),
        tilt=0.04 * drift(0.1, 0.5),
        scale=1 + 0.025 * drift(0.05, 0.2),
        light=np.stack(light),
    )


def _contractions(expression: Expression, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far an expression contracts each unit on each side: shape (13, 2, T)."""
    rise, fall = rng.uniform(*RAMP, size=2)
    course = _step((times - expression.start) / rise) * _step((expression.end - times) / fall)  # (T,)
    full = np.array([EXPRESSIONS[expression.emotion].get(unit, 0.0) for unit in UNITS])
    uneven = 1 + UNEVEN * np.clip(rng.normal(size=len(UNITS)), -2, 2)
    tilted = ASYMMETRY / 2 * np.clip(rng.normal(size=len(UNITS)), -2, 2)
    sides = np.stack([1 - tilted, 1 + tilted], axis=1)  # (13, 2)
    return np.minimum(expression.strength * (full * uneven)[:, None] * sides, LIMIT)[..., None] * course


def _step(x: np.ndarray) -> np.ndarray:
    """0 up to -1/2, 1 from 1/2 on, and half a cosine between."""
    return 0.5 + 0.5 * np.sin(np.pi * np.clip(x, -0.5, 0.5))


def _drift(times: np.ndarray, slow: float, fast: float, rng: np.random.Generator) -> np.ndarray:
    """An aimless movement, shape (T,), standard deviation 1: four waves between `slow` and `fast` Hz."""
    waves = np.sin(2 * np.pi * (rng.uniform(slow, fast, (4, 1)) * times + rng.uniform(size=(4, 1))))
    return waves.sum(axis=0) / np.sqrt(2)


def _blinks(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Closing of the lids, 0..1, shape (T,): a blink of some 0.2 s every 2 to 4 s."""
    lids = np.zeros_like(times)
    at = rng.uniform(0.0, 3.0)
    while len(times) and at < times[-1]:
        lids = np.maximum(lids, 1 - _step((np.abs(times - at) - 0.08) / 0.08))
        at += rng.uniform(2.0, 4.0)
    return lids


def _glances(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the eyes look, pixels right and down, shape (2, T): a new place about every second."""
    places = rng.normal(size=(2, len(times))) * [[0.55], [0.25]]
    jumps = np.cumsum(rng.uniform(size=len(times)) < VIDEO_HOP)  # which place it is by now
    return places[:, jumps]
