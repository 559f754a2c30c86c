// A formula that scrolls inside its own box can be reached by the keyboard, at every width of the window (the theme does it for the rest).
addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  const watch = new ResizeObserver(changed => changed.forEach(({target}) => { target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1; }));
  document.querySelectorAll('.bd-article mjx-container[display="true"]').forEach(formula => watch.observe(formula));
});
