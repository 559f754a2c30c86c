"""Soft alignment of two streams: each step of one looks for its moment in the other (after Chao et al.).

The abstract (arXiv 1603.08321) says that soft attention aligns the audio and the visual stream; the equations are our
reconstruction.

Shapes: B clips; a query stream of T steps (usually the face), H features each; a key stream of S steps (the voice),
G features each; A attention units; L lags, from -1.2 to 1.2 s in steps of 40 ms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sertut.attention.softmax import masked_softmax
from sertut.errors import SertutError, must_be_known
from sertut.signals import reverse

LAG_STEP = 0.04  # seconds: one video frame
MAX_LAG = 30  # steps on each side
N_LAGS = 2 * MAX_LAG + 1
SHARPNESS = 10.0  # kappa: how much more the best lag counts than the others
TOGETHER = 18  # steps: voice and face of a training clip are known to be less than that, 0.72 s, apart


class Alignment(nn.Module):
    r"""Each query step attends over all key steps.

    .. math::
        e_{tj} = w^\top \tanh(W v_t + U f_j + b), \qquad
        \alpha_{t \cdot} = \operatorname{softmax}_j(e_{t \cdot}), \qquad
        \tilde f_t = \sum_j \alpha_{tj} f_j

    with :math:`v_t` (H,), :math:`f_j` (G,), :math:`W` (A, H), :math:`U` (A, G), :math:`b, w` (A,): the score
    "additive", as in the attention of that time. The score "product" compares what *changes* in both streams,

    .. math::
        e_{tj} = \frac{1}{\sqrt A} (W v_t - \overline{W v})^\top (U f_j - \overline{U f})

    with the means over the real steps of the clip, so that a voice and a face do not match by who they belong to.

    Neither knows that time passes in both streams alike. With `one_lag` the steps of a clip decide together: what the
    pairs that are the same lag :math:`d = \tau_t - \tau_j` apart score above the clip's mean is added up over the T
    query steps, and the lag becomes a relative-position term,

    .. math::
        r_d = \frac1T \sum_{\tau_t - \tau_j = d} (e_{tj} - \bar e), \qquad
        e'_{tj} = e_{tj} + \log \operatorname{softmax}_d (\kappa r)_{\tau_t - \tau_j}

    :math:`\kappa = 10`; pairs more than 1.2 s apart are out of reach. (A mean over the pairs of a lag would not do: few
    pairs are far apart, and the mean of few is large by chance.)

    Args:
        n_query: H. n_key: G. n_units: A. score: "additive" or "product". one_lag: with the relative-position term.

    Source: reconstruction, after Chao et al.; the product and the relative-position term are ours.
    """

    def __init__(
        self, n_query: int, n_key: int, n_units: int = 8, score: str = "additive", one_lag: bool = False
    ) -> None:
        super().__init__()
        must_be_known("score", score, ("additive", "product"))
        self.one_lag = one_lag
        additive = score == "additive"
        self.query = nn.Linear(n_query, n_units, bias=additive)  # W, b; a bias would be lost with the mean
        self.key = nn.Linear(n_key, n_units, bias=False)  # U
        self.weigh = nn.Linear(n_units, 1, bias=False) if additive else None  # w; a bias would be lost in the softmax

    def scores(self, query: Tensor, keys: Tensor, query_mask: Tensor, key_mask: Tensor) -> Tensor:
        """e, (..., T, S), of `query` (..., T, H) and `keys` (..., S, G), masks (..., T) and (..., S); 0 on padding."""
        asking, asked = self.projected(query, keys, query_mask, key_mask)
        if self.weigh is None:
            return asking @ asked.transpose(-1, -2)
        scores = self.weigh(torch.tanh(asking.unsqueeze(-2) + asked.unsqueeze(-3))).squeeze(-1)
        return scores.masked_fill(~(query_mask.unsqueeze(-1) & key_mask.unsqueeze(-2)), 0.0)

    def projected(self, query: Tensor, keys: Tensor, query_mask: Tensor, key_mask: Tensor) -> tuple[Tensor, Tensor]:
        """What is compared, (..., T, A) and (..., S, A); for a product without its mean over the clip, 0 on padding."""
        asking, asked = self.query(query), self.key(keys)
        if self.weigh is not None:
            return asking, asked
        return centered(asking, query_mask) / math.sqrt(asking.shape[-1]), centered(asked, key_mask)

    def forward(
        self, query: Tensor, keys: Tensor, query_mask: Tensor, key_mask: Tensor, lags: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What each query step found, (B, T, G), and the weights, (B, T, S).

        Args:
            query: (B, T, H). keys: (B, S, G). query_mask: (B, T). key_mask: (B, S), True on real steps.
            lags: (T, S), seconds: time of the query step minus time of the key step.
        """
        scores = self.scores(query, keys, query_mask, key_mask)
        valid = query_mask.unsqueeze(2) & key_mask.unsqueeze(1)  # (B, T, S)
        if self.one_lag:
            index, near = lag_index(lags)
            term = torch.log_softmax(lag_profile(scores, query_mask, key_mask, lags), dim=1)  # (B, L)
            scores = scores + term[:, index]
            reachable = valid & near
            valid = torch.where(reachable.any(dim=2, keepdim=True), reachable, valid)
        weights = masked_softmax(scores, valid)
        return weights @ keys, weights


def centered(values: Tensor, mask: Tensor) -> Tensor:
    """`values` (..., T, A) without their mean over the real steps; 0 on padding."""
    real = mask.unsqueeze(-1).to(values.dtype)
    mean = (values * real).sum(dim=-2, keepdim=True) / real.sum(dim=-2, keepdim=True).clamp(min=1.0)
    return (values - mean) * real


def lag_index(lags: Tensor) -> tuple[Tensor, Tensor]:
    """Index 0 .. L - 1 of each lag, (T, S), and whether the lag is one of them."""
    steps = torch.round(lags / LAG_STEP).long() + MAX_LAG
    return steps.clamp(0, N_LAGS - 1), (steps >= 0) & (steps < N_LAGS)


def lag_profile(scores: Tensor, query_mask: Tensor, key_mask: Tensor, lags: Tensor, reach: int = MAX_LAG) -> Tensor:
    r""":math:`\kappa r`, (..., L): by how much the two streams agree more at each lag than they do on the whole.

    Args:
        scores: (..., T, S), 0 on padding. query_mask: (..., T). key_mask: (..., S). lags: (T, S), query - key, seconds.
        reach: the longest lag, in steps; L = 2 reach + 1.
    """
    of_lag = pairs_of_lags(lags, reach)
    return _above_the_mean(scores.flatten(-2) @ of_lag.flatten(0, 1), query_mask, key_mask, of_lag)


def pairs_of_lags(lags: Tensor, reach: int) -> Tensor:
    """(T, S, L + 1): 1 where a pair of steps has the lag, in a last column everywhere; `lags`: (T, S), seconds."""
    of_lag = torch.round(lags / LAG_STEP).unsqueeze(-1) == torch.arange(-reach, reach + 1, device=lags.device)
    return nn.functional.pad(of_lag, (0, 1), value=True).to(lags.dtype)


def _above_the_mean(sums: Tensor, query_mask: Tensor, key_mask: Tensor, of_lag: Tensor) -> Tensor:
    r""":math:`\kappa r`, (..., L), of the scores summed over the pairs of each lag, (..., L + 1)."""
    asking, asked = query_mask.to(sums.dtype), key_mask.to(sums.dtype)
    pairs = torch.einsum("...t,...tl->...l", asking, torch.einsum("...s,tsl->...tl", asked, of_lag))  # (..., L + 1)
    mean = sums[..., -1:] / pairs[..., -1:].clamp(min=1.0)
    n_queries = (asking.sum(dim=-1, keepdim=True) * asked.amax(dim=-1, keepdim=True)).clamp(min=1.0)
    return SHARPNESS * (sums - mean * pairs)[..., :-1] / n_queries


def nearest(query_mask: Tensor, key_mask: Tensor, lags: Tensor) -> Tensor:
    """Alignment without attention: each query step takes the key step nearest in time; weights (B, T, S), 0 or 1."""
    distance = lags.abs().unsqueeze(0).masked_fill(~key_mask.unsqueeze(1), torch.inf)  # (B, T, S)
    chosen = nn.functional.one_hot(distance.argmin(dim=2), lags.shape[1])
    return (chosen.bool() & query_mask.unsqueeze(2) & key_mask.unsqueeze(1)).to(lags.dtype)


def synchrony_loss(
    alignment: Alignment, query: Tensor, keys: Tensor, query_mask: Tensor, key_mask: Tensor, lags: Tensor
) -> Tensor:
    r"""A loss that needs no label: a face agrees, at its best lag, with its own voice and with no other.

    .. math::
        m(x, y) = \operatorname{logsumexp}_d (\kappa r_d(x, y)), \qquad
        \ell(x) = - \log \frac{\exp m(x, x)}{\sum_y \exp m(x, y)}

    where d runs over the lags up to 0.72 s, and y over the voices of the batch and over these voices played backward.
    The lag is not told, only that it is no longer than that. Both details matter:

    * r is relative to the mean over all pairs of the clip, so from the first step on there is something to gain by
      agreeing more at near lags than at far ones. If d ran over all lags, what is won at one would be lost at another,
      and training would not start.
    * Without the voices played backward a network can learn by heart which voice belongs to which face, at any lag. Its
      own voice backward belongs to it as well; only *when* things happen tells the two apart.

    The mean over the clips that have both streams, 0 where none has. Arguments as in :meth:`Alignment.forward`; a
    :class:`SertutError` if its score is not a product. Source: ours, in the spirit of contrastive audio-visual
    synchronization.
    """
    if alignment.weigh is not None:
        raise SertutError("the synchrony loss sums products; make the alignment with score='product'.")
    both = (query_mask.any(dim=1) & key_mask.any(dim=1)).nonzero().squeeze(1)
    if not len(both):
        return query.sum() * 0.0
    mask = key_mask[both]
    voices, masks = torch.cat([keys[both], reverse(keys[both], mask)]), torch.cat([mask, mask])  # (2 n, S, G)
    asking, asked = alignment.projected(query[both], voices, query_mask[both], masks)  # (n, T, A), (2 n, S, A)
    of_lag = pairs_of_lags(lags, TOGETHER)
    # What products sum up to at each lag is a correlation of the two streams: no table (n, 2 n, T, S) has to be made.
    sums = torch.einsum("xta,ytal->xyl", asking, torch.einsum("ysa,tsl->ytal", asked, of_lag))  # (n, 2 n, L + 1)
    matches = torch.logsumexp(_above_the_mean(sums, query_mask[both].unsqueeze(1), masks, of_lag), dim=2)  # (n, 2 n)
    return -torch.log_softmax(matches, dim=1).diagonal().mean()
