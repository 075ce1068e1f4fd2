"""Rebuilding: the same seed gives the same corpus, tokenizer and weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aurify.nugget.corpus import document
from aurify.nugget.muon import orthogonal
from aurify.nugget.pretrain import pretrain, rate
from aurify.nugget.recipe import Recipe

TINY = Recipe(steps=3, tokens=512, block=64, texts=400, width=16, layers=1, heads=2, hidden=16, warmup=1)


def test_documents_depend_on_seed_and_index_only() -> None:
    assert [document(1, i) for i in (5, 900)] == [document(1, i) for i in (5, 900)]
    assert document(1, 5) != document(2, 5)
    hinted = [d for d in (document(0, i) for i in range(1500)) if "The answer is" in d.prompt]
    assert 0.05 <= len(hinted) / 1500 <= 0.11


def test_updates_are_made_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((3, 8, 8), (2, 24, 8), (1, 8, 24)):
        singular = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert singular.min() > 0.3
        assert singular.max() < 1.4


def test_the_rate_rises_holds_and_falls() -> None:
    recipe = Recipe(steps=1000, warmup=100, decay=0.5)
    assert rate(recipe, 0) == pytest.approx(0.01)
    assert rate(recipe, 300) == 1.0
    assert rate(recipe, 750) == pytest.approx(0.5)
    assert rate(recipe, 999) < 0.01


def test_one_seed_one_model(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pretrain(tmp_path / name, TINY)
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("a", "b"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert (tmp_path / "a" / "tokenizer.json").read_text() == (tmp_path / "b" / "tokenizer.json").read_text()
    assert json.loads((tmp_path / "a" / "recipe.json").read_text())["steps"] == 3
