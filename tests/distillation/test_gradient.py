"""Products in bfloat16: the same direction, in the adapters' own float32."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer, accumulate
from aurify.distillation.objectives import likelihood
from aurify.models import trainable_parameters
from aurify.models.lora import add_lora
from aurify.models.nat import NatConfig, add_nat, set_mode
from aurify.models.nat.model import POSITIVE_STAGE, train_only

EXAMPLES = [Example("q", tuple(range(70, 90)), True), Example("r", (90, 91, 95), True)]
PROMPTS = {"q": (80, 81), "r": (82,)}


def student(base, kind):
    if kind == "kd":
        return add_lora(base.model, rank=2, alpha=4)
    model = add_nat(base.model, NatConfig(rank=2, alpha=4, width=16))
    set_mode(model, "both")
    train_only(model, POSITIVE_STAGE)
    return model


def gradient(scorer):
    scorer.model.zero_grad()
    accumulate(scorer, likelihood(EXAMPLES))
    found = [p.grad for p in trainable_parameters(scorer.model).values()]
    assert {one.dtype for one in found} == {torch.float32}
    return torch.cat([one.flatten() for one in found])


@pytest.mark.parametrize("kind", ["kd", "nat"])
def test_the_gradient_is_that_of_float32_but_for_rounding(base, draw_adapters, kind):
    model = student(base, kind)
    draw_adapters(model, scale=0.1)
    exact = ExampleScorer(model, PROMPTS, 0, 4096)
    lowered = replace(exact, bf16=True)
    expected, found = gradient(exact), gradient(lowered)
    assert 0 < (found - expected).norm() / expected.norm() < 0.1
    assert lowered.means(EXAMPLES) == pytest.approx(exact.means(EXAMPLES), rel=0.02)


def test_teachers_logits_are_lowered_too_and_told_in_float32(base):
    exact = ExampleScorer(base.model, PROMPTS, 0, 4096)
    sequences = [(PROMPTS["q"], EXAMPLES[0].token_ids)]
    with torch.no_grad():
        expected, found = (one.token_logits(sequences) for one in (exact, replace(exact, bf16=True)))
    assert found.dtype == torch.float32
    assert 0 < (found - expected).abs().max() < 0.2
