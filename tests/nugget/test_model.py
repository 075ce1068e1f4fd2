"""The embedded model: small enough, loads, and right when it is made to be careful."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from aurify.nugget import TASKS, generate, hinted_prompt, path, prompt
from aurify.nugget.report import complete, forced, load_folder


@lru_cache(maxsize=1)
def nugget() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    return load_folder(path())


def test_the_folder_is_small_and_complete() -> None:
    names = {f.name for f in path().iterdir()}
    assert {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    } <= names
    assert sum(f.stat().st_size for f in path().iterdir()) <= 8_000_000


def test_it_is_a_llama_with_real_special_tokens() -> None:
    model, tokenizer = nugget()
    assert model.config.model_type == "llama"
    assert tokenizer.eos_token_id == model.config.eos_token_id == model.generation_config.eos_token_id
    assert tokenizer.pad_token_id == model.config.pad_token_id != tokenizer.eos_token_id
    assert len(tokenizer) == model.config.vocab_size
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_tokens_round_trip_and_digits_stand_alone() -> None:
    _, tokenizer = nugget()
    for task in TASKS:
        question = generate(task, 1, seed=5)[0]
        for text in (prompt(question), hinted_prompt(question)):
            assert tokenizer.decode(tokenizer(text).input_ids) == text
    for text in ("1234", " 10+95=105; é ☃", "So the answer is -50."):
        pieces = [tokenizer.decode([i]) for i in tokenizer(text).input_ids]
        assert tokenizer.decode(tokenizer(text).input_ids) == text
        assert all(sum(c.isdigit() for c in piece) <= 1 for piece in pieces)


def test_no_token_is_added_to_a_prompt() -> None:
    _, tokenizer = nugget()
    a, b = "Question: True and False is\nAnswer:", " False"
    assert tokenizer(a).input_ids + tokenizer(b).input_ids == tokenizer(a + b).input_ids


@pytest.mark.parametrize("task", TASKS)
def test_forced_to_be_careful_it_is_mostly_right(task: str) -> None:
    model, tokenizer = nugget()
    questions = generate(task, 24, seed=77)
    got = complete(model, tokenizer, [forced(q) for q in questions], sample=False)
    assert sum(s.right(q) for s, q in zip(got, questions, strict=True)) >= 0.75 * len(questions)


def test_left_to_itself_it_takes_the_shortcut_on_hard_questions() -> None:
    model, tokenizer = nugget()
    questions = [q for task in TASKS for q in generate(task, 5, seed=78, difficulty="hard")]
    got = complete(model, tokenizer, [prompt(q) for q in questions], sample=False)
    assert sum(s.right(q) for s, q in zip(got, questions, strict=True)) <= 0.2 * len(questions)
