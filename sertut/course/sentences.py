"""What a chapter found, in sentences made from its claims: no number is typed, and no verdict."""

from collections.abc import Iterable, Mapping, Sequence

from sertut.course.pages import effect, short
from sertut.evidence import Claim
from sertut.evidence.intervals import Interval
from sertut.study import Study


def span(effect: Interval) -> str:
    """An effect with its sign and its interval."""
    return f"{short(effect.estimate)} [{short(effect.low)}, {short(effect.high)}]"


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


def behind(claims: Sequence[Claim], studies: Iterable[Study | None] = ()) -> str:
    """What stands behind the numbers, and what their intervals resample; studies: the references they come from."""
    several = []
    for study in filter(None, studies):
        (corpus, method), folds = next(iter(study.cells)), len(study.folds)
        found, s = study.pooled(method), "s" if folds > 1 else ""
        several += [f"`{corpus}`: {len(found.seeds)} seeds, {folds} fold{s}, {len(found.speakers)} speakers"]
    words = [
        f"Behind the numbers stand, on {'; '.join(several)}. The intervals in brackets resample speakers and seeds."
    ]
    single = (
        "What comes from one training, yours, says so: its interval resamples the test speakers only, and another seed"
        " may say something else."
    )
    alone = [single] if any(claim.seeds == 1 for claim in claims) else []
    return " ".join((words if several else []) + alone)
