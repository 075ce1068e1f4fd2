"""The engine of models that carry states besides keys and values: convolutions, linear attention, and their hybrids.

The states lie in transformers' own cache, a row each, so rows come and go as keys and values do. A state takes in
whatever runs before it, padding too; so prompts run in groups of one length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import cache_utils
from transformers.cache_utils import Cache, DummyLayer, DynamicCache, DynamicLayer, LinearAttentionLayer

from aurify.models.prefix import causal_lm, takes_cache
from aurify.models.trials import in_float32, trial
from aurify.sampling.cache import RoomyLayer, gather
from aurify.sampling.engine import Engine, Prefilled
from aurify.sampling.general import GeneralEngine
from aurify.sampling.rerun import RerunEngine

_PROMPTS = ((2, 3, 4), (3, 2, 4, 3, 2), (4, 3, 2))
"""Of a trial; two have one length."""
_carries: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def carries_states(model: nn.Module) -> bool:
    """Whether ``StatesEngine`` gives the model's own logits: tried once a model, on a few tokens."""
    if model not in _carries:
        _carries[model] = takes_cache(model) and _agrees(model)
    return _carries[model]


class StateLayer(LinearAttentionLayer):  # type: ignore[misc]  # transformers' class is untyped
    """What a layer carries from token to token: tensors whose first dimension are the rows."""

    device: Any
    dtype: Any
    conv_states: dict[int, Tensor | None]
    recurrent_states: dict[int, Tensor | None]

    def __init__(self, number_of_states: int = 1) -> None:
        super().__init__(number_of_states=number_of_states)

    def hold_states(self, parts: Sequence[tuple[StateLayer, Tensor]]) -> None:
        """Hold the states of the rows that each part names."""
        first = parts[0][0]
        self.device, self.dtype = first.device, first.dtype
        for name in ("is_conv_states_initialized", "is_recurrent_states_initialized", "has_previous_state",
                     "conv_kernel_size"):  # fmt: skip
            setattr(self, name, dict(getattr(first, name)))
        self.conv_states = _joined([(layer.conv_states, rows) for layer, rows in parts])
        self.recurrent_states = _joined([(layer.recurrent_states, rows) for layer, rows in parts])

    def gathered(self, parts: Sequence[tuple[Any, Tensor]], columns: int) -> StateLayer:
        """See ``RoomyLayer``."""
        layer = StateLayer(self.number_of_states)
        layer.hold_states(parts)
        return layer


class StateAndRoomyLayer(StateLayer, RoomyLayer):
    """A layer that carries states and attends too."""

    def __init__(self, number_of_states: int = 1) -> None:
        RoomyLayer.__init__(self)
        StateLayer.__init__(self, number_of_states)

    def lazy_initialization(self, **states: Any) -> None:
        """Of the states; ``RoomyLayer`` begins by itself."""
        StateLayer.lazy_initialization(self, **states)

    def gathered(self, parts: Sequence[tuple[Any, Tensor]], columns: int) -> StateAndRoomyLayer:
        """See ``RoomyLayer``."""
        layer = StateAndRoomyLayer(self.number_of_states)
        layer.hold_rows(parts, columns)
        layer.hold_states(parts)
        return layer


class EmptyLayer(DummyLayer):  # type: ignore[misc]  # as above
    """A layer that keeps nothing."""

    def gathered(self, parts: Sequence[tuple[Any, Tensor]], columns: int) -> EmptyLayer:
        """See ``RoomyLayer``."""
        return self


class StatesEngine(GeneralEngine):
    """As ``GeneralEngine``, but for the kinds of layers, and for prompts that run without padding."""

    pads = False

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> Prefilled:
        """See ``Engine``. Prompts of one length run together."""
        of_length: dict[int, list[int]] = {}
        for index, prompt in enumerate(prompts):
            of_length.setdefault(len(prompt), []).append(index)
        parts = [super(StatesEngine, self).prefill([prompts[i] for i in many]) for many in of_length.values()]
        order = torch.tensor([i for many in of_length.values() for i in many], device=self.device).argsort()
        held_Q = torch.cat([part.held_Q for part in parts])[order]
        cache = parts[0].cache
        if len(parts) > 1:
            columns = int(held_Q.max())
            whole = [(part.cache, torch.arange(len(part.held_Q), device=self.device)) for part in parts]
            cache = gather([(gather(whole, columns), order)], columns)
        return Prefilled(torch.cat([part.logits_QV for part in parts])[order], held_Q, cache)

    def visible(self) -> Tensor | None:
        """Nothing where no layer attends: each would take it for a mask of the newest token."""
        return super().visible() if any(isinstance(layer, RoomyLayer) for layer in self.cache.layers) else None

    def new_cache(self) -> Cache:
        """With a layer for each of the model's."""
        config = causal_lm(self.model).config
        return Cache(layers=[_layer(layer) for layer in DynamicCache(config=config).layers])


def _layer(theirs: Any) -> RoomyLayer | StateLayer | EmptyLayer:
    """Our layer in the place of one of transformers'."""
    if isinstance(theirs, DummyLayer):
        return EmptyLayer()
    if isinstance(theirs, LinearAttentionLayer):
        both = isinstance(theirs, DynamicLayer)
        return (StateAndRoomyLayer if both else StateLayer)(theirs.number_of_states)
    if type(theirs) in (DynamicLayer, cache_utils.DynamicSlidingWindowLayer):
        return RoomyLayer()
    raise NotImplementedError(f"a cache of {type(theirs).__name__}")


def _joined(parts: Sequence[tuple[Mapping[int, Tensor | None], Tensor]]) -> dict[int, Tensor | None]:
    """Each state of the rows that each part names; None where a layer has no such state."""
    found: dict[int, Tensor | None] = {}
    for index in parts[0][0]:
        rows = [(states[index], at) for states, at in parts]
        found[index] = (
            torch.cat([state.index_select(0, at) for state, at in rows if state is not None])
            if any(state is not None for state, _ in rows)
            else None
        )
    return found


def _agrees(model: nn.Module) -> bool:
    with trial(model):
        try:
            _trial_logits(StatesEngine(model))  # in the weights' own dtype it must at least run
            with in_float32():
                cached, plain = (_trial_logits(engine(model)) for engine in (StatesEngine, RerunEngine))
        except Exception:  # a cache, or a forward, of another form fails in its own way
            return False
    return all(torch.allclose(a, b, atol=2e-4, rtol=1e-4) for a, b in zip(cached, plain, strict=True))


def _trial_logits(engine: Engine) -> list[Tensor]:
    """log p of the next token, while rows of several lengths decode, one leaves and others come."""
    source = engine.prefill(_PROMPTS)
    held_R, device = source.held_Q, source.held_Q.device
    found = [source.logits_QV]
    none = torch.zeros(0, dtype=torch.bool, device=device)
    engine.refill(none, held_R[:0], [(source, torch.arange(len(held_R), device=device))])
    found += [engine.step(torch.tensor(tokens, device=device)) for tokens in ([3, 4, 2], [2, 2, 3])]
    alive_R = torch.tensor([True, False, True], device=device)
    engine.refill(alive_R, held_R + 2, [(source, torch.tensor([1, 0], device=device))])
    found += [engine.step(torch.tensor(tokens, device=device)) for tokens in ([3, 4, 2, 2], [4, 4, 3, 2])]
    return [logits.float().log_softmax(-1) for logits in found]
