"""What is said of memory before the first step."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.asking import memory_size
from aurify.errors import UsageError
from aurify.models import load_model, prepare
from aurify.models.memory import MemoryUse
from aurify.settings import resolve
from aurify.training import forecast as module
from aurify.training.forecast import Forecast, available, forecast
from aurify.training.settings import TrainSettings

PROMPTS = [(*range(100), 5, i) for i in range(4)]


def told(**more: Any) -> Forecast:
    loaded = load_model("nugget")
    tuned = prepare(loaded.model, loaded.tokenizer, kind="lora")
    words = {"method": "trice", "model": "nugget", "data": "d", **more}
    return forecast(resolve(TrainSettings, words), tuned, PROMPTS, new_tokens=100, samples=1)


def lines(**more: Any) -> list[str]:
    return told(**more).lines


def test_a_small_run_is_not_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines() == []
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    settings = resolve(TrainSettings, {"method": "trice", "model": "nugget", "data": "d"})
    assert forecast(settings, None, [], new_tokens=1, samples=1) == (4096, [], None)  # type: ignore[arg-type]


def test_update_and_sampler_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    update, sampler = lines()
    assert update.startswith("memory, predicted: an update 0.")
    assert "activations" in update
    assert sampler.startswith("memory, predicted: the sampler 0.")
    assert len(lines(sampler="vllm")) == 1


def test_what_one_of_several_processes_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    loaded = load_model("nugget")
    tuned = prepare(loaded.model, loaded.tokenizer, kind="full")

    def of(processes: int, **more: Any) -> str:
        settings = resolve(TrainSettings, {"method": "trice", "model": "nugget", "data": "d", "questions": 1, **more})
        return forecast(settings, tuned, PROMPTS, new_tokens=100, samples=1, processes=processes).lines[0]

    assert of(4).startswith("memory, predicted, in each of 4 processes: an update ")
    assert of(4).partition(": an")[2] == of(1).partition(": an")[2]  # one question is one process's
    asked = []
    monkeypatch.setattr(module, "update_memory", lambda *_, **more: asked.append(more["pieces"]) or MemoryUse())
    for processes, fsdp in ((4, "full_shard"), (4, "none"), (1, "full_shard")):
        of(processes, fsdp=fsdp)
    assert list(dict.fromkeys(asked)) == [4, 1]
    assert asked[-1] == 1


def test_processes_of_a_machine_share_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = available()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert alone is not None
    assert available() == pytest.approx(alone / 4, rel=0.2)


def test_micro_batches_shrink_to_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda: 2**25)
    found = told()
    assert 102 < found.token_budget < 4096
    assert found.lines[0].startswith(f"micro-batches of {found.token_budget} tokens instead of 4096: then an update")
    assert told(token_budget=found.token_budget) == (found.token_budget, [], None)
    monkeypatch.setattr(module, "available", lambda: 2**22)
    assert told().token_budget == 4096
    assert told().lines[-1].endswith("try --gradient-checkpointing")
    monkeypatch.setattr(module, "available", lambda: None)
    assert told() == (4096, [], None)


def test_a_size_that_is_given_holds_whatever_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda: 2**22)
    assert told(fit="2GB") == (4096, [], None)
    assert 102 < told(fit="138MiB").token_budget < 4096
    with pytest.raises(UsageError, match="--fit 100MiB: an update by one rationale at a time takes"):
        told(fit="100MiB")


def test_fewer_samples_at_a_time_where_the_sampler_takes_more_than_was_given() -> None:
    roomy, tight = told(fit="2GB", questions=512), told(fit="160MiB", questions=512)
    assert roomy.cache_tokens is None
    assert tight.cache_tokens is not None
    assert tight.lines[-1].startswith("at most ")
    assert tight.lines[-1].endswith("samples at a time instead of 256: then the sampler fits in 160MiB")
    assert told(fit="160MiB", questions=512, sampler="vllm").cache_tokens is None


@pytest.mark.parametrize(("text", "size"), [("24GB", 24 * 10**9), ("1.5 gib", 3 * 2**29), ("500MB", 5 * 10**8)])
def test_sizes(text: str, size: int) -> None:
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["24", "GB", "0GB", "-1GB", "24 bytes", "1e3GB", "0.0001KB", "9" * 400 + "GB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="24GB"):
        told(fit=text)


def test_this_machine_has_some_memory_free() -> None:
    free = available()
    assert free is None or free > 2**20
