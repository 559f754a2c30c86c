"""The recurrent network and its layers, against PyTorch; see test_networks for what holds for all."""

import pytest
import torch
from torch import nn

from sertut.attention.pooling import last_state, mean_pooling, uniform
from sertut.errors import SertutError
from sertut.models import AttentiveLSTM
from sertut.models.layers import BiLSTM, MaskedConv, MaskedNorm, reverse
from sertut.signals import Batch, length_mask


def test_unknown_pooling():
    with pytest.raises(SertutError, match="did you mean 'attention'"):
        AttentiveLSTM(8, 3, pooling="atention")


class Halves(nn.Module):
    """A mechanism of the reader's own, with something to learn: half the mean, and equal weights."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Linear(1, 1)

    def forward(self, states, mask):
        return mean_pooling(states, mask) * 0.5, uniform(mask)


@pytest.mark.parametrize("front", [0, 4])
def test_a_module_of_the_readers_own_pools(front):
    torch.manual_seed(0)
    named, own = (AttentiveLSTM(8 if not front else 64, 3, pooling=p, front=front).eval() for p in ("mean", Halves()))
    assert {*own.state_dict()} - {*named.state_dict()} == {"pool.attend.gain.weight", "pool.attend.gain.bias"}
    own.load_state_dict(named.state_dict(), strict=False)
    batch = Batch(torch.randn(2, 24, 64 if front else 8), length_mask(torch.tensor([24, 17])), torch.zeros(2).long())
    with torch.no_grad():
        n = own.pool.classify.in_features // (2 if front else 1)
        own.pool.classify.weight[:, :n] *= 2  # what the module halves
        told = own(batch)
    torch.testing.assert_close(told.logits, named(batch).logits)
    weights = told.maps["attention"].weights
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    assert (weights[~told.maps["attention"].mask] == 0).all()


def test_masked_norm_is_batch_norm_over_real_frames():
    values, mask = torch.randn(3, 5, 4), length_mask(torch.tensor([5, 2, 3]))
    norm, plain = MaskedNorm(4), torch.nn.BatchNorm1d(4)
    torch.testing.assert_close(norm(values, mask)[mask], plain(values[mask]))
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    assert (norm(values, mask)[~mask] == 0).all()


def test_reverse():
    mask = length_mask(torch.tensor([3, 1]))
    values = torch.arange(6.0).view(2, 3, 1)
    assert reverse(values, mask).squeeze(-1).tolist() == [[2, 1, 0], [3, 4, 5]]


def test_bilstm_equals_torch_with_packed_sequences():
    values, lengths = torch.randn(3, 6, 5), torch.tensor([6, 2, 4])
    mask = length_mask(lengths)
    ours, theirs = BiLSTM(5, 7), torch.nn.LSTM(5, 7, batch_first=True, bidirectional=True)
    for name, weight in ours.forward_lstm.named_parameters():
        getattr(theirs, name).data.copy_(weight)
    for name, weight in ours.backward_lstm.named_parameters():
        getattr(theirs, f"{name}_reverse").data.copy_(weight)
    packed = torch.nn.utils.rnn.pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    states, (final, _) = theirs(packed)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
    torch.testing.assert_close(ours(values, mask)[mask], expected[mask])
    torch.testing.assert_close(last_state(ours(values, mask), mask), torch.cat([final[0], final[1]], dim=-1))


def test_dropout_draws_along_time():
    """Another order in memory gives other draws from the same seed, and other results than those that are kept."""
    model, heard = AttentiveLSTM(8, 3), []
    model.encoder.dropout.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
    model.encode(Batch(torch.randn(2, 12, 8), length_mask(torch.tensor([12, 9])), torch.zeros(2, dtype=torch.long)))
    assert heard[0].transpose(1, 2).is_contiguous() and not heard[0].is_contiguous()


def test_masked_conv_halves_the_mask_as_it_halves_the_frames():
    for length in (1, 2, 7, 8):
        values, mask = MaskedConv(4, 6, kernel=5, stride=2).eval()(torch.randn(1, length, 4), torch.ones(1, length) > 0)
        assert values.shape[1] == mask.shape[1] == -(-length // 2)
