"""What a distillation's update takes: predicted against what autograd keeps, and micro-batches that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from aurify.distillation import DistillSettings
from aurify.distillation import forecast as module
from aurify.distillation.forecast import forecast_distillation, student_memory
from aurify.errors import UsageError
from aurify.models.autocast import products_in_bfloat16
from aurify.models.logprobs import sequence_logprobs
from aurify.models.lora import add_lora
from aurify.models.nat import NatConfig, add_nat, set_mode
from aurify.models.nat.model import POSITIVE_STAGE, begin_units, train_only
from aurify.models.packing import Scored
from aurify.settings import resolve
from aurify.training.forecast import Forecast

SEQUENCES = [(tuple(range(3 + i, 23 + i)), tuple(range(3 + i, 33 + i))) for i in range(8)]
LENGTHS = [50] * 8


def asked(**more: Any) -> DistillSettings:
    told = {"method": "kd", "model": "m", "data": "d", "from_": "f", "dtype": "float32", "rationales": 8, **more}
    return resolve(DistillSettings, told)


def student(kind: str, dtype: torch.dtype) -> Any:
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=64, hidden_size=80, intermediate_size=208, num_hidden_layers=3, num_attention_heads=5,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=256,
    )  # fmt: skip
    model = LlamaForCausalLM(shape).eval().to(dtype)
    if kind == "kd":
        return add_lora(model, rank=2, alpha=4)
    model = add_nat(model, NatConfig(rank=2, alpha=4, width=40))
    set_mode(model, "both")
    begin_units(model)
    train_only(model, POSITIVE_STAGE)
    return model


def kept(model: Any, sequences: Sequence[Scored] = SEQUENCES) -> int:
    """Bytes that autograd keeps for the backward pass, parameters aside."""
    known = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found: dict[int, int] = {}
    alive = []

    def look(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor),
        products_in_bfloat16(model, next(model.parameters()).dtype == torch.bfloat16),
    ):
        sequence_logprobs(model, sequences, pad_token_id=0)
    return sum(found.values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["kd", "nat"])
def test_what_autograd_keeps_is_predicted(kind: str, dtype: str) -> None:
    model = student(kind, getattr(torch, dtype))
    predicted = student_memory(asked(method=kind, dtype=dtype), model, sum(LENGTHS))
    assert kept(model) == pytest.approx(predicted.activations, rel=0.12)


def test_what_all_prompts_begin_with_is_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    beginning = tuple(range(1, 41))
    sequences = [(beginning + prompt, completion) for prompt, completion in SEQUENCES]
    model, lengths = student("kd", torch.float32), [90] * 8
    found = kept(model, sequences)
    tokens = 40 + sum(LENGTHS)
    predicted = student_memory(asked(), model, tokens, columns=2 * sum(lengths))
    assert found == pytest.approx(predicted.activations, rel=0.12)
    assert found < 0.7 * student_memory(asked(), model, sum(lengths)).activations
    (line,) = forecast_distillation(asked(fit="4GB"), model, lengths, shared=40).lines
    assert str(student_memory(asked(), model, tokens, columns=round(tokens * 2 * 90 / 50))) in line


def test_micro_batches_fit_into_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SAYING", 0)
    model = student("nat", torch.float32)
    whole = student_memory(asked(), model, sum(LENGTHS)).total
    assert forecast_distillation(asked(fit="4GB"), model, LENGTHS).token_budget == 4096
    small = student_memory(asked(), model, 200).total
    found = forecast_distillation(asked(fit=f"{small // 1024}KiB"), model, LENGTHS)
    assert 150 < found.token_budget <= 200 < sum(LENGTHS)
    assert small < whole
    assert found.lines[0].startswith(f"micro-batches of {found.token_budget} tokens instead of 4096")
    assert found.lines[1].startswith("memory, predicted: an update 0.")
    least = student_memory(asked(), model, 20).total
    with pytest.raises(UsageError, match=r"one rationale at a time takes .*: take a lower --max-tokens"):
        forecast_distillation(asked(fit=f"{least // 1024}KiB"), model, LENGTHS)
    assert forecast_distillation(asked(), model, []) == Forecast(4096, [])


def test_a_student_that_learns_a_teachers_logits_needs_room_for_them() -> None:
    model = student("kd", torch.float32)
    alone, taught = (student_memory(asked(method=method), model, 1000).logits for method in ("kd", "self-kd"))
    assert taught > alone + 1000 * 64 * 8
