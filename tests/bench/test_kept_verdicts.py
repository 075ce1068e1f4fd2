"""Verdicts that a bench keeps give the same comparison as the runs did."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from aurify.statistics.paired import by_question, compare_all

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from kept_verdicts import keep, kept, table


def test_what_is_kept_is_compared_as_before(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    parts = [
        ("in-domain", seed, {m: {f"q{i}": float(random.random() < p) for i in range(40)} for m, p in METHODS.items()})
        for seed in range(5)
    ]
    keep(tmp_path / "v.jsonl", parts)
    assert list(kept(tmp_path / "v.jsonl")) == [
        (part, seed, {m: dict(sorted(own.items())) for m, own in verdicts.items()}) for part, seed, verdicts in parts
    ]
    (pair,) = compare_all({m: by_question([verdicts[m] for _, _, verdicts in parts]) for m in METHODS})
    head, rule, row, _, persistence = table(tmp_path / "v.jsonl", None)
    assert persistence.startswith("in-domain: ")
    assert head.count("|") == rule.count("|") == row.count("|")
    value, low, high = (100 * end for end in pair.difference)
    assert f"| good - bad | {value:.1f} ({low:.1f} to {high:.1f}) |" in row
    assert row.endswith("| good |")


METHODS = {"good": 0.9, "bad": 0.3}
