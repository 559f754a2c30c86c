/* Ticks at the chapters that were read, in the list of pages and on the map. They are kept in this browser only. */
(() => {
  const KEY = "sertut-read", SAID = ", read";
  const chapter = address => (/notebooks\/\d+-([^/]+)\.html$/.exec(new URL(address, location.href).pathname) || [])[1]; // its number may change
  const own = chapter(location.href);
  let read = new Set();
  const load = () => {
    try { read = new Set(JSON.parse(localStorage.getItem(KEY)) || []); } catch { /* the browser keeps nothing: no ticks */ }
  };
  const keep = () => {
    try { localStorage.setItem(KEY, JSON.stringify([...read])); } catch { /* until the page is left */ }
  };

  function tick(link) {
    const done = read.has(chapter(link.getAttribute("href")));
    if (link.classList.contains("was-read") === done) return;
    link.classList.toggle("was-read", done);
    if (link.ariaLabel) link.ariaLabel = done ? link.ariaLabel + SAID : link.ariaLabel.replace(SAID, ""); // on the map
    else if (done) Object.assign(link.appendChild(document.createElement("span")), {className: "visually-hidden", textContent: SAID});
    else link.querySelector(".visually-hidden").remove();
  }

  function box() {
    const label = Object.assign(document.createElement("label"), {className: "book-read d-print-none"});
    const input = label.appendChild(Object.assign(document.createElement("input"), {type: "checkbox"}));
    label.append(" I have read this chapter ");
    label.appendChild(document.createElement("small")).textContent = "(kept in this browser, sent nowhere)";
    input.addEventListener("change", () => { load(); read[input.checked ? "add" : "delete"](own); keep(); draw(); });
    return label;
  }

  const draw = () => {
    document.querySelectorAll(".bd-links a, .book-map a").forEach(tick);
    document.querySelectorAll(".book-read input").forEach(input => { input.checked = read.has(own); });
  };
  document.addEventListener("DOMContentLoaded", () => {
    load();
    const end = document.querySelector(".bd-article");
    if (own && end) end.after(box());
    document.querySelectorAll(".book-map .number").forEach(number => {
      const mark = number.parentNode.appendChild(number.cloneNode());
      mark.textContent = "✓"; mark.setAttribute("class", "tick"); mark.setAttribute("dx", 20); mark.setAttribute("dy", -6);
    });
    draw();
  });
  window.addEventListener("storage", () => { load(); draw(); }); // ticked in another tab
})();
