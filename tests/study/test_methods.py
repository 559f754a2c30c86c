"""Methods and recipes: one rule for every corpus that loads, and grids that are whole."""

from types import SimpleNamespace

import pytest

from sertut.corpora import NAMES
from sertut.errors import SertutError
from sertut.study import PROTOCOLS, Protocol, build, recipe
from sertut.study.methods import METHODS, PEERS
from sertut.training.recipe import make_recipe


@pytest.mark.parametrize("corpus", NAMES)
@pytest.mark.parametrize("method", ["attention", "fine", "+FA", "small-random, 10%"])
def test_every_corpus_that_loads_has_a_recipe(corpus, method):
    assert make_recipe(**recipe(corpus, method)).epochs >= 8


def test_recipes_follow_the_kind_of_corpus():
    assert recipe("emodb") == recipe("iemocap") == recipe("ravdess") != recipe("spliced-cremad")
    assert recipe("spliced-cremad", "+CA") == recipe("spliced-ravdess", "+CA")
    assert recipe("planted", "fine")["epochs"] == 18 and recipe("planted-band", "fine")["epochs"] == 30
    assert recipe("planted", "plain-mfcc")["feature"] == "mfcc_level" != recipe("planted", "plain")["feature"]


def test_unknown_names_and_missing_faces():
    with pytest.raises(SertutError, match="did you mean 'mean'"):
        build("meen", None)
    with pytest.raises(SertutError, match="'egemaps' has no network"):
        build("egemaps", None)
    with pytest.raises(SertutError, match="did you mean 'planted-loud'"):
        recipe("planted-lod")
    with pytest.raises(SertutError, match="'spliced-emodb' has none; choose a corpus with videos"):
        recipe("spliced-emodb", "align")


def test_grids_are_whole():
    for name, plan in PROTOCOLS.items():
        cells = {(t.method, t.fold, t.seed) for t in plan.trainings()}
        per_fold = len(plan.methods) * len(plan.seeds) + len(plan.peers)
        per_fold -= sum(len(plan.seeds) - len(seeds) for seeds in plan.fewer.values())
        assert len(cells) == len(plan.trainings()) == per_fold * plan.folds, name
        # Three are enough where the speakers of all folds stand behind a difference.
        assert len(plan.seeds) >= (3 if plan.folds >= 5 else 5) and set(plan.methods) <= set(METHODS) - set(PEERS), name
        assert set(plan.peers) <= set(PEERS), name
        assert all(set() < set(seeds) < set(plan.seeds) for seeds in plan.fewer.values()), name


def test_a_method_may_have_fewer_seeds_and_peers_have_none():
    plan = Protocol("?", ("mean", "attention"), (0, 1), folds=2, fewer={"mean": (1,)})
    cells = [(cell.method, cell.fold, cell.seed) for cell in plan.trainings()]
    assert cells == [("attention", 0, 0), ("attention", 1, 0)] + [(m, f, 1) for f in (0, 1) for m in plan.methods]
    cells = Protocol("?", ("mean",), (0, 1), folds=2, peers=PEERS).trainings()
    runs = [(cell.fold, cell.seed, cell.options) for cell in cells if cell.method == "egemaps"]
    assert runs == [(0, None, {}), (1, None, {})]


@pytest.mark.parametrize("method", ["plain", "+FA", "+CA", "+FA+CA", "+loudest"])
def test_networks_of_heads_are_small_on_ravdess(method):
    network = build(method, SimpleNamespace(name="ravdess", emotions=range(8)))
    assert network.n_features == 128 and sum(p.numel() for p in network.parameters()) <= 300_000
