"""The integration unit of NAT: how much of what the negative adapter knows is added, or taken away, at each token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aurify.errors import UsageError

POS, NEG, BOTH = "pos", "neg", "both"
"""The two adapters, and the mode in which the unit joins them."""
UNITS = ("bottleneck", "linear", "fixed")
"""The forms of the unit: as the paper's code has it, as its equation 5 reads, and none (a fixed extrapolation)."""


class IntegrationUnit(nn.Module):
    """Attends from a layer's input to the outputs of its two adapters, one weight a token.

    With x the input, h_j = Wx + d_j the output with adapter j alone (pos, neg), and s_j = (W_Q x) · (W_K h_j):

        a     = softmax_j(s)                     the negative one is sigmoid(W_Q x · W_K (d_neg - d_pos))
        w_neg = a_neg - 1/2,  w_pos = 1 - w_neg  so w_neg is in (-1/2, 1/2), and both sum to 1
        y     = Wx + W_2 Σ_j w_j GELU(W_1 h_j)   value "bottleneck"
        y     = W_V Σ_j w_j h_j                  value "linear"

    Nothing mixes positions, so a key-value cache stays right. Without ``offset`` w_neg = a_neg, in (0, 1).
    The bottleneck starts from W_2 = 0, the linear value from W_V = 1 and W_Q = 0: with offset, the output is then Wx
    (for "linear", as long as d_pos is 0).

    Source: 'Turning Dust into Gold', equations 4 and 5, and its code (docs/methods.md). Sizes go by the layer's input
    and output, so that layers whose output is narrower (grouped-query attention) are right.

    Args:
        width: of W_Q, W_K and W_1; 128 in the paper's code.
        value: "bottleneck" or "linear".
    """

    def __init__(
        self, in_features: int, out_features: int, *, width: int = 128, value: str = "bottleneck", offset: bool = True
    ) -> None:
        super().__init__()
        if value not in ("bottleneck", "linear"):
            raise UsageError(f"the unit's value is '{value}': known: bottleneck, linear")
        self.offset = offset
        self.query = nn.Linear(in_features, width, bias=False)
        self.key = nn.Linear(out_features, width, bias=False)
        self.down = nn.Linear(out_features, width, bias=False) if value == "bottleneck" else None
        self.up = nn.Linear(width if value == "bottleneck" else out_features, out_features, bias=False)
        self.begin()

    def begin(self) -> None:
        """Make the output that of the layer alone: W_2 = 0, or W_V = 1 and W_Q = 0."""
        if self.down is not None:
            nn.init.zeros_(self.up.weight)
        else:
            nn.init.eye_(self.up.weight)
            nn.init.zeros_(self.query.weight)

    def negative_weight(self, input_XI: Tensor, pos_XO: Tensor, neg_XO: Tensor) -> Tensor:
        """w_neg of every token, shape (...,), from the input and the adapters' own shares d_pos and d_neg."""
        score_X = (self.query(input_XI) * self.key(neg_XO - pos_XO)).sum(-1)
        weight_X = torch.sigmoid(score_X)
        return weight_X - 0.5 if self.offset else weight_X

    def forward(self, input_XI: Tensor, base_XO: Tensor, pos_XO: Tensor, neg_XO: Tensor) -> Tensor:
        """y of every token, shape (..., O); ``base_XO`` is Wx, the others are d_pos and d_neg."""
        neg_weight_X1 = self.negative_weight(input_XI, pos_XO, neg_XO)[..., None]
        pos_weight_X1 = 1 - neg_weight_X1
        if self.down is None:
            mixed_XO: Tensor = self.up(base_XO + pos_weight_X1 * pos_XO + neg_weight_X1 * neg_XO)
            return mixed_XO
        gelu = nn.functional.gelu
        hidden_XH = pos_weight_X1 * gelu(self.down(base_XO + pos_XO)) + neg_weight_X1 * gelu(
            self.down(base_XO + neg_XO)
        )
        value_XO: Tensor = base_XO + self.up(hidden_XH)
        return value_XO


class FixedExtrapolation(nn.Module):
    """No unit: y = Wx + 2 d_pos - d_neg, what the paper's code does outside 8-bit layers (an ablation)."""

    def begin(self) -> None:
        """It has no weights to start from."""

    def negative_weight(self, input_XI: Tensor, pos_XO: Tensor, neg_XO: Tensor) -> Tensor:
        """Minus one, at every token."""
        return -torch.ones_like(neg_XO[..., 0])

    def forward(self, input_XI: Tensor, base_XO: Tensor, pos_XO: Tensor, neg_XO: Tensor) -> Tensor:
        """y of every token, shape (..., O)."""
        return base_XO + 2 * pos_XO - neg_XO
