"""Soft alignment of two streams: each step of one looks for its moment in the other (after Chao et al., arXiv 1603.08321).

The abstract says that soft attention aligns the audio and the visual stream; the equations are our reconstruction.
Shapes: B clips; a query stream of T steps (usually the face), H features each; a key stream of S steps (the voice),
G features each; A attention units; L lags, from -1.2 to 1.2 s in steps of 40 ms.
"""

from __future__ import annotations

import torch
from torch import nn

from sertut.attention.softmax import masked_softmax

LAG_STEP = 0.04  # seconds: one video frame
MAX_LAG = 30  # steps on each side
N_LAGS = 2 * MAX_LAG + 1


class Alignment(nn.Module):
    r"""Each query step attends over all key steps.

    .. math::
        e_{tj} = w^\top \tanh(W v_t + U f_j + b), \qquad
        \alpha_{t \cdot} = \operatorname{softmax}_j(e_{t \cdot}), \qquad
        \tilde f_t = \sum_j \alpha_{tj} f_j

    with :math:`v_t` (H,), :math:`f_j` (G,), :math:`W` (A, H), :math:`U` (A, G), :math:`b, w` (A,). Nothing in it knows
    that time passes in both streams alike. With `one_lag` the steps of a clip decide together: what the pairs that are
    the same lag :math:`d = \tau_t - \tau_j` apart score above the clip's mean is added up over the T query steps, and
    the lag becomes a relative-position term,

    .. math::
        r_d = \frac1T \sum_{\tau_t - \tau_j = d} (e_{tj} - \bar e), \qquad
        e'_{tj} = e_{tj} + \log \operatorname{softmax}_d (\kappa r)_{\tau_t - \tau_j}

    with one learned :math:`\kappa`; pairs more than 1.2 s apart are out of reach. (A mean over the pairs of a lag would
    not do: few pairs are far apart, and the mean of few is large by chance.)

    Args:
        n_query: H. n_key: G. n_units: A. one_lag: with the relative-position term.

    Source: reconstruction, after Chao et al.; the relative-position term is ours.
    """

    def __init__(self, n_query: int, n_key: int, n_units: int = 32, one_lag: bool = False) -> None:
        super().__init__()
        self.one_lag = one_lag
        self.query = nn.Linear(n_query, n_units)  # W, b
        self.key = nn.Linear(n_key, n_units, bias=False)  # U
        self.score = nn.Linear(n_units, 1, bias=False)  # w; a bias here would be lost in the softmax
        self.sharpness = nn.Parameter(torch.empty(()))  # log kappa
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for layer in (self.query, self.key, self.score):
            layer.reset_parameters()
        nn.init.constant_(self.sharpness, 1.5)

    def scores(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """e, (B, T, S), of `query` (B, T, H) and `keys` (B, S, G)."""
        return self.score(torch.tanh(self.query(query).unsqueeze(2) + self.key(keys).unsqueeze(1))).squeeze(-1)

    def lag_profile(self, scores: torch.Tensor, valid: torch.Tensor, lags: torch.Tensor) -> torch.Tensor:
        r""":math:`\kappa r`, (B, L): how well the two streams agree at each lag; 0 is their mean agreement.

        Args:
            scores: (B, T, S). valid: (B, T, S), pairs of real steps. lags: (T, S), seconds, query minus key.
        """
        index, near = lag_index(lags)
        pairs = (valid & near).to(scores.dtype)  # (B, T, S)
        mean = (scores * pairs).sum(dim=(1, 2), keepdim=True) / pairs.sum(dim=(1, 2), keepdim=True).clamp(min=1.0)
        above = ((scores - mean) * pairs).flatten(1)  # (B, T S)
        total = above.new_zeros(len(above), N_LAGS).index_add(1, index.flatten(), above)
        return self.sharpness.exp() * total / valid.any(dim=2).sum(dim=1, keepdim=True).clamp(min=1)

    def forward(
        self, query: torch.Tensor, keys: torch.Tensor, query_mask: torch.Tensor, key_mask: torch.Tensor, lags: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What each query step found, (B, T, G), and the weights, (B, T, S).

        Args:
            query: (B, T, H). keys: (B, S, G). query_mask: (B, T). key_mask: (B, S), True on real steps.
            lags: (T, S), seconds: time of the query step minus time of the key step.
        """
        scores = self.scores(query, keys)
        valid = query_mask.unsqueeze(2) & key_mask.unsqueeze(1)  # (B, T, S)
        if self.one_lag:
            index, near = lag_index(lags)
            term = torch.log_softmax(self.lag_profile(scores, valid, lags), dim=1)  # (B, L)
            scores = scores + term[:, index]
            reachable = valid & near
            valid = torch.where(reachable.any(dim=2, keepdim=True), reachable, valid)
        weights = masked_softmax(scores, valid)
        return weights @ keys, weights


def lag_index(lags: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Index 0 .. L - 1 of each lag, (T, S), and whether the lag is one of them."""
    steps = torch.round(lags / LAG_STEP).long() + MAX_LAG
    return steps.clamp(0, N_LAGS - 1), (steps >= 0) & (steps < N_LAGS)


def nearest(query_mask: torch.Tensor, key_mask: torch.Tensor, lags: torch.Tensor) -> torch.Tensor:
    """Alignment without attention: each query step takes the key step nearest in time; weights (B, T, S), 0 or 1."""
    distance = lags.abs().unsqueeze(0).masked_fill(~key_mask.unsqueeze(1), torch.inf)  # (B, T, S)
    chosen = nn.functional.one_hot(distance.argmin(dim=2), lags.shape[1])
    return (chosen.bool() & query_mask.unsqueeze(2) & key_mask.unsqueeze(1)).to(lags.dtype)


def synchrony_loss(
    alignment: Alignment,
    query: torch.Tensor,
    keys: torch.Tensor,
    query_mask: torch.Tensor,
    key_mask: torch.Tensor,
    lags: torch.Tensor,
    others: int = 2,
) -> torch.Tensor:
    r"""A loss that needs no label: a face agrees, at its best lag, better with its own voice than with another's.

    .. math::
        m(x, y) = \operatorname{logsumexp}_d (\kappa r_d(x, y)), \qquad
        \ell = - \log \frac{\exp m(x, x)}{\exp m(x, x) + \sum_{y \ne x} \exp m(x, y)}

    where the other voices y are those of `others` neighbors in the batch, and r, the agreement at each lag, is taken
    relative to the clip's mean, so that who speaks is no help. The lag is not told. Source: ours, in the spirit of
    contrastive audio-visual synchronization.

    Returns:
        mean over the clips that have both streams; 0 where there is none.
    """
    both = query_mask.any(dim=1) & key_mask.any(dim=1)
    matches = []
    for shift in range(min(others, len(query) - 1) + 1):
        theirs, mask = keys.roll(shift, dims=0), key_mask.roll(shift, dims=0)
        profile = alignment.lag_profile(
            alignment.scores(query, theirs), query_mask.unsqueeze(2) & mask.unsqueeze(1), lags
        )
        matches.append(torch.logsumexp(profile, dim=1))  # (B,)
    losses = -torch.log_softmax(torch.stack(matches, dim=1), dim=1)[:, 0]
    return losses[both].mean() if both.any() else losses.sum() * 0.0
