/* On the search page: the words around what was found come from one file of texts. Sphinx would fetch whole pages,
   megabytes each, and could not where the book is opened from a folder. */
if (/\/search\.html$/.test(location.pathname)) {
  const script = document.head.appendChild(Object.assign(document.createElement("script"), {src: "_static/texts.js"}));
  const loaded = new Promise(done => script.addEventListener("load", done));
  const page = document.createElement("div").appendChild(Object.assign(document.createElement("div")));
  page.setAttribute("role", "main");
  window.fetch = async address => {
    await loaded;
    page.textContent = window.bookTexts[address.replace(/^\.\//, "").replace(/\.html$/, "")] || "";
    const html = page.outerHTML;
    return {text: async () => html};
  };
}
