"""Small corpora of each variant, made once for all tests, and plans without any sound."""

import functools

import joblib
import pytest

from sertut.corpora import load
from sertut.planted.plans import Timeline
from sertut.planted.rendering import SpokenSentence
from sertut.planted.variants import VARIANTS

SMALL = {
    "planted": {"speakers": 2, "clips_per_speaker": 7},
    "planted-loud": {"speakers": 3, "clips_per_speaker": 7},
    "planted-band": {"speakers": 1, "clips_per_speaker": 14},
    "planted-blend": {"speakers": 3, "clips_per_speaker": 6},
    "planted-decoy": {"speakers": 1, "clips_per_speaker": 6, "seed": 1},
}
VOICE = "en-us"  # one of the engine's voices stands for all


def load_small(name: str):
    """One of the small corpora, from the cache folder that is set; made in this process, which starts in no time."""
    with joblib.parallel_config(backend="sequential"):
        return load(name, **SMALL[name], progress=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """``small("planted-blend")``: the small corpus of that name."""
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
