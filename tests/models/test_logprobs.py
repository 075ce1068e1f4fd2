from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aurify.errors import AurifyError
from aurify.models.logprobs import padded_batches, sequence_logprobs, token_logits, token_logprobs
from aurify.models.prefix import n_virtual_tokens

_spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).parents[1] / "sampling" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)


def sequences_of(n: int, seed: int = 0) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    draw = random.Random(seed)

    def tokens(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw.randrange(1, 24) for _ in range(draw.randrange(low, high)))

    return [(tokens(1, 15), tokens(1, 20)) for _ in range(n)]


def plain_logits(model: Any, prompt: tuple[int, ...], completion: tuple[int, ...]) -> torch.Tensor:
    """The whole sequence through the model's own forward, alone, with nothing left out."""
    logits: torch.Tensor = model(input_ids=torch.tensor([[*prompt, *completion]])).logits[0, n_virtual_tokens(model) :]
    return logits[len(prompt) - 1 : len(prompt) - 1 + len(completion)]


def plain_logprobs(model: Any, prompt: tuple[int, ...], completion: tuple[int, ...]) -> torch.Tensor:
    logits = plain_logits(model, prompt, completion)
    return logits.log_softmax(-1).gather(1, torch.tensor(completion)[:, None])[:, 0]


@pytest.mark.parametrize("kind", tiny.FAMILIES)
def test_values_and_gradients_are_those_of_a_plain_loop(kind: str) -> None:
    model, sequences = tiny.build_model(kind), sequences_of(7)
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0, 0.25, 1.0])
    together = sequence_logprobs(model, sequences, pad_token_id=0)
    (weights * together).sum().backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    alone = torch.stack([plain_logprobs(model, *sequence).sum() for sequence in sequences])
    (weights * alone).sum().backward()
    assert torch.allclose(together, alone, atol=2e-5, rtol=1e-6)
    assert gradients
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            scale = parameter.grad.abs().max().clamp(min=1)
            assert ((gradients[name] - parameter.grad).abs().max() / scale) < 1e-5, name


@pytest.mark.parametrize("kind", tiny.FAMILIES)
@torch.no_grad()
def test_logits_are_those_of_a_plain_loop(kind: str) -> None:
    model, sequences = tiny.build_model(kind), sequences_of(5)
    found = token_logits(model, sequences, pad_token_id=0)
    expected = torch.cat([plain_logits(model, *sequence) for sequence in sequences])
    assert torch.allclose(found, expected[:, : found.shape[1]].float(), atol=2e-5, rtol=1e-5)
    assert token_logits(model, [], pad_token_id=0).shape == (0, found.shape[1])


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "llama+prompt"])
def test_neither_padding_nor_neighbours_nor_the_pad_id_matter(kind: str) -> None:
    model, sequences = tiny.build_model(kind), sequences_of(6)
    with torch.no_grad():
        expected = sequence_logprobs(model, sequences, pad_token_id=0)
        assert torch.allclose(sequence_logprobs(model, sequences, pad_token_id=5), expected, atol=1e-5)
        wider = sequence_logprobs(model, [*sequences, ((3,) * 40, (4,) * 40)], pad_token_id=0)[:-1]
        assert torch.allclose(wider, expected, atol=1e-5)
        for sequence, value in zip(sequences, expected, strict=True):
            assert torch.allclose(sequence_logprobs(model, [sequence], pad_token_id=0)[0], value, atol=1e-5)


def test_one_value_a_token_and_eos_only_where_it_is() -> None:
    model = tiny.build_model("llama")
    with torch.no_grad():
        cut, ended = token_logprobs(model, [((2, 3), (4, 5)), ((2, 3), (4, 5, 1))], pad_token_id=1)
    assert (len(cut), len(ended)) == (2, 3)
    assert torch.allclose(ended[:2], cut, atol=1e-6)
    assert (ended < 0).all()


def test_empty_completions_score_zero() -> None:
    model = tiny.build_model("llama")
    scores = sequence_logprobs(model, [((2, 3), ()), ((2,), (4, 1)), ((), ())], pad_token_id=0)
    assert scores[0] == scores[2] == 0
    assert scores[1] < 0
    assert sequence_logprobs(model, [((2,), ())], pad_token_id=0).tolist() == [0]
    assert sequence_logprobs(model, [], pad_token_id=0).shape == (0,)


def test_a_first_token_needs_something_before_it() -> None:
    with pytest.raises(AurifyError, match="empty prompt"):
        sequence_logprobs(tiny.build_model("llama"), [((), (2, 3))], pad_token_id=0)
    behind_a_soft_prompt = sequence_logprobs(tiny.build_model("llama+prompt"), [((), (2, 3))], pad_token_id=0)
    assert behind_a_soft_prompt.item() < 0


def test_dropout_is_the_callers() -> None:
    model, sequences = tiny.build_model("gpt2+lora"), sequences_of(3)
    with torch.no_grad():
        still = sequence_logprobs(model, sequences, pad_token_id=0)
        assert torch.equal(sequence_logprobs(model, sequences, pad_token_id=0), still)
        model.train()
        assert not torch.allclose(sequence_logprobs(model, sequences, pad_token_id=0), still, atol=1e-2)


def test_a_disabled_soft_prompt_is_not_there() -> None:
    model, sequences = tiny.build_model("llama+prompt"), sequences_of(3)
    with torch.no_grad():
        with_prompt = sequence_logprobs(model, sequences, pad_token_id=0)
        with model.disable_adapter():
            without = sequence_logprobs(model, sequences, pad_token_id=0)
        base = sequence_logprobs(model.get_base_model(), sequences, pad_token_id=0)
    assert torch.equal(without, base)
    assert not torch.allclose(with_prompt, base, atol=1e-2)


def test_other_kinds_of_prompt_learning_are_refused() -> None:
    import peft

    model = peft.get_peft_model(
        tiny.build_model("llama"), peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    )
    with pytest.raises(AurifyError, match="PREFIX_TUNING"):
        sequence_logprobs(model, sequences_of(1), pad_token_id=0)


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(1, 200))
def test_padded_batches_hold_every_sequence_once_within_the_budget(lengths: list[int], budget: int) -> None:
    groups = padded_batches(lengths, budget)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[i] for i in group) <= budget
    assert padded_batches(lengths, budget) == groups
    flat = [lengths[index] for group in groups for index in group]
    assert flat == sorted(lengths, reverse=True)


def test_padded_batches_refuse_no_budget() -> None:
    assert padded_batches([3, 9, 3, 2], 8) == [[1], [0, 2], [3]]
    assert padded_batches([], 9) == []
    with pytest.raises(ValueError, match="at least 1"):
        padded_batches([1], 0)
