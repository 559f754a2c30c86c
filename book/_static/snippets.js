/* On the search page: the words around what was found come from one file of texts. Sphinx would fetch whole pages,
   megabytes in all, and could not where the book is opened from a folder. It would also look for the stem of a word, as
   it is, and show how the page begins where the text has none, "synchroni" of "synchrony": here the word is found. */
if (/\/search\.html$/.test(location.pathname)) {
  const script = document.head.appendChild(Object.assign(document.createElement("script"), {src: "_static/texts.js"}));
  const loaded = new Promise(done => script.addEventListener("load", done));
  window.fetch = async address => {
    await loaded;
    return {text: async () => window.bookTexts[address.replace(/^\.\//, "").replace(/\.html$/, "")]};
  };
  document.addEventListener("DOMContentLoaded", () => {
    const summary = Search.makeSearchSummary, stemmer = new Stemmer();
    Search.htmlToText = text => text;
    Search.makeSearchSummary = (text, stems) => {
      const words = [...text.matchAll(/[\p{L}\p{N}_]+/gu)];
      return summary(text, Array.from(stems, stem => {
        const place = words.find(([word]) => stemmer.stemWord(word.toLowerCase()) === stem);
        return place ? text.slice(place.index, place.index + 240) : stem;  // Sphinx finds it by all that follows
      }));
    };
  });
}
