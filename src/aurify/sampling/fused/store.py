"""The keys and values of rows whose newest column is the same one, so that writing it is one copy.

Shapes: N tokens, R rows, H key-value heads, C columns, D width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_SPARE = 64  # columns reserved ahead

Packed = list[tuple[Tensor, Tensor]]
"""Keys and values of prompts end to end, (N, H, D) each, a pair a layer."""


class Store:
    """Keys and values of some rows, aligned at the right, each layer (rows, H, capacity, D)."""

    def __init__(self, packed: Packed, spans: Sequence[tuple[int, int]]) -> None:
        """Take row i from tokens start to start + length of the packed ones, for each span (start, length)."""
        self.columns = max((length for _, length in spans), default=0)
        device = packed[0][0].device
        starts, lengths = torch.tensor(spans, device=device).view(-1, 2).T
        columns_C = torch.arange(self.columns, device=device) - self.columns
        at_RC = (starts + lengths)[:, None] + columns_C
        hidden_RC = columns_C < -lengths[:, None]
        at_RC[hidden_RC] = 0
        self.layers = [(self._take(k, at_RC), self._take(v, at_RC)) for k, v in packed]
        heads = packed[0][0].shape[1]
        self.mask_RH1C = torch.zeros(len(spans), heads, 1, self.columns + _SPARE, device=device)
        self.mask_RH1C[..., : self.columns].masked_fill_(hidden_RC[:, None, None], float("-inf"))

    def _take(self, states_NHD: Tensor, at_RC: Tensor) -> Tensor:
        _, heads, width = states_NHD.shape
        room = states_NHD.new_empty(len(at_RC), heads, self.columns + _SPARE, width)
        if self.columns:
            room[:, :, : self.columns] = states_NHD[at_RC].transpose(1, 2)
        return room

    def open_column(self) -> None:
        """Make room for one more token a row."""
        self.columns += 1
        if self.columns > self.mask_RH1C.shape[-1]:
            self.mask_RH1C = functional.pad(self.mask_RH1C, (0, _SPARE))
            self.layers = [(_roomy(k), _roomy(v)) for k, v in self.layers]

    def write(self, layer: int, k_RHD: Tensor, v_RHD: Tensor) -> None:
        """Fill the newest column."""
        keys, values = self.layers[layer]
        keys[:, :, self.columns - 1] = k_RHD
        values[:, :, self.columns - 1] = v_RHD

    def read(self, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values (R * H, C, D), and the additive mask (R * H, 1, C)."""
        keys, values = self.layers[layer]
        rows, heads, capacity, width = keys.shape
        return (
            keys.view(rows * heads, capacity, width)[:, : self.columns],
            values.view(rows * heads, capacity, width)[:, : self.columns],
            self.mask_RH1C.view(rows * heads, 1, capacity)[:, :, : self.columns],
        )

    def column_bytes(self) -> int:
        """Of one row's keys and values in a layer."""
        keys, _ = self.layers[0]
        return 2 * keys.shape[1] * keys.shape[3] * keys.element_size()

    def keep(self, holes: Tensor, movers: Tensor, n: int) -> None:
        """Move the rows ``movers`` into the places ``holes``, then hold the first ``n`` alone."""
        for states in (self.mask_RH1C, *(x for pair in self.layers for x in pair)):
            states[holes] = states[movers]
        self.mask_RH1C = self.mask_RH1C[:n]
        self.layers = [(k[:n], v[:n]) for k, v in self.layers]

    def join(self, other: Store) -> None:
        """Hold the other's rows behind these."""
        columns = max(self.columns, other.columns)
        masks, layers = zip(*(store.aligned(columns) for store in (self, other)), strict=True)
        self.mask_RH1C = torch.cat(masks)
        self.layers = [
            (torch.cat([k for k, _ in parts]), torch.cat([v for _, v in parts])) for parts in zip(*layers, strict=True)
        ]
        self.columns = columns

    def aligned(self, columns: int) -> tuple[Tensor, Packed]:
        """The mask and the layers, moved to the right so that they end at ``columns``."""
        used, before = self.columns, columns - self.columns
        hidden = functional.pad(self.mask_RH1C[..., :used], (before, 0), value=float("-inf"))
        layers = [(_roomy(k[:, :, :used], before), _roomy(v[:, :, :used], before)) for k, v in self.layers]
        return functional.pad(hidden, (0, _SPARE)), layers


def _roomy(states: Tensor, before: int = 0) -> Tensor:
    """With ``before`` empty columns ahead, and spare ones behind."""
    return functional.pad(states, (0, 0, before, _SPARE))
