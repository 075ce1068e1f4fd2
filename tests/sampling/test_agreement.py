"""What a sampler says of its samples is compared with what the trainer says, when that is asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from aurify.errors import AurifyError
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.agreement import COMPARED, Agreement, ScoredDraw, limit_of
from aurify.sampling.protocol import Compared

ModelOf = Callable[..., Any]
WHO = ("the sampler's", ": stop")
PROMPTS = [Prompt((3, 4 + i), (i, 100 + i)) for i in range(10)]


def sampler_of(model: Any, tokenizer: Any, trained: Any, dtype: torch.dtype | None = None) -> LocalSampler:
    agreement = Agreement(trained, 0, limit=limit_of(dtype or torch.float32), who=WHO)
    return LocalSampler(model, tokenizer, dtype=dtype, agreement=agreement)


@pytest.mark.parametrize("kind", ["llama+lora", "gpt2"])
def test_the_first_call_is_compared_and_those_that_are_asked_for(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of(kind)
    sampler = sampler_of(model, tokenizer, model)
    assert isinstance(sampler, Compared)
    drawn = sampler.sample(PROMPTS, max_new_tokens=20)
    report = sampler.report()
    assert 0 <= report["logprob_abs_difference"] < 1e-5
    assert report["logprob_abs_difference"] <= report["logprob_largest_difference"] < 1e-4
    lengths = [len(one.token_ids) for row in drawn for one in row]
    assert COMPARED / 2 <= report["compared_tokens"] <= COMPARED * max(lengths)
    sampler.sample(PROMPTS, max_new_tokens=20)
    assert sampler.report() == {}
    sampler.compare_next()
    sampler.sample(PROMPTS, max_new_tokens=20)
    assert sampler.report()


def test_another_model_is_refused(model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of("llama")
    trained = copy.deepcopy(model)
    with torch.no_grad():
        trained.lm_head.weight.mul_(1.1)
    sampler = sampler_of(model, tokenizer, trained)
    with pytest.raises(AurifyError, match=r"^the sampler's log-probabilities are 0\.\d+ nats a token .*: stop$"):
        sampler.sample(PROMPTS, max_new_tokens=20)


def test_bfloat16_is_measured_and_allowed(model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of("qwen2", sharpness=4.0)
    sampler = sampler_of(model, tokenizer, model, torch.bfloat16)
    sampler.sample(PROMPTS, max_new_tokens=20)
    assert 1e-4 < sampler.report()["logprob_abs_difference"] < 0.2
    strict = LocalSampler(model, tokenizer, dtype=torch.bfloat16, agreement=Agreement(model, 0, limit=1e-4, who=WHO))
    with pytest.raises(AurifyError, match="nats a token"):
        strict.sample(PROMPTS, max_new_tokens=20)


def test_a_number_that_is_none_is_refused(model_of: ModelOf) -> None:
    agreement = Agreement(model_of("llama"), 0, limit=0.2, who=WHO)
    with pytest.raises(AurifyError, match="nan nats"):
        agreement.compare([ScoredDraw((3, 4), (5, 6), (-1.0, float("nan")))])


def test_nothing_drawn_is_nothing_compared(model_of: ModelOf) -> None:
    agreement = Agreement(model_of("llama"), 0, limit=0.2, who=WHO)
    agreement.compare([])
    agreement.compare([ScoredDraw((3, 4), (), ())])
    assert agreement.report() == {}
