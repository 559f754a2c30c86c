// A formula wider than the page is set smaller, down to 70 %. One that is still wider scrolls inside its own box, which
// the keyboard can reach. At every width of the window, and when a folded one is opened.
const fit = formula => {
  formula.style.fontSize = formula.dataset.size ??= formula.style.fontSize;  // MathJax's own, before it is measured again
  const share = formula.clientWidth / formula.scrollWidth, size = parseFloat(getComputedStyle(formula).fontSize);
  if (share < 1) formula.style.setProperty("font-size", `${(size * Math.max(share * 0.99, 0.7)).toFixed(1)}px`, "important");
  formula.tabIndex = formula.scrollWidth > formula.clientWidth ? 0 : -1;
};
addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  const formulas = [...document.querySelectorAll('.bd-article mjx-container[display="true"]')];
  const watch = new ResizeObserver(changed => requestAnimationFrame(() =>
    changed.forEach(({target}) => formulas.filter(formula => formula.parentElement === target).forEach(fit))));
  formulas.forEach(formula => watch.observe(formula.parentElement));
  const asked = /^#figure-\d+$/.test(location.hash) && document.querySelector(location.hash);
  asked?.closest?.("details")?.setAttribute("open", "");
  asked?.scrollIntoView?.();  // not before: formulas move what is below them
});

// Plots have numbers that can be linked to, and what they show can be read in words, by everyone.
addEventListener("DOMContentLoaded", () => {
  const [chapter] = document.querySelector(".bd-article h1")?.textContent.match(/^\d+/) ?? [];
  const pictures = document.querySelectorAll(".bd-article .cell_output > img, .bd-article .cell_output > a > img");
  if (chapter) pictures.forEach((picture, k) => {
    const shown = picture.closest("a") ?? picture, below = Object.assign(document.createElement("div"), {className: "book-figure"});
    shown.id = `figure-${k + 1}`;
    below.innerHTML = `<a href="#${shown.id}">Figure ${chapter}.${k + 1}</a><details><summary>in words</summary></details>`;
    below.querySelector("details").append(picture.alt);
    shown.after(below);
  });
});
