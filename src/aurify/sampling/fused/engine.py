"""The fused engine: a whole decode step as a few matrix products a layer, on prompts held once.

What is common to all prompts, a soft prompt or a few-shot text, runs once and is held once; every query attends to
it in one product. Prompts run end to end, without padding; those of one length attend together. Rows then decode
in bands (see ``band``).

Shapes: N tokens, R rows, H key-value heads, G queries a key-value head, D width of a head, E width of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional

from aurify.models.beginning import n_worth_sharing
from aurify.models.prefix import n_virtual_tokens, soft_prompt
from aurify.sampling.engine import Prefilled
from aurify.sampling.fused.attention import Part, attend_causal, attend_common
from aurify.sampling.fused.band import BAND_ROWS, Band
from aurify.sampling.fused.store import Packed
from aurify.sampling.fused.weights import Layer, Weights

Attention = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, queries (N, H, G, D), keys and values (N, H, D)) -> (N, H, G, D)."""


class FusedEngine:
    """See ``Engine``; for the prompts given, which may begin alike."""

    pads = False

    def __init__(self, model: nn.Module, weights: Weights, prompts: Sequence[tuple[int, ...]], new_tokens: int) -> None:
        self.weights = weights
        self.device = weights.embedding.device
        self.dtype = weights.embedding.dtype
        self.n_virtual = n_virtual_tokens(model)
        self.n_shared = n_worth_sharing(prompts, left=1)
        longest = self.n_virtual + max(map(len, prompts)) + new_tokens
        positions = torch.arange(longest + 1, device=self.device)[None]
        cos, sin = weights.rotary(torch.zeros(1, device=self.device), positions)
        half = weights.width // 2
        self.rotation_PD = torch.complex(cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous())
        self.n_common = self.n_virtual + self.n_shared
        self.common: Packed | None = None
        if self.n_common:
            self.common = self._run_common(model, prompts[0][: self.n_shared])
        self.bands: list[Band] = []
        self.position_R = torch.zeros(0, dtype=torch.long, device=self.device)

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> Prefilled:
        """See ``Engine``."""
        tails = [prompt[self.n_shared :] for prompt in prompts]
        lengths = [len(tail) for tail in tails]
        ids_N = torch.tensor([i for tail in tails for i in tail], device=self.device)
        position_N = torch.tensor([self.n_common + t for n in lengths for t in range(n)], device=self.device)
        states_NE, packed = self._run_prompts(self._embedded(ids_N), position_N, lengths)
        lengths_Q = torch.tensor(lengths, device=self.device)
        ends_Q = lengths_Q.cumsum(0)
        spans = list(zip((ends_Q - lengths_Q).tolist(), lengths, strict=True))
        return Prefilled(self._logits(states_NE[ends_Q - 1]), self.n_common + lengths_Q, (packed, spans))

    def refill(self, alive_R: Tensor, held_R: Tensor, new: Sequence[tuple[Prefilled, Tensor]]) -> Tensor:
        """See ``Engine``. Rows that end make room in their band for rows of the same band only."""
        order: list[int] = []
        start = 0
        alive = alive_R.tolist()
        for band in self.bands:
            end = start + band.rows
            kept = range(band.rows) if all(alive[start:end]) else band.keep(alive[start:end])
            order.extend(start + r for r in kept)
            start = end
        bands, self.bands = self.bands, []
        for band in bands:
            if self.bands and self.bands[-1].takes(band):
                self.bands[-1].join(band)
            elif band.rows:
                self.bands.append(band)
        kept_R = torch.tensor(order, dtype=torch.long, device=self.device)
        for source, at in new:
            packed, spans = source.cache
            self.bands.extend(Band(packed, spans, part.tolist()) for part in torch.split(at, BAND_ROWS))
        self.position_R = torch.cat([held_R[kept_R], *(source.held_Q[at] for source, at in new)])
        return kept_R

    def step(self, token_R: Tensor) -> Tensor:
        """See ``Engine``."""
        for band in self.bands:
            band.own.open_column()
        sizes = [band.rows for band in self.bands]
        # Rows that are done run on until they are dropped, perhaps past the last position that was asked for.
        position_R = self.position_R.clamp(max=len(self.rotation_PD) - 1)

        def attention(layer: int, q_RHGD: Tensor, k_RHD: Tensor, v_RHD: Tensor) -> Tensor:
            commons = self._commons(layer, q_RHGD, sizes)
            parts = zip(
                self.bands,
                torch.split(q_RHGD, sizes),
                torch.split(k_RHD, sizes),
                torch.split(v_RHD, sizes),
                commons,
                strict=True,
            )
            outs = [band.attend(layer, q, k, v, self.weights.scale, common) for band, q, k, v, common in parts]
            return outs[0] if len(outs) == 1 else torch.cat(outs)

        states_RE = self._blocks(self._embedded(token_R), self.rotation_PD[position_R], attention)
        self.position_R = self.position_R + 1
        return self._logits(states_RE)

    def _commons(self, layer: int, q_NHGD: Tensor, sizes: Sequence[int]) -> Sequence[Part | None]:
        if self.common is None:
            return [None] * len(sizes)
        out, normaliser = attend_common(q_NHGD, *self.common[layer], self.weights.scale)
        return list(zip(torch.split(out, list(sizes)), torch.split(normaliser, list(sizes)), strict=True))

    def _run_common(self, model: nn.Module, token_ids: tuple[int, ...]) -> Packed:
        """Keys and values (H, C, D) of what stands before every prompt."""
        embedding_CE = self._embedded(torch.tensor(token_ids, dtype=torch.long, device=self.device))
        if self.n_virtual:
            soft_PE = soft_prompt(model).to(embedding_CE)
            embedding_CE = torch.cat([soft_PE, embedding_CE])
        position_C = torch.arange(len(embedding_CE), device=self.device)
        _, packed = self._run_prompts(embedding_CE, position_C, [len(embedding_CE)])
        return [(k.transpose(0, 1).contiguous(), v.transpose(0, 1).contiguous()) for k, v in packed]

    def _run_prompts(self, embedding_NE: Tensor, position_N: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Packed]:
        """The last states of prompts that stand end to end, and their keys and values."""
        packed: Packed = []
        alike = [(length, len(list(group))) for length, group in groupby(lengths)]
        sizes = [length * count for length, count in alike]

        def attention(layer: int, q_NHGD: Tensor, k_NHD: Tensor, v_NHD: Tensor) -> Tensor:
            packed.append((k_NHD.contiguous(), v_NHD.contiguous()))
            commons = self._commons(layer, q_NHGD, sizes)
            parts = zip(
                alike,
                torch.split(q_NHGD, sizes),
                torch.split(k_NHD, sizes),
                torch.split(v_NHD, sizes),
                commons,
                strict=True,
            )
            outs = []
            for (t, b), q, k, v, common in parts:
                before = (
                    None
                    if common is None
                    else (common[0].reshape(b, t, *common[0].shape[1:]), common[1].reshape(b, t, *common[1].shape[1:]))
                )
                q, k, v = (x.reshape(b, t, *x.shape[1:]) for x in (q, k, v))
                outs.append(attend_causal(q, k, v, self.weights.scale, before).reshape(b * t, *q.shape[2:]))
            return torch.cat(outs)

        return self._blocks(embedding_NE, self.rotation_PD[position_N], attention), packed

    def _embedded(self, ids_N: Tensor) -> Tensor:
        """The first states: float32, as all states between the blocks are, whatever the weights' dtype."""
        return self.weights.embedding[ids_N].float()

    def _blocks(self, states_NE: Tensor, rotation_ND: Tensor, attention: Attention) -> Tensor:
        rotation_N1D = rotation_ND[:, None]
        for number, layer in enumerate(self.weights.layers):
            states_NE = self._block(number, layer, states_NE, rotation_N1D, attention)
        return states_NE

    def _block(self, number: int, layer: Layer, x_NE: Tensor, rotation_N1D: Tensor, attention: Attention) -> Tensor:
        w = self.weights
        heads, kv_heads, width = w.heads, w.kv_heads, w.width
        qkv = layer.qkv(self._normed(x_NE, layer.before)).reshape(len(x_NE), -1, width)
        qk, v = qkv[:, : heads + kv_heads], qkv[:, heads + kv_heads :]
        if layer.q_norm is not None and layer.k_norm is not None:
            q, k = qk[:, :heads].float(), qk[:, heads:].float()
            qk = torch.cat([_rms(q, w.eps, layer.q_norm), _rms(k, w.eps, layer.k_norm)], 1)
        qk = _rotated(qk, rotation_N1D).to(self.dtype)
        q = qk[:, :heads].reshape(len(x_NE), kv_heads, heads // kv_heads, width)
        attended = attention(number, q, qk[:, heads:], v).reshape(len(x_NE), heads * width)
        x_NE = layer.out.add_to(x_NE, attended.to(self.dtype))
        gate, up = layer.gate_up(self._normed(x_NE, layer.between)).chunk(2, -1)
        return layer.down.add_to(x_NE, w.activation(gate).mul_(up))

    def _logits(self, states_RE: Tensor) -> Tensor:
        return self.weights.head(self._normed(states_RE, self.weights.norm))

    def _normed(self, x_NE: Tensor, weight_E: Tensor | None) -> Tensor:
        return _rms(x_NE, self.weights.eps, weight_E).to(self.dtype)


def _rms(x: Tensor, eps: float, weight: Tensor | None = None) -> Tensor:
    """x / sqrt(mean(x²) + eps) along the last dimension, times the weight where it is not folded into what follows."""
    return functional.rms_norm(x, x.shape[-1:], weight, eps)


def _rotated(qk: Tensor, rotation_N1D: Tensor) -> Tensor:
    pairs = torch.view_as_complex(qk.float().view(*qk.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotation_N1D).flatten(-2)
