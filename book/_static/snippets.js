/* On the search page: the words around what was found come from one file of texts. Sphinx would fetch whole pages,
   megabytes in all, and could not where the book is opened from a folder. */
if (/\/search\.html$/.test(location.pathname)) {
  const script = document.head.appendChild(Object.assign(document.createElement("script"), {src: "_static/texts.js"}));
  const loaded = new Promise(done => script.addEventListener("load", done));
  window.fetch = async address => {
    await loaded;
    return {text: async () => window.bookTexts[address.replace(/^\.\//, "").replace(/\.html$/, "")]};
  };
  document.addEventListener("DOMContentLoaded", () => { Search.htmlToText = text => text; });
}
