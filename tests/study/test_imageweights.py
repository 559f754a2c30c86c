"""Weights from photographs: they reach the trunk, scaled for our features; what does not fit is named."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sertut.errors import SertutError
from sertut.models import FullyConvolutional
from sertut.signals import Batch
from sertut.study.imageweights import FILE, PIXEL_STD, chosen_weights, load_image_weights


def state():
    """Other weights than those of a new model, under torchvision's names, with a classifier that nobody needs."""
    torch.manual_seed(1)
    drawn = FullyConvolutional(2, "squeezenet").trunk.state_dict()
    return {f"features.{name}": value for name, value in drawn.items()} | {"classifier.1.bias": torch.zeros(1000)}


def write(path: Path, content: dict) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **{name: value.numpy() for name, value in content.items()})
    elif path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("ending", ["npz", "safetensors", "pth"])
def test_every_weight_arrives_and_the_first_layer_is_scaled(tmp_path, ending):
    content = state()
    model = load_image_weights(FullyConvolutional(3, "squeezenet"), write(tmp_path / f"w.{ending}", content), 57.0)
    with pytest.raises(SertutError, match="no weights from photographs for the trunk 'small'; choose 'squeezenet'"):
        load_image_weights(FullyConvolutional(3, "small"), tmp_path / f"w.{ending}")
    for name, value in model.trunk.state_dict().items():
        factor = 57.0 if name == "0.weight" else 1.0
        torch.testing.assert_close(value, factor * content[f"features.{name}"])
    assert model.pretrained


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"3.squeeze.bias": None}, r"w\.npz: features\.3\.squeeze\.bias has no numbers where the trunk has \(16"),
        ({"0.weight": torch.zeros(96, 1, 7, 7)}, r"features\.0\.weight has \(96, 1, 7, 7\) numbers"),
        ({"99.weight": torch.zeros(1)}, r"features\.99\.weight has \(1,\) numbers where the trunk has no;"),
        ({"0.bias": torch.full((96,), torch.nan)}, r"features\.0\.bias holds numbers that are not finite"),
    ],
    ids=["missing", "shape", "extra", "nan"],
)
def test_what_does_not_fit_is_named(tmp_path, broken, message):
    model = FullyConvolutional(3, "squeezenet")
    before = model.trunk[0].weight.clone()
    content = state() | {f"features.{name}": value for name, value in broken.items()}
    there = {name: value for name, value in content.items() if value is not None}
    with pytest.raises(SertutError, match=message):
        load_image_weights(model, write(tmp_path / "w.npz", there))
    assert torch.equal(model.trunk[0].weight, before) and not model.pretrained


@pytest.mark.parametrize("ending", ["npz", "safetensors", "pth"])
def test_unreadable_files(tmp_path, ending):
    path = tmp_path / f"w.{ending}"
    with pytest.raises(SertutError, match="do not exist"):
        load_image_weights(FullyConvolutional(3, "squeezenet"), path)
    path.write_bytes(b"not weights")
    with pytest.raises(SertutError, match=rf"w\.{ending} cannot be read"):
        load_image_weights(FullyConvolutional(3, "squeezenet"), path)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"features.0.weight": Evil()}, tmp_path / "w.pth")
    with pytest.raises(SertutError, match="cannot be read"):
        load_image_weights(FullyConvolutional(3, "squeezenet"), tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_without_internet_the_file_and_the_remedy_are_named(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(SertutError, match=r"squeezenet1_0-\w+\.pth could not be downloaded \(no network\).*pass path="):
        load_image_weights(FullyConvolutional(3, "squeezenet"))


def test_the_environment_names_a_file_or_its_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SERTUT_WEIGHTS", raising=False)
    assert chosen_weights() is None
    monkeypatch.setenv("SERTUT_WEIGHTS", str(tmp_path))
    with pytest.raises(SertutError, match=rf"{FILE}, which does not exist"):
        chosen_weights()
    (tmp_path / FILE).touch()
    assert chosen_weights() == tmp_path / FILE
    monkeypatch.setenv("SERTUT_WEIGHTS", str(tmp_path / FILE))
    assert chosen_weights() == tmp_path / FILE


def test_real_weights_see_what_is_in_a_photograph():
    """The whole SqueezeNet says "bell cote", "monastery" or "stupa" of the pagoda, and our trunk gives its features."""
    from sklearn.datasets import load_sample_image
    from torchvision.models import squeezenet1_0

    path = chosen_weights()
    if path is None:
        pytest.skip("needs SqueezeNet's ImageNet weights: set SERTUT_WEIGHTS to their folder")
    with np.load(path) as arrays:
        whole = squeezenet1_0(weights=None)
        whole.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    whole.eval()
    image = torch.from_numpy(load_sample_image("china.jpg")[:, :427].copy()).permute(2, 0, 1)[None].float()
    image = torch.nn.functional.interpolate(image, (227, 227), mode="bilinear", antialias=True)
    with torch.no_grad():
        first = whole(image - torch.tensor([123.0, 117.0, 104.0])[:, None, None]).topk(5).indices[0].tolist()
        assert {442, 663, 832} & set(first)  # bell cote, monastery, stupa
        gray = image.mean(dim=1)[0] - 114.7
        expected = whole.features(gray.expand(1, 3, -1, -1))
        model = load_image_weights(FullyConvolutional(2, "squeezenet"), path, input_std=PIXEL_STD).eval()
        z = (gray / PIXEL_STD).T[None]  # (B, T, F)
        found, _ = model.encode(Batch(z, torch.ones(1, 227, dtype=torch.bool), torch.zeros(1, dtype=torch.long)))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-2)
