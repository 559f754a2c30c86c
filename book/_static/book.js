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
  reveal();  // not before: formulas move what is below them
});

// What only reviewers need is one fold. A link to what lies in a fold opens it.
addEventListener("DOMContentLoaded", () => {
  const section = document.querySelector("#for-reviewers"), fold = document.createElement("details");
  fold.innerHTML = "<summary>Show what a reviewer needs: claims, bands, controls</summary>";
  if (!section) return;
  fold.append(...[...section.children].slice(1));  // without the heading
  section.append(fold);
});
const reveal = () => {
  const asked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let one = asked; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  asked?.scrollIntoView();
};
addEventListener("hashchange", reveal);
