"""The attention player's page: style, drawing, controls and script; :mod:`sertut.show.player` fills in the %names%.

Every rule and every script is tied to the player's own id, so that many players can live on one page.
"""

PAGE = """\
<div id="%id%" class="sertut-player">
<style>
#%id% {background:#fff; color:#111; border:1px solid #bbb; border-radius:6px; padding:10px;
  max-width:704px; margin:8px 0;
  font:15px/1.4 sans-serif; box-sizing:border-box; color-scheme:light}
#%id% svg {display:block; width:100%; height:auto; background:#fff; cursor:pointer; touch-action:manipulation}
#%id% svg text {font-size:14px; fill:#111}
@media (max-width:500px) {#%id% svg text {font-size:24px}}
#%id% .cursor {stroke:#D55E00; stroke-width:2.5}
#%id% .row {display:flex; align-items:center; gap:10px; flex-wrap:wrap; margin-top:6px}
#%id% button {font:inherit; color:#111; background:#eee; border:1px solid #666; border-radius:4px;
  min-width:84px; min-height:40px; cursor:pointer}
#%id% input {flex:1 1 120px; min-height:32px; accent-color:#0072B2}
#%id% button:focus-visible, #%id% input:focus-visible {outline:3px solid #0072B2; outline-offset:2px}
#%id% output {min-width:6.5em; font-variant-numeric:tabular-nums}
#%id% .legend {display:flex; flex-wrap:wrap; gap:2px 14px; margin-top:4px}
#%id% .legend i {display:inline-block; width:12px; height:12px; margin-right:5px}
</style>
<div>%title%</div>
<svg viewBox="0 0 %wide% %tall%" role="img" aria-label="%alt%">%drawing%<path class="cursor" d="M0 0V%tall%"/></svg>
<div class="row">
<button type="button" aria-label="Play the clip">Play</button>
<input type="range" min="0" max="%seconds%" step="0.01" value="0" aria-label="Position in the clip, seconds">
<output aria-live="off">0.00 / %seconds% s</output>
</div>
<div class="legend">%legend%</div>
<audio preload="auto" src="%audio%"></audio>
<script>
(function () {
  var root = document.getElementById("%id%"), audio = root.querySelector("audio"), seconds = %seconds%;
  var button = root.querySelector("button"), slider = root.querySelector("input"), clock = root.querySelector("output");
  var cursor = root.querySelector(".cursor"), drawing = root.querySelector("svg");
  function show() {
    var now = Math.min(audio.currentTime, seconds);
    cursor.setAttribute("transform", "translate(" + (now / seconds * %wide%) + " 0)");
    slider.value = now;
    clock.textContent = now.toFixed(2) + " / " + seconds.toFixed(2) + " s";
  }
  function follow() { show(); if (!audio.paused) requestAnimationFrame(follow); }
  function seek(to) { audio.currentTime = Math.max(0, Math.min(seconds, to)); show(); }
  function label() {
    button.textContent = audio.paused ? "Play" : "Pause";
    button.setAttribute("aria-label", audio.paused ? "Play the clip" : "Pause the clip");
  }
  button.addEventListener("click", function () { if (audio.paused) { audio.play(); } else { audio.pause(); } });
  slider.addEventListener("input", function () { seek(parseFloat(slider.value)); });
  drawing.addEventListener("click", function (event) {
    var box = drawing.getBoundingClientRect();
    seek((event.clientX - box.left) / box.width * seconds);
  });
  audio.addEventListener("play", function () { label(); follow(); });
  audio.addEventListener("pause", label);
  audio.addEventListener("ended", function () { label(); show(); });
  audio.addEventListener("seeked", show);
})();
</script>
</div>
"""
