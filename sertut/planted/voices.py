"""Speech from text, with the time of every word: espeak-ng through ctypes.

The engine and its voices come with the package espeakng-loader (GPL-3); nothing has to be installed on the system.
"""

import _ctypes
import contextlib
import ctypes
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import espeakng_loader
import numpy as np

from sertut.errors import CorpusError, unknown

SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback; espeak_Synth returns when all were delivered
DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report a missing voice folder instead of ending the process
UTF8 = 1  # espeakCHARS_UTF8
BY_CHARACTER = 1  # POS_CHARACTER
END_OF_LIST, WORD = 0, 1  # espeakEVENT_LIST_TERMINATED, espeakEVENT_WORD
SPEAKING_RATE = 1  # espeakRATE
WORDS_A_MINUTE = 165

VOICES = {
    "en-us": 1.0,
    "en-us+f1": 1.12,
    "en-us+m3": 1.0,
    "en-gb-x-rp": 1.0,
    "en-gb-scotland": 1.0,
    "en-029": 1.0,
}
"""Voices of the engine, an accent and after the plus sign a variant -> how high the voice's own formants are."""

SILENCE = 0.003  # of 1: an utterance ends with its last sample above this


@dataclass(frozen=True)
class Word:
    """A word and when it is spoken, seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Utterance:
    """A spoken sentence. samples: shape (n,), float64 in -1..1, at `rate` samples a second."""

    samples: np.ndarray
    rate: int
    words: tuple[Word, ...]


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h; the last member is a union of 8 bytes."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters from the start of the text, counted from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def speak(sentence: str, voice: str) -> Utterance:
    """Speak one sentence; the same samples whatever was spoken before. Not for several threads at once.

    Args:
        sentence: English text.
        voice: a name of espeak-ng such as "en-us" or "en-us+f1".

    Raises:
        CorpusError: the engine does not start.
        SertutError: it does not have the voice.
    """
    chunks: list[np.ndarray] = []
    starts: dict[int, float] = {}  # position of a word in the text -> seconds

    def receive(samples, count, events) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        for event in events:
            if event.type == END_OF_LIST:
                break
            if event.type == WORD:
                starts[event.text_position - 1] = event.audio_position / 1000
        return 0

    callback = _Callback(receive)  # kept in a variable: the engine does not keep it alive
    with _engine() as (engine, rate):
        if engine.espeak_SetVoiceByName(voice.encode()) != 0:
            raise unknown("espeak-ng voice", voice, VOICES)
        engine.espeak_SetParameter(SPEAKING_RATE, WORDS_A_MINUTE, 0)
        engine.espeak_SetSynthCallback(callback)
        text = sentence.encode()
        engine.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, BY_CHARACTER, 0, UTF8, None, None)
    samples = np.concatenate(chunks) / 32768.0
    end = int(np.flatnonzero(np.abs(samples) > SILENCE)[-1]) + 1
    return Utterance(samples, rate, _words(sentence, starts, end / rate))


@contextlib.contextmanager
def _engine() -> Iterator[tuple[ctypes.CDLL, int]]:
    """The engine and its sample rate; loaded anew each time, in 5 ms.

    Its flutter and noise run on from one sentence to the next, even through espeak_Terminate: only a fresh copy of the
    library speaks the same sentence the same way twice.
    """
    path, folder = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    try:
        engine = ctypes.CDLL(path)
    except OSError as problem:
        raise CorpusError(f"{path} cannot be loaded ({problem}); reinstall espeakng-loader.") from problem
    try:
        rate = engine.espeak_Initialize(SYNCHRONOUS, 0, folder.encode(), DO_NOT_EXIT)
        if rate <= 0:
            raise CorpusError(
                f"espeak-ng does not start with the voices in {folder}; reinstall espeakng-loader in a folder with a"
                " shorter path (the engine cuts long ones)."
            )
        yield engine, rate
        engine.espeak_Terminate()
    finally:
        if sys.platform == "win32":
            _ctypes.FreeLibrary(engine._handle)
        else:
            _ctypes.dlclose(engine._handle)


def _words(sentence: str, starts: dict[int, float], end: float) -> tuple[Word, ...]:
    """Each word lasts until the next one starts."""
    positions = [found.start() for found in re.finditer(r"\S+", sentence)]
    if sorted(starts) != positions:
        raise CorpusError(f"espeak-ng gave times for {len(starts)} of {len(positions)} words of '{sentence}'.")
    edges = [starts[position] for position in positions] + [end]
    texts = [word.strip(".,") for word in sentence.split()]
    return tuple(Word(text, *edge) for text, edge in zip(texts, itertools.pairwise(edges), strict=True))
