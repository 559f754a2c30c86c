"""What the speakers of the planted corpora say: plain statements about nothing that moves anybody."""

from __future__ import annotations

SENTENCES = (
    "The carpenter measured the window before breakfast.",
    "Yesterday the neighbors painted their wooden balcony.",
    "A yellow umbrella stood beside the entrance.",
    "Several passengers waited at the railway platform.",
    "The librarian arranged the dictionaries on Wednesday.",
    "My grandfather collects postcards from Canada.",
    "Our teacher copied the numbers onto the blackboard.",
    "The gardener watered the tomatoes on Saturday.",
    "Tomorrow the museum opens another exhibition.",
    "The secretary folded the letters into envelopes.",
    "They carried the furniture through the corridor.",
    "The bakery delivers sandwiches every morning.",
    "A photographer visited the village in September.",
    "The engineer explained the diagram to the visitors.",
    "Students usually borrow calculators at school.",
    "The postman delivered a package to the library.",
    "Both musicians practiced the melody together.",
    "The restaurant serves vegetables with potatoes.",
    "An electrician repaired the elevator on Monday.",
    "Her cousin ordered a newspaper and some coffee.",
    "The customer signed the document at the counter.",
    "Fishermen usually gather around the harbor.",
    "The bicycle belongs behind the garden fence.",
    "The committee discussed the calendar for October.",
)
"""Each has several long content words."""

SHORTEST = 6  # letters of a word that may carry a cue: long enough to hear an emotion in
FUNCTION_WORDS = {"before", "beside", "several", "another", "through", "usually", "together", "around", "behind"}


def content_words(sentence: str) -> list[int]:
    """Indices of the words that may carry a cue."""
    words = [word.strip(".").lower() for word in sentence.split()]
    return [i for i, word in enumerate(words) if len(word) >= SHORTEST and word not in FUNCTION_WORDS]


LONG_SENTENCES = tuple(sentence for sentence in SENTENCES if len(content_words(sentence)) > 3)
"""Sentences in which three words can carry emotion and one is left to be neutral and loud."""
