"""Bands: rows that decode together, and when two of them become one."""

from __future__ import annotations

import torch

from aurify.sampling.fused.band import Band
from aurify.sampling.fused.store import Packed

HEADS, WIDTH, LAYERS = 2, 4, 2


def packed_of(n_tokens: int) -> Packed:
    return [(torch.randn(n_tokens, HEADS, WIDTH), torch.randn(n_tokens, HEADS, WIDTH)) for _ in range(LAYERS)]


def fed(bands: list[Band], steps: list[list[torch.Tensor]]) -> torch.Tensor:
    """What all rows attend to in the last step, (R, H, G, D)."""
    sizes = [band.rows for band in bands]
    for q, k, v in steps:
        for band in bands:
            band.own.open_column()
        parts = zip(bands, torch.split(q, sizes), torch.split(k, sizes), torch.split(v, sizes), strict=True)
        outs = [[band.attend(layer, *qkv, 0.5, None) for layer in range(LAYERS)][-1] for band, *qkv in parts]
    return torch.cat(outs)


def steps_of(n: int, rows: int) -> list[list[torch.Tensor]]:
    return [
        [torch.randn(rows, HEADS, 3, WIDTH), torch.randn(rows, HEADS, WIDTH), torch.randn(rows, HEADS, WIDTH)]
        for _ in range(n)
    ]


def test_joined_bands_attend_as_they_did_apart() -> None:
    torch.manual_seed(0)
    packed, spans = packed_of(30), [(0, 3), (3, 9), (12, 8), (20, 10)]
    early, later = steps_of(70, 2), steps_of(70, 4)  # more than the spare columns, before and after

    def bands() -> list[Band]:
        old, new = Band(packed, spans, [0, 1]), Band(packed, spans, [3, 2])
        fed([old], early)
        return [old, new]

    apart = bands()
    (old, new) = bands()
    assert old.takes(new)
    old.join(new)
    assert old.rows == 4
    torch.testing.assert_close(fed([old], later), fed(apart, later))
    assert old.keep([False, True, False, True]) == [3, 1]
    last = steps_of(1, 4)
    expected = fed(apart, last)[[3, 1]]
    torch.testing.assert_close(fed([old], [[x[[3, 1]] for x in last[0]]]), expected)


def test_bands_stay_apart_where_joining_costs_more_than_it_saves() -> None:
    many, few = packed_of(4_000), [(0, 20), (20, 3_900)]
    assert Band(many, few, [0]).takes(Band(many, few, [0]))
    wide = [(k.repeat(1, 64, 8), v.repeat(1, 64, 8)) for k, v in many]
    assert not Band(wide, few, [0]).takes(Band(wide, few, [1])), "too much padding"
    assert not Band(many, few, [0]).takes(Band(many, few, [0, 0])), "one prompt for two rows is held once"
    rows = [(i, 1) for i in range(40)]
    assert not Band(many, rows, list(range(40))).takes(Band(many, rows, list(range(40)))), "too many rows"
