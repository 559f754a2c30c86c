"""The explorer with a kernel and without; the recorder in a real browser, whose microphone plays a file."""

import base64
import inspect
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from sertut import show
from sertut.course.explaining import read_voice
from sertut.show import Recorder
from sertut.signals import SAMPLE_RATE, write_audio
from tests.conftest import a_chromium

PAGE = """<!doctype html><html lang=en><title>recorder</title><main></main><script type=module>
import widget from "/recorder.js";
const state = window.state = {seconds: 1}, sent = window.sent = [];
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes: () => sent.push(btoa(String.fromCharCode(...new Uint8Array(state.sound.buffer)))),
};
window.leave = widget.render({model, el: document.querySelector("main")});
</script></html>"""

NO_MICROPHONE = "MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"

DURING = """() => {  // what is seen at the first sound; looked for in the page, since a recording is short
  const [button, status, timer, meter] =
    ["button", "[role=status]", "[role=timer]", "meter"].map(one => document.querySelector(one));
  const look = () => {
    if (meter.value > 0.1)
      window.during = [button, status, timer].map(one => one.innerText).concat(meter.checkVisibility());
    else setTimeout(look, 10); };
  look();
}"""


def melody() -> np.ndarray:
    """Four seconds of tones, a new one every 0.2 s, none twice; a browser repeats it."""
    pitches = np.random.default_rng(0).permutation(np.arange(20)) * 60.0 + 200.0
    phase = 2 * np.pi * np.cumsum(np.repeat(pitches, SAMPLE_RATE // 5)) / SAMPLE_RATE
    return (0.3 * np.sin(phase)).astype(np.float32)


def test_the_kernel_hands_each_recording_on_and_keeps_none():
    heard = []
    recorder = Recorder(heard.append)
    for sound in (b"one", b"one", b""):
        recorder.set_state({"sound": memoryview(sound)})  # as it comes from a page
    assert heard == [b"one", b"one"] and recorder.sound == b""
    with pytest.raises(ZeroDivisionError):
        Recorder(lambda sound: 1 / 0).sound = b"two"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = tmp_path_factory.mktemp("microphone") / "melody.wav"
    write_audio(path, melody())
    with a_chromium("--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={path}") as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """``open_page(address, permissions, before)``: a page with a recorder, whose script errors fail the test."""
    contexts, errors = [], []

    def opened(address="http://localhost/", permissions=("microphone",), before=""):
        contexts.append(browser.new_context(permissions=list(permissions)))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(before)
        page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        script = Path(inspect.getfile(Recorder)).with_name("recorder.js")
        page.route("**/recorder.js", lambda route: route.fulfill(path=script))
        page.goto(address)
        page.wait_for_function("Boolean(window.leave)")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def said(page) -> str:
    """What the recorder says once it is ready for another recording."""
    page.wait_for_function("""() => {
      const says = document.querySelector("[role=status]").textContent;
      return says && !says.startsWith("Recording");
    }""")
    assert page.get_by_role("button").inner_text() == "Record" and not page.get_by_role("timer").is_visible()
    return page.get_by_role("status").inner_text()


def test_what_the_microphone_plays_arrives(open_page, tmp_path):
    page = open_page()
    page.evaluate("state.seconds = 2")
    page.evaluate(DURING)
    page.get_by_role("button", name="Record").press("Enter")
    does, says, seconds, visible = page.wait_for_function("window.during").json_value()
    assert (does, says) == ("Stop", "Recording. It stops by itself after 2 s.") and visible
    assert seconds in ("0 s", "1 s") and page.get_by_label("Level of the microphone").count() == 1
    assert said(page) == "Recorded."  # it has stopped by itself
    (sound,) = page.evaluate("sent")

    path = tmp_path / "recorded"  # the bytes alone say what they are, as in chapter 18
    Recorder(path.write_bytes).set_state({"sound": memoryview(base64.b64decode(sound))})
    heard, played = read_voice(path), np.tile(melody(), 3)
    assert 1.0 < len(heard) / SAMPLE_RATE < 5.0
    alike = scipy.signal.correlate(played, heard, "valid")
    there = played[alike.argmax() :][: len(heard)]
    assert alike.max() > 0.9 * np.linalg.norm(there) * np.linalg.norm(heard)
    assert heard.std() == pytest.approx(there.std(), rel=0.1)


def test_stopped_by_hand_and_recorded_again(open_page):
    page = open_page()
    page.evaluate("state.seconds = 30")  # not by itself
    for times in (1, 2):
        page.get_by_role("button", name="Record").press("Space")
        page.get_by_role("button", name="Stop").press("Space")
        assert said(page) == "Recorded."
        assert page.evaluate("sent.length") == times


WHY = {
    "The browser refused the microphone. Allow it for this page and record again": {"permissions": ()},
    "gives a microphone only to pages from localhost or by https": {"address": "http://elsewhere.test/"},
    "No microphone was found. Connect one": {"before": NO_MICROPHONE},
    "Nothing was recorded.": {"before": "Blob.prototype.arrayBuffer = async () => new ArrayBuffer(0);"},
}


@pytest.mark.parametrize(("says", "options"), WHY.items())
def test_where_there_is_no_voice_one_sentence_says_why(open_page, says, options):
    page = open_page(**options)
    page.get_by_role("button", name="Record").click()
    told = said(page)
    assert says in told and "\n" not in told and page.evaluate("sent") == []


def test_who_leaves_sends_nothing(open_page):
    page = open_page()
    page.evaluate("state.seconds = 30")  # not by itself
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.evaluate("leave()")
    assert said(page) == "Recorded." and page.evaluate("sent") == []


def test_a_printed_page_gets_the_picture_of_a_typical_clip(report, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "1")
    assert show.explore(report).alt == show.attention(report.typical(1)[0]).alt


def test_choosing_a_clip_draws_it(report, monkeypatch):
    monkeypatch.setenv("SERTUT_STATIC", "0")
    chooser = show.explore(report, lambda example: f"{example.clip.speaker}, {example.clip.name}")
    clip = chooser.children[0]
    assert [name for name, _ in clip.options] == [
        f"{emotion}, actor 0{speaker + 1}, clip-{3 * speaker + label}"
        for label, emotion in enumerate(report.emotions)
        for speaker in range(3)
    ]
    clip.value = 7
    assert chooser.result == "actor 03, clip-7"
