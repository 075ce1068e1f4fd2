"""Sequences laid end to end, what they begin with alike held once: no padding, and no prompt computed twice.

The tokens of a pack form a tree of spans: what is common to all prompts (a soft prompt, a few-shot text), then the
prompts, then their completions. Each span attends to the spans above it and, causally, to itself, so a prompt's
gradient is the sum over all its completions and nothing is approximated. Spans of a level attend in groups of about
one length, the only place where padding is left.

Shapes: N tokens of the pack, K predicted tokens, B spans of a group, T queries, C columns, P places in all groups,
H heads, D width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from aurify.models.beginning import n_worth_sharing

Scored = tuple[Sequence[int], Sequence[int]]
"""The token ids of a prompt, and those of its completion."""

_ALIKE = 0.75  # the shortest span of a group is at least this share of the longest


class Unpackable(Exception):
    """The model does not compute packs; its sequences are padded instead."""


@dataclass(frozen=True)
class Span:
    """Tokens start to start + length of the pack, behind the spans ``above``."""

    start: int
    length: int
    above: tuple[Span, ...] = ()

    @property
    def depth(self) -> int:
        """How many tokens stand before the first."""
        return sum(span.length for span in self.above)

    def columns(self) -> NDArray[np.int64]:
        """The tokens that the last one sees, in order."""
        return np.concatenate([np.arange(s.start, s.start + s.length) for s in (*self.above, self)])


@dataclass(frozen=True)
class Group:
    """Spans that attend together: query i of a span at depth d sees its first d + i + 1 columns."""

    queries_BT: Tensor
    real_BT: Tensor
    columns_BC: Tensor
    visible_B1TC: Tensor | None

    @classmethod
    def of(cls, spans: Sequence[Span], device: torch.device) -> Group:
        length = max(span.length for span in spans)
        width = max(span.depth + span.length for span in spans)
        queries_BT = np.zeros((len(spans), length), dtype=np.int64)
        columns_BC = np.zeros((len(spans), width), dtype=np.int64)
        for row, span in enumerate(spans):
            queries_BT[row, : span.length] = np.arange(span.start, span.start + span.length)
            columns = span.columns()
            columns_BC[row, : len(columns)] = columns
        visible = None
        if any(span.depth for span in spans):
            depth_B = torch.tensor([span.depth for span in spans], device=device)
            last_BT = depth_B[:, None] + torch.arange(length, device=device)
            visible = (torch.arange(width, device=device) <= last_BT[..., None])[:, None]
        lengths_B = torch.tensor([span.length for span in spans], device=device)
        real_BT = torch.arange(length, device=device) < lengths_B[:, None]
        return cls(torch.from_numpy(queries_BT).to(device), real_BT, torch.from_numpy(columns_BC).to(device), visible)


@dataclass
class Pack:
    """Some sequences as one row of tokens, and where to look for what.

    ``token_ids`` are those behind the soft prompt, ``position_N`` counts from each sequence's own beginning, and
    token ``predicted_from_K[k]`` predicts ``target_K[k]``, sequence after sequence.
    ``queries_P`` and ``columns_P`` are those of all groups, group after group, and ``back_N`` takes the groups' outputs
    back to the pack's own order. ``uses`` counts the layers that attended through the pack.
    """

    token_ids: list[int]
    position_N: Tensor
    predicted_from_K: Tensor
    target_K: Tensor
    groups: list[Group]
    queries_P: Tensor
    columns_P: Tensor
    back_N: Tensor
    uses: int = field(default=0)

    @classmethod
    def of(cls, sequences: Sequence[Scored], n_virtual: int, device: torch.device) -> Pack:
        """Lay out the sequences, behind a soft prompt of ``n_virtual`` positions. Completions may be empty."""
        scored = [(tuple(prompt), tuple(completion)) for prompt, completion in sequences if completion]
        prompts = list(dict.fromkeys(prompt for prompt, _ in scored))
        n_shared = n_worth_sharing(prompts)
        ids: list[int] = list(prompts[0][:n_shared]) if prompts else []
        common = Span(0, n_virtual + n_shared)
        above = (common,) if common.length else ()
        levels: list[list[Span]] = [[common] if common.length else [], [], []]
        at: dict[tuple[int, ...], tuple[Span, ...]] = {}
        for prompt in prompts:
            span = Span(n_virtual + len(ids), len(prompt) - n_shared, above)
            ids.extend(prompt[n_shared:])
            at[prompt] = (*above, span) if span.length else above
            levels[1].append(span)
        sources: list[NDArray[np.int64]] = []
        for prompt, completion in scored:
            span = Span(n_virtual + len(ids), len(completion) - 1, at[prompt])
            ids.extend(completion[:-1])  # the last token is predicted and predicts nothing
            levels[2].append(span)
            before = at[prompt][-1]
            sources.append(
                np.concatenate([[before.start + before.length - 1], np.arange(span.start, span.start + span.length)])
            )
        groups = [Group.of(alike, device) for spans in levels for alike in _alike([s for s in spans if s.length])]
        queries_P = torch.cat([group.queries_BT.flatten() for group in groups])
        real_P = torch.cat([group.real_BT.flatten() for group in groups])
        back_N = torch.empty(n_virtual + len(ids), dtype=torch.long, device=device)
        back_N[queries_P[real_P]] = real_P.nonzero()[:, 0]
        positions = np.zeros(n_virtual + len(ids), dtype=np.int64)
        for span in (span for spans in levels for span in spans):
            positions[span.start : span.start + span.length] = np.arange(span.depth, span.depth + span.length)
        return cls(
            token_ids=ids,
            position_N=torch.from_numpy(positions).to(device),
            predicted_from_K=torch.from_numpy(np.concatenate(sources)).to(device),
            target_K=torch.tensor([i for _, completion in scored for i in completion], device=device),
            groups=groups,
            queries_P=queries_P,
            columns_P=torch.cat([group.columns_BC.flatten() for group in groups]),
            back_N=back_N,
        )

    def attend(self, q_HND: Tensor, k_HND: Tensor, v_HND: Tensor, scale: float | None, dropout: float) -> Tensor:
        """Attention of every token over what it may see, (N, H, D); there may be fewer key-value heads."""
        self.uses += 1
        heads, _, width = q_HND.shape
        wide = _slow_in_bfloat16(q_HND)
        # One gather for all groups, then views: each gather costs its backward pass a tensor as large as the pack.
        q, k, v = ((x.float() if wide else x).transpose(0, 1).contiguous() for x in (q_HND, k_HND, v_HND))
        n_queries = [group.queries_BT.numel() for group in self.groups]
        n_columns = [group.columns_BC.numel() for group in self.groups]
        value_width = v.shape[-1]  # narrower than queries and keys in multi-head latent attention
        queries = torch.split(q.index_select(0, self.queries_P), n_queries)
        keys, values = (torch.split(x.index_select(0, self.columns_P), n_columns) for x in (k, v))
        outs = []
        for group, q_PHD, k_PHD, v_PHD in zip(self.groups, queries, keys, values, strict=True):
            b, t = group.queries_BT.shape
            with torch.autocast(q.device.type, enabled=False) if wide else nullcontext():
                out_BHTD = functional.scaled_dot_product_attention(
                    q_PHD.view(b, t, heads, width).transpose(1, 2),
                    k_PHD.view(b, -1, len(k_HND), width).transpose(1, 2),
                    v_PHD.view(b, -1, len(k_HND), value_width).transpose(1, 2),
                    attn_mask=group.visible_B1TC,
                    is_causal=group.visible_B1TC is None,
                    dropout_p=dropout,
                    scale=scale,
                    enable_gqa=len(k_HND) < heads,
                )
            outs.append(out_BHTD.transpose(1, 2).reshape(b * t, heads, value_width))
        found_NHD = torch.cat(outs).index_select(0, self.back_N)
        return found_NHD.to(torch.bfloat16) if wide else found_NHD


def _slow_in_bfloat16(queries: Tensor) -> bool:
    """Whether attention is to be computed in float32 instead: on a CPU its backward pass then takes a third to a half.

    Seen with torch 2.13, 60 to 160 queries of 14 heads.
    """
    kind = queries.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else queries.dtype
    return kind == "cpu" and dtype == torch.bfloat16 and queries.requires_grad


def packed_batches(sequences: Sequence[Scored], token_budget: int, n_virtual: int = 0) -> list[list[int]]:
    """Indices of the sequences, every one once, in groups whose packs take about ``token_budget`` tokens at most.

    What all prompts begin with counts once a group, as it is computed once. Sequences of one prompt stay together where
    they fit; a sequence longer than the budget stands alone.

    Raises ValueError for a budget below 1.
    """
    if token_budget < 1:
        raise ValueError(f"the token budget is {token_budget}, and must be at least 1")
    asked = [tuple(prompt) for prompt, _ in sequences]
    lengths = [len(completion) for _, completion in sequences]
    n_shared = n_worth_sharing(list(dict.fromkeys(asked)))
    order = sorted(range(len(sequences)), key=lambda i: (-len(asked[i]), asked[i], -lengths[i], i))
    batches: list[list[int]] = []
    used, prompts = 0, set[tuple[int, ...]]()
    for index in order:
        prompt = asked[index]
        own = len(prompt) - n_shared
        more = lengths[index] + (0 if prompt in prompts else own)
        if not batches or used + more > token_budget:
            batches.append([])
            used, prompts = n_virtual + n_shared, set()
            more = lengths[index] + own
        batches[-1].append(index)
        used += more
        prompts.add(prompt)
    return batches


def _alike(spans: list[Span]) -> list[list[Span]]:
    groups: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: -span.length):
        if groups and span.length >= _ALIKE * groups[-1][0].length:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups
