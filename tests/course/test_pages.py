"""The claims page and the reference results: each claim once, short numbers, nothing that Markdown would spoil."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from sertut.course import pages
from sertut.course.catalog import chapters
from sertut.course.pages import claims_page, effect, sections

CLAIM = {
    "id": "D2", "statement": "attention finds <it>: its AUROC is higher", "source": "a paper", "grade": "paper",
    "corpus": "planted", "effect": 0.4, "low": 0.3, "high": 0.5, "threshold": 0.0, "unit": "AUROC",
    "verdict": "supported", "seeds": 5,
}  # fmt: skip


def marks(page: str) -> list[tuple[str, str, str]]:
    """Verdict, further attributes and text of each mark; the first four are the legend."""
    return re.findall(r'<\w+ class="claim-mark ?([^"]*)"([^>]*)>([^<]*)<', page)


def page_of(*claims: tuple[str, dict]) -> str:
    return claims_page([{"chapter": chapter, "claims": [{**CLAIM, **changes}]} for chapter, changes in claims])


def test_a_claim_is_a_row_with_all_its_measurements():
    page = page_of(("04-x", {}), ("05-y", {"corpus": "ravdess"}), ("05-y", {"statement": "another rival"}))
    assert page.count("<details") == page.count('id="claim-D2"') == 1
    assert page.count("<p>attention finds &lt;it&gt;: its AUROC is higher") == 1
    assert "Desai" in page and "Zhang" not in page, "a paper without a claim has no heading"
    assert page.count("<span>planted</span>") == 3 and "3 measurements" not in page and "2 measurements" in page


@pytest.mark.parametrize(("verdict", "sign"), [("supported", "▲"), ("contradicted", "▼"), ("no difference shown", "○")])
def test_a_verdict_is_seen_without_colors(verdict, sign):
    found = marks(page_of(("04-x", {"verdict": verdict})))[4:]
    assert len(found) == 2, "one in the row, one in the details"
    for seen, attributes, text in found:
        assert seen == verdict and text.split() == [sign, "+.40"]
        assert 'href="../notebooks/04-x.html"' in attributes
        assert f"{verdict}, +.40 [+.30, +.50] AUROC; measured in chapter 4" in attributes


def test_what_was_measured_once_looks_different_and_says_so():
    for seen, attributes, _ in marks(page_of(("04-x", {"seeds": 1})))[4:]:
        assert seen == "supported alone" and "AUROC, measured once; measured in chapter 4" in attributes
    assert all("once" not in attributes for _, attributes, _ in marks(page_of(("04-x", {"seeds": 2})))[4:])


def test_every_effect_is_drawn_on_one_axis():
    changes = {"corpus": "ravdess", "effect": 0.2, "low": -2.0, "high": 0.3, "threshold": 0.1, "verdict": "x"}
    page = page_of(("04-x", {}), ("05-y", changes))
    (drawing,) = re.findall(r'<svg class="all" viewBox="-1 0 2 2".*?</svg>', page, re.DOTALL)
    assert 'aria-label="2 measured effects with intervals: 1 supported"' in drawing
    assert 'class="supported" d="M0.3 0.5H0.5"' in drawing and 'class="point supported" d="M0.4 0.5h0"' in drawing
    assert 'd="M-1.0 1.5H0.2"' in drawing and 'd="M0.1 1.5h0"' in drawing, "from what it must exceed, and cut at -1"


def test_the_filter_comes_where_there_is_much_to_choose_from():
    many = [
        (f"{i:02d}-x", {"id": f"{'DZKC'[i % 4]}{i}", "verdict": "contradicted" if i else "supported"})
        for i in range(13)
    ]
    page = page_of(*many)
    assert page.count('<form class="filter" hidden>') == page.count("<script>") == 1
    assert re.findall(r'id="claim-D0" data-paper="(.)" data-verdicts="(\w+) "', page) == [("D", "supported")]
    assert "<form" not in page_of(*many[:12]) and "<script" not in page_of(*many[:12])


def test_what_no_paper_says_is_one_fold_where_there_is_much():
    papers, own = [(f"{i:02d}-x", {"id": f"Z{i}"}) for i in range(11)], [("05-y", {"id": "B1"}), ("06-y", {"id": "B2"})]
    page = page_of(*papers, *own)
    (fold,) = re.findall(r'<details class="own">.*', page, re.DOTALL)
    assert ">This book: 2 claims of its own," in fold and page.count("<h2") == 2
    assert re.findall('id="claim-(..)"', fold) == ["B1", "B2"], "the fold comes last and holds nothing else"
    assert page.count("<details") == page.count("</details>") == 14
    assert 'class="own"' not in page_of(*own), "a chapter shows its few claims at once"


def test_no_link_is_inside_a_fold_that_is_itself_pressed():
    assert "<a" not in re.findall(r"<summary\b.*?</summary>", page_of(("04-x", {})), re.DOTALL)[0]


def test_inside_a_chapter_marks_lead_nowhere():
    assert not [verdict for verdict, attributes, _ in marks(page_of(("this chapter", {}))) if "href" in attributes]


def test_markdown_leaves_the_page_alone():
    page = page_of(("04-x", {}), ("05-y", {"id": "K1"}), ("01-z", {"id": "leak"}))
    assert page.startswith("<div") and not re.search(r"\n\s*\n", page), "an empty line ends HTML in Markdown"
    assert "Kim, An" in page and "This book" in page


def test_reference_results_are_folded_and_short(tmp_path, monkeypatch):
    class FakeStudy:
        name, question, older = "one", "Which is better?", False

        def table(self):
            head = {"corpus": ["planted"] * 2, "method": ["mean", "attention"]}
            return pd.DataFrame(head | {"UAR": [".50 [.40, .60]", ".60 [.50, .70]"], "auroc": [np.nan, ".9"]})

    (tmp_path / "one.json").write_text("{}")
    monkeypatch.setattr(pages, "load_study", lambda name, folder: FakeStudy())
    page = pages.reference_page(tmp_path)
    assert page.count("<details") == 1 and "<b>one</b>: Which is better?" in page
    assert '<td data-name="UAR">.60<small>[.50, .70]</small></td>' in page
    assert "nan" not in page.lower().replace("pages", "") and "corpus: planted" in page
    assert "sertut study run one && " in unescape(page) and "`" not in page
    assert not re.search(r"\n\s*\n", page)
    assert pages.reference_page(tmp_path / "absent") == "No study has been run yet."


def test_an_effect_without_interval_and_no_effect_at_all():
    assert effect({"effect": 0.1, "low": None, "high": None, "unit": ""}) == "+.10"
    assert effect({"effect": -0.0071, "low": -0.02, "high": 1.5, "unit": "s"}) == "-.007 [-.020, +1.50] s"
    assert effect({"effect": 10.5, "low": None, "high": None, "unit": ""}) == "+10.50"
    assert effect({"effect": None, "low": None, "high": None, "unit": ""}) == "not measured"
    assert claims_page([{"chapter": "x", "claims": []}]) == "No chapter has measured a claim yet."


def test_a_mark_leads_to_the_section_that_measured_the_claim():
    where = {chapter.name: sections(chapter) for chapter in chapters()}
    assert where["04-regions-of-interest"]["D1"] == "#the-paper-s-claims"
    assert where["17-real-voices"]["V1"] == "#real-voices-do-the-differences-carry-a-claim"
    page = claims_page([{"chapter": "04-x", "claims": [CLAIM], "sections": {"D2": "#the-paper-s-claims"}}])
    assert page.count('href="../notebooks/04-x.html#the-paper-s-claims"') == 3
