"""Small corpora of each variant, made once for all tests, and plans without any sound."""

import functools

import joblib
import pytest

from sertut.corpora import load
from sertut.planted.plans import Timeline
from sertut.planted.rendering import SpokenSentence
from sertut.planted.variants import VARIANTS

PAIRED = ("planted-blend", "planted-decoy")  # two emotions a clip, and no neutral ones
VOICE = "en-us"  # one of the engine's voices stands for all


def load_small(name: str):
    """One speaker, in the cache folder that is set; made in this process, which starts in no time."""
    with joblib.parallel_config(backend="sequential"):
        return load(name, speakers=1, clips_per_speaker=6 if name in PAIRED else 7, seed=1, progress=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """``small("planted-blend")``: :func:`load_small`, once for all tests."""
    folder = tmp_path_factory.mktemp("small")

    @functools.cache
    def make(name: str):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SERTUT_CACHE", str(folder))
            return load_small(name)

    return make


@functools.cache
def spoken(sentence: str) -> SpokenSentence:
    return SpokenSentence(sentence, VOICE)


@functools.cache
def plans(name: str, speakers: int = 24, clips_per_speaker: int = 42, seed: int = 0) -> list:
    return VARIANTS[name].draw_all(speakers, clips_per_speaker, seed)


def followed(plan, face) -> tuple[object, list, Timeline]:
    """A plan resolved and cut, the words heard in the clip, and what the face does; no sound is made."""
    whole = plan.resolved(spoken(plan.sentence).words)
    cut, words = whole.within_clip(spoken(plan.sentence).heard(whole))
    return cut, words, cut.timeline(face, words, getattr(cut, "seconds", 4.0))
