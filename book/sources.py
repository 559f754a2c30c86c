"""Write book/references.md from book/references.bib: `python book/sources.py`. It needs the extra `book`.

Plain Markdown, one heading a source: a chapter can link to a source, and the link works in the built book, in Jupyter
and on the web pages of a repository. A citation role would show up raw in Jupyter and Colab.
"""

from pathlib import Path

from pybtex.database import Entry, parse_file
from pybtex.plugin import find_plugin

HERE = Path(__file__).parent
START = """# References

The papers of the four families of attention, the corpora, the tools of the planted corpus, and what they rest on;
published code on which a statement of a chapter rests, by the name of its repository.
[references.bib](references.bib) has them for your own papers.
"""


def name(entry: Entry) -> str:
    """As a chapter cites it: "Kim et al. 2022"; source code by its repository."""
    if "year" not in entry.fields:
        return entry.fields["url"].removeprefix("https://github.com/")
    people = [" ".join(person.prelast_names + person.last_names) for person in entry.persons["author"]]
    first = {1: people[0], 2: " and ".join(people)}.get(len(people), f"{people[0]} et al.")
    return first.replace(" and others", " et al.") + f" {entry.fields['year']}"


def page() -> str:
    """The whole page, sources in alphabetical order; a second one of the same name gets a letter."""
    sources, style, words = parse_file(HERE / "references.bib"), find_plugin("pybtex.style.formatting", "unsrt")(), {}
    for formatted in style.format_entries(sources.entries.values(), sources):
        title = name(sources.entries[formatted.key])
        words[f"{title}b" if title in words else title] = formatted.text.render_as("text")
    return START + "".join(f"\n## {title}\n\n{words[title]}\n" for title in sorted(words, key=str.lower))


if __name__ == "__main__":
    (HERE / "references.md").write_text(page(), encoding="utf-8")
