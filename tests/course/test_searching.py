"""What a search shows around the words that it found."""

from docutils import nodes

from sertut.course.searching import plain


def test_only_words_that_a_reader_sees():
    tree = nodes.section("", nodes.paragraph("", "", nodes.Text("A wave,"), nodes.math("", r"\alpha")))
    tree += [nodes.raw("", "<audio src=x>"), nodes.comment("", "later"), nodes.literal_block("", "print(1)\n  2")]
    assert plain(tree) == "A wave, print(1) 2"
