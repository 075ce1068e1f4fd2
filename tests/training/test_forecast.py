"""What is said of memory before the first step."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.models import load_model, prepare
from aurify.settings import resolve
from aurify.training import forecast as module
from aurify.training.forecast import available, forecast
from aurify.training.settings import TrainSettings

PROMPTS = [(*range(100), 5, i) for i in range(4)]


def lines(**more: Any) -> list[str]:
    loaded = load_model("nugget")
    tuned = prepare(loaded.model, loaded.tokenizer, kind="lora")
    words = {"method": "trice", "model": "nugget", "data": "d", **more}
    return forecast(resolve(TrainSettings, words), tuned, PROMPTS, new_tokens=100, samples=1)


def test_a_small_run_is_not_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines() == []
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    assert forecast(None, None, [], new_tokens=1, samples=1) == []  # type: ignore[arg-type]


def test_update_and_sampler_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    update, sampler = lines()
    assert update.startswith("memory, predicted: an update 0.")
    assert "activations" in update
    assert sampler.startswith("memory, predicted: the sampler 0.")
    assert len(lines(sampler="vllm")) == 1


def test_what_does_not_fit_is_told_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    monkeypatch.setattr(module, "available", lambda: 2**25)
    tight = lines()[-1]
    assert tight.startswith("only 0.0 GiB are free")
    fits = int(tight.split("--token-budget ")[1].split()[0])
    assert 102 < fits < 4096
    assert not any(line.startswith("only") for line in lines(token_budget=fits))
    monkeypatch.setattr(module, "available", lambda: 2**22)
    assert lines()[-1].endswith("try --gradient-checkpointing")
    monkeypatch.setattr(module, "available", lambda: None)
    assert len(lines()) == 2


def test_this_machine_has_some_memory_free() -> None:
    free = available()
    assert free is None or free > 2**20
