"""A key-value cache whose rows come and go.

Rows are aligned at the right: the newest token of every row is in the same last column, and a shorter row has zeros
on its left that the attention mask hides. So rows that began at different times decode together, a finished row is
dropped by indexing, and a new one is put in by padding its left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

_SPARE = 64  # columns reserved ahead: a reallocation every 64 tokens, where concatenation copies at each


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # transformers' class is untyped
    """A layer that writes new columns into space reserved ahead, where DynamicLayer copies all it holds."""

    keys: Tensor
    values: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_initialized = False
        self.room: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Add columns; the states are (rows, heads, columns, width)."""
        if not self.is_initialized:
            self._begin(key_states, value_states)
            return key_states, value_states
        used = self.keys.shape[-2]
        total = used + key_states.shape[-2]
        if self.room is None or self.room[0].shape[-2] < total:
            self.room = (_widen(self.keys, total + _SPARE), _widen(self.values, total + _SPARE))
        keys, values = self.room
        keys[:, :, used:total] = key_states
        values[:, :, used:total] = value_states
        self.keys, self.values = keys[:, :, :total], values[:, :, :total]
        return self.keys, self.values

    def hold_rows(self, parts: Sequence[tuple[RoomyLayer, Tensor]], columns: int) -> None:
        """Hold the rows that each part names, aligned at the right of ``columns`` columns."""
        keys = [_last(layer.keys, rows, columns) for layer, rows in parts]
        values = [_last(layer.values, rows, columns) for layer, rows in parts]
        self.room = (_stack(keys, columns), _stack(values, columns))
        self._begin(self.room[0][:, :, :columns], self.room[1][:, :, :columns])

    def gathered(self, parts: Sequence[tuple[Any, Tensor]], columns: int) -> RoomyLayer:
        """A new layer of this kind, with the rows that each part names: such a layer, and its row indices."""
        layer = RoomyLayer()
        layer.hold_rows(parts, columns)
        return layer

    def _begin(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values
        self.dtype, self.device = keys.dtype, keys.device
        self.is_initialized = True


def new_cache() -> Cache:
    """An empty cache. Sliding-window layers are held whole, for the mask alone to narrow, so that rows stay aligned."""
    return Cache(layer_class_to_replicate=RoomyLayer)


def gather(parts: Sequence[tuple[Cache, Tensor]], columns: int) -> Cache:
    """A cache of the rows that each part names (a cache, and its row indices), in that order.

    ``columns`` is the longest of these rows; what a part holds to the left of it is padding, and is cut away.
    """
    rows = [at for _, at in parts]
    layers = zip(*(part.layers for part, _ in parts), strict=True)
    return Cache(layers=[old[0].gathered(list(zip(old, rows, strict=True)), columns) for old in layers])


def _last(states: Tensor, rows: Tensor, columns: int) -> Tensor:
    return states[:, :, -columns:].index_select(0, rows)


def _stack(parts: Sequence[Tensor], columns: int) -> Tensor:
    """One tensor with spare columns on the right; the padding on the left is zero, as masked NaN would still spread."""
    n_rows = sum(len(part) for part in parts)
    room = parts[0].new_empty(n_rows, parts[0].shape[1], columns + _SPARE, parts[0].shape[3])
    row = 0
    for part in parts:
        pad = columns - part.shape[2]
        room[row : row + len(part), :, :pad] = 0
        room[row : row + len(part), :, pad:columns] = part
        row += len(part)
    return room


def _widen(states: Tensor, columns: int) -> Tensor:
    room = states.new_empty(*states.shape[:2], columns, states.shape[3])
    room[:, :, : states.shape[2]] = states
    return room
