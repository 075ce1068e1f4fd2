"""The bench of architectures: a row a dtype, and a page."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "architectures", Path(__file__).parents[2] / "bench" / "architectures.py"
)
assert _spec is not None
assert _spec.loader is not None
bench = importlib.util.module_from_spec(_spec)
sys.modules["architectures"] = bench
_spec.loader.exec_module(bench)


@pytest.mark.parametrize(
    ("name", "sampled_by", "scored_by"),
    [("qwen2", "fused", "packs"), ("gemma2", "general", "padding"), ("lfm2", "states", "padding")],
)
def test_a_family_is_measured_in_both_dtypes(name: str, sampled_by: str, scored_by: str) -> None:
    exact, lowered = bench.measure(name)
    assert (exact.sampled_by, exact.scored_by, exact.dtype) == (sampled_by, scored_by, "float32")
    assert max(exact.sampler, exact.scorer) < 1e-5
    assert (lowered.sampled_by, lowered.scored_by, lowered.dtype) == (sampled_by, scored_by, "bfloat16")
    assert max(lowered.sampler, lowered.scorer) < 0.2
    assert lowered.own > 1e-3
    page = bench.table([exact, lowered], {"other": "no such family"})
    assert f"| {name} | bfloat16 | {sampled_by} | {scored_by} |" in page
    assert "- other: no such family" in page


def test_a_family_that_fails_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.FAMILIES, "broken", ("NoSuch", {}))
    said: list[str] = []
    rows = bench.main(["--families", "broken,gpt2"], say=said.append)
    assert [row.family for row in rows] == ["gpt2", "gpt2"]
    assert said[0].startswith("broken")
    assert "NoSuch" in said[0]
