"""What a chapter found, in sentences made from its claims: no number is typed, and no verdict."""

from collections.abc import Mapping, Sequence

from sertut.course.pages import effect
from sertut.evidence import Claim
from sertut.evidence.intervals import Interval


def span(effect: Interval) -> str:
    """An effect with its sign and its interval."""
    return f"{effect.estimate:+.2f} [{effect.low:+.2f}, {effect.high:+.2f}]"


def verdicts(above: str, below: str) -> dict[str, str]:
    """Verdict of a claim -> how it is said: ``verdicts("better", "worse")``."""
    open_ = f"neither {above} nor {below} can be shown"
    return {"supported": above, "contradicted": below, "no difference shown": open_}


def by_verdict(claim: Claim, yes: str, no: str, unclear: str) -> str:
    """The words that the verdict of a claim asks for."""
    return {"supported": yes, "contradicted": no}.get(claim.verdict, unclear)


def told(claim: Claim, yes: str, unclear: str, no: str) -> str:
    """The sentence that the verdict of a claim asks for; EFFECT in it stands for the effect with its interval."""
    return by_verdict(claim, yes, no, unclear).replace("EFFECT", effect(claim.to_dict()))


def across(claims: Sequence[Claim], id: str, words: str, says: Mapping[str, str], also: str = "") -> str:
    """One sentence: on which corpora a claim holds, fails, or stays open; "" where it was not measured.

    Args:
        id, words, also: of the claim, and parts of its statement. says: from :func:`verdicts`.
    """
    parts = []
    for verdict, text in says.items():
        found = [
            f"`{claim.corpus}` ({span(claim.effect)}{', one training' if claim.seeds == 1 else ''})"
            for claim in claims
            if claim.id == id and claim.verdict == verdict and words in claim.statement and also in claim.statement
        ]
        if found:
            parts.append(f"{text} on {', '.join(found)}")
    return "; ".join(parts) + "." if parts else ""


def behind(claims: Sequence[Claim]) -> str:
    """How many seeds stand behind the numbers, and what their intervals resample."""
    several = sorted({claim.seeds for claim in claims} - {1})
    words = [
        f"Behind each number stand {' or '.join(map(str, several))} seeds on every fold of its reference; the intervals"
        " in brackets resample speakers and seeds."
    ]
    single = (
        "What comes from one training, yours, says so: its interval resamples the test speakers only, and another seed"
        " may say something else."
    )
    alone = [single] if any(claim.seeds == 1 for claim in claims) else []
    return " ".join((words if several else []) + alone)
