// The button of a Recorder: asks for the microphone, shows time and level, sends what was recorded to the kernel.

const REFUSED = {
  NotAllowedError: "The browser refused the microphone. Allow it for this page and record again, or choose a file.",
  NotFoundError: "No microphone was found. Connect one and record again, or choose a file.",
  // There is no navigator.mediaDevices where others could listen on the way.
  TypeError: "The browser gives a microphone only to pages from localhost or by https. Choose a file.",
};
// What browsers do for calls changes how loud a voice is; the networks hear that.
const AS_SPOKEN = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };

function render({ model, el }) {
  el.innerHTML = `<button type="button" class="jupyter-widgets jupyter-button">Record</button>
    <span hidden><meter max="1" aria-label="Level of the microphone"></meter> <span role="timer"></span></span>
    <span role="status"></span>`;
  const [button, shown, meter, timer, status] = el.querySelectorAll("button, span, meter");
  let recorder = null, asking = false, gone = false;

  function begin(stream) {
    recorder = new MediaRecorder(stream);
    const limit = model.get("seconds"), start = performance.now(), parts = [];
    const context = new AudioContext(), analyser = context.createAnalyser(), wave = new Float32Array(analyser.fftSize);
    context.createMediaStreamSource(stream).connect(analyser);
    const tick = setInterval(() => {
      const seconds = (performance.now() - start) / 1000;
      analyser.getFloatTimeDomainData(wave);
      meter.value = Math.max(...wave.map(Math.abs));
      timer.textContent = `${Math.floor(seconds)} s`;
      if (seconds >= limit || gone) recorder.stop();
    }, 100);
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = async () => { // by the button, the time, or because the microphone was unplugged
      clearInterval(tick);
      stream.getTracks().forEach((track) => track.stop());
      context.close();
      recorder = null;
      const sound = await new Blob(parts).arrayBuffer(), empty = !sound.byteLength;
      show("Record", empty ? "Nothing was recorded. Record again, and speak before you stop." : "Recorded.", true);
      if (gone || empty) return;
      model.set("sound", new DataView(sound));
      model.save_changes();
    };
    recorder.start();
    show("Stop", `Recording. It stops by itself after ${limit} s.`, false);
  }
  function show(does, says, hidden) {
    [button.textContent, status.textContent, shown.hidden] = [does, says, hidden];
  }
  button.onclick = async () => {
    if (asking) return;
    if (recorder) return recorder.stop();
    asking = true;
    try {
      begin(await navigator.mediaDevices.getUserMedia({ audio: AS_SPOKEN }));
    } catch (error) {
      show("Record", REFUSED[error.name] || `The microphone cannot be used (${error.message}). Choose a file.`, true);
    }
    asking = false;
  };
  return () => { gone = true; };
}

export default { render };
