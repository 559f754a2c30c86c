/* Figures to touch: the page computes what sertut/show/touch.py computes, from the same numbers. A page needs it once. */
window.sertutTouch = window.sertutTouch || (function () {
  "use strict";
  var sum = function (v) { return v.reduce(function (a, b) { return a + b; }, 0); };
  var top = function (v) { return v.reduce(function (a, b, i) { return b > v[a] ? i : a; }, 0); };
  var signed = function (v, digits) { return (v < 0 ? "−" : "+") + Math.abs(v).toFixed(digits); };
  var percent = function (v) { return Math.round(100 * v) + " %"; };
  function softmax(scores) {
    var high = Math.max.apply(null, scores), e = scores.map(function (s) { return Math.exp(s - high); }), all = sum(e);
    return e.map(function (v) { return v / all; });
  }

  /* A mark is a class and a path in a box of 1000 x 100, y down; or a class and a table of opacities, lowest row first. */
  function weigh(v, x, dx) {
    var high = Math.max(Math.max.apply(null, v), 1.5 / v.length);
    return [["look", "M" + x.toFixed(2) + " 100" + v.map(function (w, k) {
      return "V" + (100 - 100 * w / high).toFixed(2) + "H" + (x + dx * (k + 1)).toFixed(2);
    }).join("") + "V100"], ["uniform", rule(100 - 100 / v.length / high)]];
  }
  function line(v, x, dx) {
    return "M" + v.map(function (w, k) { return (x + dx * k).toFixed(2) + " " + w.toFixed(2); }).join("L");
  }
  var rule = function (y) { return "M0 " + y.toFixed(2) + "H1000"; };
  var post = function (x) { return "M" + x.toFixed(2) + " 0V100"; };

  var models = {
    softmax: function (d, v) {
      var real = d.real, masked = v.mask > 0;
      var w = softmax(real.map(function (r, k) { return r || !masked ? v["score" + k] + v.constant : -Infinity; }));
      var out = {}, bars = {}, best = top(w), lost = sum(w.filter(function (_, k) { return !real[k]; }));
      w.forEach(function (one, k) { bars["score" + k] = one; out["score" + k] = signed(v["score" + k], 1) + " → " + percent(one); });
      out.constant = signed(v.constant, 1);
      return {rows: [], bars: bars, out: out, said: "Step " + (best + 1) + " gets most, " + percent(w[best]) + "; padding gets " +
        percent(lost) + "." + (v.constant ? " The constant is in all scores, and no weight has changed by it." : "")};
    },
    frames: function (d, v) {
      var window_ = d.windows[v.window], hop = d.hops[v.hop], bands = d.bands[v.bands], every = hop / d.hops[0];
      var bytes = atob(d.tables[window_ + "-" + bands]), n = bytes.length / bands, table = [], m = Math.ceil(n / every);
      for (var f = 0; f < bands; f++) {
        table.push([]);
        for (var t = 0; t < n; t += every) { table[f].push(bytes.charCodeAt(t * bands + f) / 255); }
      }
      return {rows: [{marks: ["wave"]}, {marks: [["ink", table]]}], bars: {},
        out: {window: window_ + " ms", hop: hop + " ms", bands: String(bands)},
        said: m + " frames of " + bands + " bands: " + m * bands + " numbers. Tones closer than about " + Math.round(1000 / window_) +
          " Hz run together" + d.pitch + ", and what is shorter than " + window_ + " ms is smeared."};
    },
    scale: function (d, v) {
      var scale = v.scale <= d.lowest ? 0 : d.scale * Math.pow(10, v.scale / 20), n = d.scores[0].length, time = [];
      var flat = softmax([].concat.apply([], d.scores).map(function (s) { return scale * s; }));
      var table = [], high = Math.max.apply(null, flat), half = 0, cells = 0;
      for (var f = 0; f < d.scores.length; f++) { table.push(flat.slice(f * n, f * n + n).map(function (w) { return w / high; })); }
      for (var t = 0; t < n; t++) { time.push(sum(table.map(function (row) { return row[t] * high; }))); }
      flat.slice().sort(function (a, b) { return b - a; }).forEach(function (w) { if (half < 0.5 - 1e-6) { half += w; cells++; } });
      var text = scale.toPrecision(2);
      return {rows: [{marks: ["spectrogram", ["map", table, d.x, d.dx * n]].concat(d.spans)},
        {marks: d.spans.concat(weigh(time, d.x, d.dx))}],
        bars: {}, out: {scale: "λ = " + (scale ? text : "0")},
        said: "Half of the weight lies on " + cells + " of " + flat.length + " cells; the strongest holds " +
          (100 * high).toFixed(1) + " %." + (scale ? scale === d.scale ? " So the network was trained." : "" : " This is mean pooling.")};
    },
    queries: function (d, v) {
      var bytes = atob(d.weights), n = d.n, w = [], k = 2 * n * n * v.head;
      for (var i = 0; i < n; i++) {
        w.push([]);
        for (var j = 0; j < n; j++, k += 2) { w[i].push((bytes.charCodeAt(k) + 256 * bytes.charCodeAt(k + 1)) / d.finest); }
      }
      var row = w[v.query], at = d.x + d.dx * (v.query + 0.5), best = top(row), inside = sum(row.filter(function (_, k) { return d.inside[k]; }));
      var high = Math.max.apply(null, [].concat.apply([], w)), mark = ["mark", post(at)], second = function (k) { return (d.start + d.hop * (k + 0.5)).toFixed(2) + " s"; };
      var across = {sets: "query", from: -d.start / d.hop - 0.5, to: (1000 - d.x) / d.dx - 0.5};
      return {rows: [{marks: d.spans.concat(["wave", mark]), hover: across}, {marks: ["spectrogram", mark], hover: across},
        {marks: d.spans.concat(weigh(row, d.x, d.dx), [mark]), hover: across},
        {marks: [["map", w.map(function (r) { return r.map(function (x) { return x / high; }); }).reverse(), d.x, d.dx * n],
          ["mark", rule(100 * (v.query + 0.5) / n)]], hover: {sets: "query", from: -0.5, to: n - 0.5, down: true}}],
        bars: {}, out: {head: String(v.head + 1), query: second(v.query)},
        said: "The step at " + second(v.query) + " asks. It looks most at " + second(best) + ", " + (row[best] * n).toFixed(1) +
          " times the uniform weight." + (d.known ? " " + percent(inside) + " of its weight lies in the true region." : "")};
    },
    focus: function (d, v) {
      var scores = d.scores[v.head], centers = scores.map(function (_, k) { return d.start + d.hop * (k + 0.5); });
      var G = centers.map(function (t) { return -2 * Math.pow((t - v.center) / v.width, 2); });
      var plain = softmax(scores), w = softmax(scores.map(function (s, k) { return s + G[k]; }));
      var best = top(w), said = function (k) { return centers[k].toFixed(2) + " s"; };
      var near = sum(w.filter(function (_, k) { return Math.abs(centers[k] - v.center) <= v.width / 2; }));
      return {rows: [{marks: d.spans.concat(["wave"])}, {marks: weigh(plain, d.x, d.dx)},
        {marks: [["window", line(G.map(function (g) { return 100 - 100 * Math.exp(g); }), d.x + d.dx / 2, d.dx)]],
          hover: {sets: "center", from: 0, to: d.seconds, press: true}},
        {marks: d.spans.concat(weigh(w, d.x, d.dx))}],
        bars: {}, out: {head: (v.head + 1) + d.own[v.head], center: v.center.toFixed(2) + " s", width: v.width.toFixed(2) + " s"},
        said: "The content alone looks most at " + said(top(plain)) + "; the product, at " + said(best) + ". " + percent(near) +
          " of the weight lies inside the window." + (Math.abs(centers[best] - v.center) > v.width / 2 ? " The content outvotes the window." : "")};
    },
    lag: function (d, v) {
      var n = d.voice.length, r = [], shift = v.lag, seen = v.seen || [shift];
      for (var lag = -d.most; lag <= d.most; lag++) {
        var all = 0;
        for (var t = 0; t < n; t++) { if (t - lag >= 0 && t - lag < n) { all += d.face[t] * d.voice[t - lag]; } }
        r.push(all / d.real);
      }
      var dx = 1000 / n, wide = 1000 / r.length, high = Math.max.apply(null, r.map(Math.abs)), y = function (x) { return 50 - 16 * x; };
      var best = seen.reduce(function (a, b) { return r[b + d.most] > r[a + d.most] ? b : a; }), time = function (k) { return signed(k * d.hop, 2) + " s"; };
      var bars = seen.map(function (k) {
        return "M" + ((k + d.most) * wide + 1).toFixed(2) + " 50V" + (50 - 48 * r[k + d.most] / high).toFixed(2) + "h" + (wide - 2).toFixed(2) + "V50Z";
      }).join("");
      var ends = "M0 " + (100 - shift * 100 / n).toFixed(2) + "L1000 " + (-shift * 100 / n).toFixed(2);
      return {rows: [{marks: [["voice", line(d.voice.map(y), dx / 2, dx)], ["face", line(d.face.map(y), dx * (0.5 - shift), dx)]]},
        {marks: ["pairs", ["mark", ends]]},
        {marks: [["look", bars], ["uniform", rule(50)], ["mark", post((shift + d.most + 0.5) * wide)]],
          hover: {sets: "lag", from: -d.most - 0.5, to: d.most + 0.5, press: true}}],
        bars: {}, out: {lag: time(shift)},
        said: "Lag " + time(shift) + ": agreement " + signed(r[shift + d.most], 2) + ". Best so far: " + signed(r[best + d.most], 2) + " at " + time(best) +
          "." + (best === top(r) - d.most ? " No lag agrees more." + d.truth : "")};
    }
  };

  function picture(table, color) {
    var canvas = document.createElement("canvas"), paper = canvas.getContext("2d"), high = table.length, wide = table[0].length;
    canvas.width = wide; canvas.height = high;
    var pixels = paper.createImageData(wide, high);
    table.forEach(function (row, f) {
      row.forEach(function (value, t) {
        pixels.data.set([color[0], color[1], color[2], Math.round(255 * value)], 4 * ((high - 1 - f) * wide + t));
      });
    });
    paper.putImageData(pixels, 0, 0);
    return canvas.toDataURL();
  }

  function start(id, name, data) {
    var root = document.getElementById(id), inputs = {}, kept = {}, seen = [], last = null;
    var find = function (what) { return Array.prototype.slice.call(root.querySelectorAll(what)); };
    find("[data-keep]").forEach(function (mark) { kept[mark.dataset.keep] = mark; });
    find("input").forEach(function (input) { inputs[input.dataset.name] = input; input.disabled = false; });
    var rows = find(".sertut-row svg"), state = null;
    function draw() {
      var values = {};
      Object.keys(inputs).forEach(function (key) { values[key] = inputs[key].type === "checkbox" ? +inputs[key].checked : +inputs[key].value; });
      if ("lag" in values) {  /* what the slider has passed over has been seen */
        if (last === null) { last = values.lag; }
        for (var k = last; ; k += Math.sign(values.lag - last)) { if (seen.indexOf(k) < 0) { seen.push(k); } if (k === values.lag) { break; } }
        last = values.lag;
        values.seen = seen.sort(function (a, b) { return a - b; });
      }
      state = models[name](data, values);
      state.rows.forEach(function (row, i) {
        rows[i].replaceChildren();
        row.marks.forEach(function (mark) {
          if (typeof mark === "string") { rows[i].appendChild(kept[mark]); return; }
          var image = typeof mark[1] !== "string", shape = document.createElementNS(root.querySelector("svg").namespaceURI, image ? "image" : "path");
          var given = image ? {href: picture(mark[1], mark[0] === "map" ? data.color : [0, 0, 0]), x: mark[2] || 0, y: 0,
            width: mark[3] || 1000, height: 100, preserveAspectRatio: "none"} : {d: mark[1]};
          Object.keys(given).forEach(function (key) { shape.setAttribute(key, given[key]); });
          shape.setAttribute("class", "sertut-" + mark[0]);
          rows[i].appendChild(shape);
        });
      });
      Object.keys(state.out).forEach(function (key) {
        find('[data-of="' + key + '"]')[0].textContent = state.out[key];
        inputs[key].setAttribute("aria-valuetext", state.out[key]);
      });
      Object.keys(state.bars).forEach(function (key) { find('[data-bar="' + key + '"]')[0].style.width = 100 * state.bars[key] + "%"; });
      root.querySelector(".sertut-said").textContent = state.said;
    }
    rows.forEach(function (svg, i) {
      function move(event) {
        var way = state.rows[i].hover, box = svg.getBoundingClientRect();
        if (!way || (way.press && !event.buttons)) { return; }
        var part = way.down ? (event.clientY - box.top) / box.height : (event.clientX - box.left) / box.width;
        inputs[way.sets].value = way.from + part * (way.to - way.from);  /* the input rounds */
        draw();
      }
      svg.addEventListener("pointermove", move);
      svg.addEventListener("pointerdown", move);
    });
    Object.keys(inputs).forEach(function (key) { inputs[key].addEventListener("input", draw); });
    draw();
  }
  return {start: start, models: models};
})();
