"""Rows that attend together, and the part of the cache that is theirs.

They began together, or were joined since. Where a prompt has several rows, its keys and values are held once, and all
its rows attend to them together.

Shapes: N tokens, Q prompts, R rows, H key-value heads, G queries a key-value head, C columns, D width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.sampling.fused.attention import Part, attend, attend_alone, join_parts
from aurify.sampling.fused.store import Packed, Store

BAND_ROWS = 64
"""More in one band means more padding, as their prompts differ more in length."""
_PADDING = 2**20  # bytes of a layer; reading them takes about as long as the calls that a band of its own costs


@dataclass
class Shared:
    """Prompts with several rows: each row's prompt, and its place among the rows of that prompt."""

    store: Store
    prompt_R: Tensor
    place_R: Tensor
    places: int


class Band:
    """Some rows' cache, and their attention over it."""

    def __init__(self, packed: Packed, spans: Sequence[tuple[int, int]], prompt_R: list[int]) -> None:
        """Rows that continue the prompts ``prompt_R``, whose keys and values are at ``spans`` of the packed ones."""
        used = sorted(set(prompt_R))
        self.shared: Shared | None = None
        if len(used) == len(prompt_R):
            self.own = Store(packed, [spans[p] for p in prompt_R])
        else:
            self.own = Store(packed, [(0, 0)] * len(prompt_R))
            index = {p: i for i, p in enumerate(used)}
            prompts = Store(packed, [spans[p] for p in used])
            self.shared = _shared(prompts, [index[p] for p in prompt_R])
        self.rows = len(prompt_R)

    def attend(
        self, layer: int, q_RHGD: Tensor, k_RHD: Tensor, v_RHD: Tensor, scale: float, common: Part | None
    ) -> Tensor:
        """Add the newest keys and values, and attend to all of the rows' columns: (R, H, G, D)."""
        rows, heads, group, width = q_RHGD.shape
        self.own.write(layer, k_RHD, v_RHD)
        q_BGD = q_RHGD.reshape(rows * heads, group, width)
        if common is None and self.shared is None:
            return attend_alone(q_BGD, *self.own.read(layer), scale).view(q_RHGD.shape)
        out_BGD, normaliser_BG1 = attend(q_BGD, *self.own.read(layer), scale)
        part = out_BGD.view(q_RHGD.shape), normaliser_BG1.view(rows, heads, group, 1)
        if self.shared is not None:
            part = join_parts(part, _attend_shared(self.shared, layer, q_RHGD, scale))
        return (part if common is None else join_parts(part, common))[0]

    def takes(self, other: Band) -> bool:
        """Whether one band of the rows of both is cheaper than two: fewer calls, for a little padding."""
        if self.shared is not None or other.shared is not None or self.rows + other.rows > BAND_ROWS:
            return False
        shorter = min((self, other), key=lambda band: band.own.columns)
        more = abs(self.own.columns - other.own.columns)
        return shorter.rows * more * self.own.column_bytes() <= _PADDING

    def join(self, other: Band) -> None:
        """Take the other's rows behind its own."""
        self.own.join(other.own)
        self.rows += other.rows

    def keep(self, alive_R: list[bool]) -> list[int]:
        """Drop the rows that are not alive: the rows that stay, by their old places, in their new order."""
        n = sum(alive_R)
        holes = [r for r in range(n) if not alive_R[r]]
        movers = [r for r in range(n, self.rows) if alive_R[r]]
        order = list(range(n))
        for hole, mover in zip(holes, movers, strict=True):
            order[hole] = mover
        self.own.keep(torch.tensor(holes, dtype=torch.long), torch.tensor(movers, dtype=torch.long), n)
        self.rows = n
        if self.shared is not None:
            self.shared = _shared(self.shared.store, self.shared.prompt_R[order].tolist())
        return order


def _shared(store: Store, prompt_R: list[int]) -> Shared:
    count: dict[int, int] = {}
    place_R = []
    for prompt in prompt_R:
        place_R.append(count.get(prompt, 0))
        count[prompt] = place_R[-1] + 1
    device = store.mask_RH1C.device
    places = max(count.values(), default=0)
    return Shared(store, torch.tensor(prompt_R, device=device), torch.tensor(place_R, device=device), places)


def _attend_shared(shared: Shared, layer: int, q_RHGD: Tensor, scale: float) -> Part:
    """Each prompt's rows side by side as queries of one product; places of rows that ended are left empty."""
    _, heads, group, width = q_RHGD.shape
    keys, values, mask = shared.store.read(layer)
    prompts = len(keys) // heads
    q_QPHGD = q_RHGD.new_zeros(prompts, shared.places, heads, group, width)
    q_QPHGD[shared.prompt_R, shared.place_R] = q_RHGD
    q_BTD = q_QPHGD.transpose(1, 2).reshape(prompts * heads, shared.places * group, width)
    part = attend(q_BTD, keys, values, mask, scale)
    out, normaliser = (
        x.view(prompts, heads, shared.places, group, x.shape[-1]).transpose(1, 2)[shared.prompt_R, shared.place_R]
        for x in part
    )
    return out, normaliser
