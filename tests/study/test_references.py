"""Reference results: those that are committed fit the protocols, say when they are older, and are read back whole."""

from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import pandas as pd
import pytest

from sertut.course.pages import reference_page
from sertut.errors import SertutError
from sertut.study import PROTOCOLS, Study, build, load_study, published_numbers, recipe, reference, renewal
from sertut.study.grid import FAMILIES, plan_digests
from sertut.study.methods import METHODS
from sertut.study.references import BOOK_RESULTS

COMMITTED = sorted(path.stem for path in BOOK_RESULTS.glob("*.json"))
RIGHT, WRONG = [[2, 0], [0, 2]], [[0, 2], [2, 0]]


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_results_fill_the_grid_of_their_protocol(name):
    """Options are the recipe's, the precision of old ones aside, and a chosen learning rate was the best on dev."""
    study, plan = load_study(name), PROTOCOLS[name]
    found = {(r["method"], r["fold"], r["seed"]): {**r["options"]} for r in study.results}
    wanted = {(t.method, t.fold, t.seed): {**t.options} for t in plan.trainings()}
    for options in found.values():
        options.pop("precision", None)
    for result in study.results if plan.rates else ():
        cell = result["method"], result["fold"], result["seed"]
        tried = {rate: uar for rate, uar in result["choice"]["dev_uar"]}
        rate, _ = found[cell].pop("learning_rate"), wanted[cell].pop("learning_rate")
        assert set(tried) == set(plan.rates) and tried[rate] == max(tried.values())
    assert found == wanted and study.question == plan.question
    drawn = [r for r in study.results if METHODS[r["method"]].start == "random" and r["seed"] is not None]
    for result in {r["method"]: r for r in drawn}.values():
        like = SimpleNamespace(name=plan.corpus, emotions=result["report"]["emotions"])
        assert result["parameters"] == sum(p.numel() for p in build(result["method"], like).parameters())


def asked_of(corpus, method):
    """The parts of a result that chapters read, beside the report."""
    plan = METHODS[method]
    arguments, alone = plan.arguments, plan.arguments.get("streams", "both") != "both"
    asked = {
        "heads": {"deletion", *(["gates"] if "calibrate" in arguments else [])},
        "convolutional": set() if "scale" in arguments else {"middle", "segments", "joined"},
        "audiovisual": {"mixture"} if alone and corpus == "planted" else set(),
    }.get(plan.recipes, set())
    if "mixture" in asked and arguments.get("pooling") != "mean":
        asked |= {"course", "moments"}
    asked |= {"streams"} if method == "face" else set()
    asked |= {"deletion", "confidence"} if method == "attention" else set()
    return asked | ({"preference"} if method == "perception" and corpus in ("planted", "planted-blend") else set())


@pytest.mark.parametrize("name", COMMITTED)
def test_a_reference_of_today_keeps_all_that_a_renewal_would(name):
    """Digests alone would not tell: they are set anew when code changes that leaves the numbers as they are."""
    study = load_study(name)
    for result in () if study.older else study.results:
        asked = asked_of(result["corpus"], result["method"])
        if name == "voices-ravdess" and result["seed"] == 0 and result["method"] in FAMILIES:
            asked |= {"confidence"}
        assert asked <= result.keys(), (result["method"], result["fold"], result["seed"])


def test_every_reference_is_on_the_page(monkeypatch):
    monkeypatch.setattr(Study, "table", lambda self: pd.DataFrame([{"corpus": "any", "method": "any", "UAR": 1}]))
    page = unescape(reference_page(BOOK_RESULTS))
    for name in COMMITTED:
        assert f'id="study-{name}"' in page and f"sertut study run {name} && sertut study report {name}" in page


@pytest.mark.parametrize("corpus", ["ravdess", "emodb"])
def test_every_published_number_has_its_protocol_and_source(corpus):
    table = published_numbers(corpus)
    for column in ("system", "protocol", "source", "grade"):
        assert table[column].str.strip().str.len().gt(3).all()
    assert table["source"].str.contains("doi |arXiv |github ").all()
    assert set(table["new_speakers"]) <= {"yes", "no", "not checked"} >= set(table["tuned_on_test"])
    scores = table[["WA", "UAR"]]
    assert scores.notna().any(axis=1).all() and not table["system"].duplicated().any()
    assert ((scores > 1 / table["classes"].max()) & (scores < 1) | scores.isna()).all(axis=None)


def test_published_numbers_known_values():
    table = published_numbers("ravdess").set_index("system")
    assert table.loc["residual LSTM with attention, width 64", ["UAR", "tuned_on_test"]].tolist() == [0.6232, "yes"]
    assert table.loc["TIM-Net, as corrected by its authors", "new_speakers"] == "no"
    with pytest.raises(SertutError, match="unknown corpus with published numbers 'planted'"):
        published_numbers("planted")


def result(fold, seed, **extra):
    """A fold of one speaker: right on long pieces, wrong on short ones, half right on whole clips."""
    who = [f"speaker {fold}"]
    about = {"speakers": who, "statistics": {"uar": "uar"}}
    part = about | {"methods": {"model": {"uar at 0.5": [WRONG], "uar at 2": [RIGHT]}}}
    report = about | {"methods": {"model": {"uar": [[[1, 1], [1, 1]]]}}, "emotions": ["a", "b"]}
    lengths = {"middle": part, "segments": part, "joined": part} | extra
    whole = {"corpus": "planted", "method": "small", "fold": fold, "seed": seed, "report": report} | lengths
    return whole | {"options": recipe("planted", "small"), "digests": plan_digests("planted", "small")}


@pytest.fixture
def study():
    return Study("spectrogram-planted", "?", [result(fold, seed) for fold in (0, 1, 2) for seed in (0, 1)])


@pytest.mark.parametrize(
    "change", [{"options": {"epochs": 1}}, {"digests": {}}, {"digests": plan_digests("planted", "small-mean")}]
)
def test_a_reference_says_when_it_is_older_than_the_code(study, change):
    assert not study.older and "older" not in renewal(study)
    old = replace(study, results=[*study.results[:-1], {**study.results[-1], **change}])
    assert old.older and renewal(old, None).startswith("Reference, older than the code: spectrogram-planted. Renew")
    assert "run spectrogram-planted && sertut study report spectrogram-planted`" in renewal(old)
    young = Study("faces-planted", "?", [])
    both = "faces-planted. Older than the code: spectrogram-planted. Renew with: `sertut study run NAME"
    assert both in renewal(old, young)
    assert renewal(young).startswith("Reference: faces-planted. Renew") and "No reference" in renewal(None)


def test_a_chosen_rate_does_not_make_a_reference_older():
    (method, *_), corpus = PROTOCOLS["transfer-planted"].methods, "planted"
    row = {"corpus": corpus, "method": method, "digests": plan_digests(corpus, method)}
    row |= {"options": recipe(corpus, method) | {"learning_rate": 0.5}}
    assert not Study("transfer-planted", "?", [row]).older


def test_scores_at_each_length(study):
    """Lengths are pooled as whole clips are: speakers side by side, seeds apart."""
    found = study.pooled("small", "middle")
    assert found.settings == (0.5, 2.0)
    assert (found.at(0.5).uar.estimate, found.at(2.0).uar.estimate) == (0.0, 1.0)
    assert found.seeds == (0, 1) and len(found.speakers) == 3
    gain = study.pooled("small").against(study.pooled("small", "segments").at(0.5))
    assert gain.estimate == 0.5 and gain.low == 0.5


def test_a_part_of_one_seed_is_pooled_where_every_fold_has_it(study):
    first = [one | {"gates": one["middle"]} if one["seed"] == 0 else one for one in study.results]
    found = replace(study, results=first).pooled("small", "gates")
    assert found.seeds == (0,) and len(found.speakers) == 3
    without = replace(study, results=[study.results[0], *first[1:]])  # no fold is left out in silence
    with pytest.raises(SertutError, match="holds no gates of 'small'"):
        without.pooled("small", "gates")


def test_costs_are_in_the_table_where_they_are_known(study):
    """Older results lack them, and a system may not tell its memory."""
    known = [result | {"parameters": 1, "seconds": 4.0} for result in study.results]
    plain = replace(study, results=known).table().iloc[0]
    assert plain["seconds a training"] == "4" and not {"memory, MiB", "real-time factor"} & set(plain.index)
    told = zip(known, (612.4, None, 613.4, 614.0, None, None), strict=True)
    new = [result | {"memory": memory, "real_time_factor": 0.01234} for result, memory in told]
    row = replace(study, results=new).table().iloc[0]
    assert (row["memory, MiB"], row["real-time factor"]) == ("613", "0.012")  # medians of what is known


def test_what_is_not_there_is_named(study, tmp_path):
    with pytest.raises(SertutError, match="unknown method 'smal'"):
        study.pooled("smal")
    with pytest.raises(SertutError, match=r"holds no deletion of 'small'.*sertut study run"):
        study.pooled("small", "deletion")
    assert study.has("small", "joined") and not study.has("small", "deletion") and not study.has("smal")
    with pytest.raises(SertutError, match="sertut study run regions-planted"):
        load_study("regions-planted", tmp_path)
    assert reference("planted", folder=tmp_path) is None and reference("no such corpus") is None
