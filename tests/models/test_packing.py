"""A pack is the padded computation, prompts and beginnings computed once."""

from __future__ import annotations

import copy
import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aurify.models import logprobs
from aurify.models.logprobs import sequence_logprobs, takes_packs, token_logprobs
from aurify.models.packed_attention import ATTENTION_NAME
from aurify.models.packing import Pack, Scored, packed_batches

_spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).parents[1] / "sampling" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

PACKED = ("llama", "qwen2", "qwen3", "gpt2", "llama+lora", "gpt2+lora", "llama+prompt", "qwen3+prompt")
SHORT: list[Scored] = [((3, 4), (5, 6))]


def family(seed: int, beginning: int, prompts: int, completions: int) -> list[Scored]:
    """Sequences of a few prompts, which begin alike, each with several completions of 1 to 12 tokens."""
    draw = random.Random(seed)

    def tokens(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw.randrange(1, 24) for _ in range(draw.randrange(low, high)))

    same = tokens(beginning, beginning + 1)
    asked = [same + tokens(1, 15) for _ in range(prompts)]
    return [(prompt, tokens(1, 13)) for prompt in asked for _ in range(completions)]


def value_and_gradient(model: Any, sequences: list[Scored], weights: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
    model.zero_grad(set_to_none=True)
    values = sequence_logprobs(model, sequences, pad_token_id=0)
    (weights * values).sum().backward()
    return values.detach(), [p.grad.clone() if p.grad is not None else None for p in model.parameters()]


@pytest.mark.parametrize(("beginning", "completions"), [(0, 1), (0, 3), (20, 1), (20, 3)])
@pytest.mark.parametrize("kind", PACKED)
def test_values_and_gradients_are_those_of_padded_rows(
    kind: str, beginning: int, completions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, sequences = tiny.build_model(kind), family(1, beginning, 4, completions)
    weights = torch.linspace(-2, 1.5, len(sequences))
    assert takes_packs(model, sequences)
    values, gradients = value_and_gradient(model, sequences, weights)
    monkeypatch.setattr(logprobs, "takes_packs", lambda *_: False)
    expected, expected_gradients = value_and_gradient(model, sequences, weights)
    assert torch.allclose(values, expected, atol=2e-5)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        assert (found is None) == (wanted is None)
        if wanted is not None:
            assert ((found - wanted).abs().max() / wanted.abs().max().clamp(min=1)) < 1e-5


def test_prompts_and_beginnings_stand_in_the_pack_once() -> None:
    sequences = family(2, 20, 3, 4)
    pack = Pack.of(sequences, 0, torch.device("cpu"))
    prompts = {prompt for prompt, _ in sequences}
    assert len(prompts) == 3
    own = sum(len(prompt) - 20 for prompt in prompts) + sum(len(completion) - 1 for _, completion in sequences)
    assert len(pack.token_ids) == 20 + own
    assert len(pack.target_K) == sum(len(completion) for _, completion in sequences)


def test_a_model_that_asks_more_of_attention_takes_no_packs() -> None:
    """Gemma 2 caps its scores and slides its window; its sequences are padded, and right (test_logprobs)."""
    assert not takes_packs(tiny.build_model("gemma2"), SHORT)


def test_a_sliding_window_is_heeded_where_a_sequence_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers as hf

    config = hf.MistralConfig(
        vocab_size=24, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=12,
    )  # fmt: skip
    torch.manual_seed(0)
    model = hf.MistralForCausalLM(config).eval()
    short: list[Scored] = [((3, 4, 5), (6, 7)), ((3, 4), (8, 9, 10))]
    long: list[Scored] = [(tuple(range(1, 20)), (6, 7, 8)), *short]
    assert takes_packs(model, short)
    assert not takes_packs(model, long)
    found = sequence_logprobs(model, short, pad_token_id=0)
    windowed = sequence_logprobs(model, long, pad_token_id=0)
    logits = model(torch.tensor([[*long[0][0], *long[0][1]]])).logits.log_softmax(-1)[0]
    exact = sum(logits[18 + i, token] for i, token in enumerate(long[0][1]))
    assert torch.allclose(windowed[0], exact, atol=1e-5)
    assert torch.allclose(windowed[1:], found, atol=1e-5)
    monkeypatch.setattr(logprobs, "takes_packs", lambda *_: False)
    assert torch.allclose(sequence_logprobs(model, short, pad_token_id=0), found, atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "gpt2+lora", "llama+prompt"])
def test_padded_rows_never_make_logits_of_all_positions(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, sequences = tiny.build_model(kind), family(1, 0, 4, 2)
    monkeypatch.setattr(logprobs, "takes_packs", lambda *_: False)
    monkeypatch.setattr(logprobs, "head_of", lambda _: None)
    expected = sequence_logprobs(model, sequences, pad_token_id=0)
    monkeypatch.undo()
    monkeypatch.setattr(logprobs, "takes_packs", lambda *_: False)
    assert logprobs.head_of(model) is not None
    monkeypatch.setattr(logprobs, "next_token_logits", None)
    assert torch.allclose(sequence_logprobs(model, sequences, pad_token_id=0), expected, atol=1e-5)


def test_a_head_that_caps_its_logits_is_not_plain() -> None:
    assert logprobs.head_of(tiny.build_model("gemma2")) is None


def test_a_model_that_does_not_pass_packs_on_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.build_model("llama")
    forward = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda **known: forward(**{**known, "pack": None}))
    assert not takes_packs(model, SHORT)


def test_a_copy_takes_packs_too_and_generates_as_before() -> None:
    model = tiny.build_model("llama")
    inputs = torch.tensor([[3, 4, 5], [7, 8, 9]])
    options = {"attention_mask": torch.ones_like(inputs), "do_sample": False, "max_new_tokens": 8, "min_new_tokens": 8}
    before = model.generate(inputs, **options)
    assert takes_packs(model, SHORT)
    assert model.config._attn_implementation == ATTENTION_NAME
    assert torch.equal(model.generate(inputs, **options), before)
    assert takes_packs(copy.deepcopy(model), SHORT)


def test_nothing_of_it_is_saved(tmp_path: Path) -> None:
    import transformers as hf

    model = tiny.build_model("llama")
    assert takes_packs(model, SHORT)
    model.save_pretrained(tmp_path)
    assert ATTENTION_NAME not in (tmp_path / "config.json").read_text()
    assert hf.LlamaForCausalLM.from_pretrained(tmp_path).config._attn_implementation == "sdpa"


def test_dropout_acts_when_the_caller_wants_it() -> None:
    import transformers as hf

    config = hf.LlamaConfig(
        vocab_size=24, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        attention_dropout=0.5,
    )  # fmt: skip
    model, sequences = hf.LlamaForCausalLM(config).eval(), family(3, 0, 3, 2)
    still = torch.cat(token_logprobs(model, sequences, pad_token_id=0))
    assert torch.equal(torch.cat(token_logprobs(model, sequences, pad_token_id=0)), still)
    model.train()
    assert not torch.allclose(torch.cat(token_logprobs(model, sequences, pad_token_id=0)), still, atol=1e-3)


@given(
    st.lists(st.tuples(st.sampled_from([(1,) * 3, (2,) * 9, (3,) * 30]), st.integers(1, 40)), max_size=25),
    st.integers(1, 90),
)
def test_batches_hold_every_sequence_once_within_the_budget(kinds: list[tuple[Any, int]], budget: int) -> None:
    sequences: list[Scored] = [(prompt, (5,) * n) for prompt, n in kinds]
    groups = packed_batches(sequences, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(sequences)))
    for group in groups:
        prompts = {tuple(sequences[i][0]) for i in group}
        tokens = sum(map(len, prompts)) + sum(len(sequences[i][1]) for i in group)
        assert tokens <= budget or len(group) == 1
    assert groups == packed_batches(sequences, budget)


@given(st.integers(16, 60), st.integers(1, 8), st.integers(1, 4), st.integers(1, 300), st.integers(0, 5))
def test_batches_count_what_all_prompts_begin_with_once(
    beginning: int, prompts: int, completions: int, budget: int, n_virtual: int
) -> None:
    """As the pack itself holds it; and a group ends only where its next sequence is too much."""
    sequences = family(7, beginning, prompts, completions)
    groups = packed_batches(sequences, budget, n_virtual)
    assert sorted(i for group in groups for i in group) == list(range(len(sequences)))

    def tokens(group: list[int]) -> int:
        pack = Pack.of([sequences[i] for i in group], n_virtual, torch.device("cpu"))
        return n_virtual + len(pack.token_ids) + len(group)  # a pack has no use for a completion's last token

    for group, following in zip(groups, [*groups[1:], None], strict=True):
        assert tokens(group) <= budget or len(group) == 1
        assert following is None or tokens([*group, following[0]]) > budget


def test_batches_refuse_no_budget() -> None:
    with pytest.raises(ValueError, match="budget"):
        packed_batches([((1,), (2,))], 0)
