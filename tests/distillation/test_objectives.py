from __future__ import annotations

import math

import pytest
import torch

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer, accumulate
from aurify.distillation.objectives import (
    Weighted,
    contrastive,
    info_nce,
    likelihood,
    negative_training,
    unlikelihood,
)
from aurify.distillation.stages import candidates
from aurify.errors import AurifyError
from aurify.models import trainable_parameters
from aurify.models.lora import add_lora

RIGHT, LONG = Example("q", (65, 66), True), Example("q", tuple(range(70, 80)), True)
WRONG, OTHER = Example("q", (67, 68, 69), False), Example("r", (90, 91), False)
PROMPTS = {"q": (80, 81), "r": (82,)}


@pytest.fixture
def scorer(base, draw_adapters):
    model = add_lora(base.model, rank=2, alpha=4)
    draw_adapters(model, scale=0.1)
    return ExampleScorer(model, PROMPTS, 0, 4096)


def gradients(scorer, batch):
    scorer.model.zero_grad()
    loss = accumulate(scorer, batch)
    return loss, {name: p.grad.clone() for name, p in trainable_parameters(scorer.model).items()}


def test_the_weights_of_each_objective():
    assert likelihood([RIGHT, WRONG]) == [Weighted(RIGHT, 1 / 5), Weighted(WRONG, 1 / 5)]
    assert negative_training([RIGHT, WRONG], 0.05) == [Weighted(RIGHT, 1 / 5), Weighted(WRONG, pytest.approx(-0.01))]
    assert unlikelihood([RIGHT, WRONG], 0.05) == [Weighted(RIGHT, 1 / 5), Weighted(WRONG, 0.0, pytest.approx(0.01))]


def test_the_loss_is_what_its_docstring_says(scorer):
    def logprobs(example):
        rows = scorer.model(torch.tensor([[*PROMPTS["q"], *example.token_ids]])).logits[0, 1:-1].log_softmax(-1)
        return rows.gather(1, torch.tensor(example.token_ids)[:, None])[:, 0]

    right_T, wrong_T = logprobs(RIGHT), logprobs(WRONG)
    loss, _ = gradients(scorer, unlikelihood([RIGHT, WRONG], 0.5))
    expected = -right_T.sum() / 5 - 0.1 * torch.log(1 - wrong_T.exp()).sum()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-4)


def test_neither_padding_nor_micro_batches_change_loss_or_gradient(scorer):
    batch = [*unlikelihood([RIGHT, WRONG, OTHER], 0.3), Weighted(LONG, 0.2)]
    together, one = gradients(scorer, batch)
    alone, other = gradients(ExampleScorer(scorer.model, PROMPTS, 7, 1), batch)
    assert together == pytest.approx(alone, rel=1e-5)
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=1e-4)


def test_the_contrastive_gradient_is_that_of_its_loss(scorer):
    group, lone = (RIGHT, WRONG, LONG), (OTHER,)
    means = [scorer.means(group), scorer.means(lone)]
    _, found = gradients(scorer, contrastive([group, lone], means))
    scorer.model.zero_grad()
    logprobs = scorer.token_logprobs([(PROMPTS[e.question_id], e.token_ids) for e in group])
    s = [row.mean() for row in logprobs]
    info = -sum(torch.log(s[r].exp() / (s[r].exp() + s[1].exp())) for r in (0, 2)) / 2
    (info - (logprobs[0].sum() + logprobs[2].sum()) / 12).backward()
    for name, parameter in trainable_parameters(scorer.model).items():
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-6, rtol=1e-4)
    assert info_nce(group, means[0]) == pytest.approx(float(info), rel=1e-5)
    assert info_nce(lone, means[1]) is None


def test_the_likelier_a_token_the_more_its_unlikelihood_pushes(scorer, monkeypatch):
    """Slopes of -log(1 - p) with respect to log p: p / (1 - p), which a probability above a half does not bound."""
    p_T = torch.tensor([0.1, 0.6, 0.99], dtype=torch.float64)
    logprobs_T = p_T.log().requires_grad_()
    monkeypatch.setattr(ExampleScorer, "token_logprobs", lambda self, sequences: [logprobs_T])
    loss = accumulate(scorer, [Weighted(WRONG, 0.0, 0.5)])
    assert loss == pytest.approx(-0.5 * math.log(0.9 * 0.4 * 0.01))
    torch.testing.assert_close(logprobs_T.grad, 0.5 * p_T / (1 - p_T))


def test_a_token_of_probability_one_has_a_finite_unlikelihood(scorer, monkeypatch):
    monkeypatch.setattr(
        ExampleScorer,
        "token_logprobs",
        lambda self, sequences: [torch.zeros(len(s), requires_grad=True) for _, s in sequences],
    )
    assert math.isfinite(accumulate(scorer, unlikelihood([RIGHT, WRONG], 1.0)))


def test_a_loss_that_is_not_finite_names_the_question(scorer):
    with pytest.raises(AurifyError, match=r"not finite for q.*lower --lr"):
        accumulate(scorer, [Weighted(RIGHT, math.nan), Weighted(OTHER, 1.0)])


def test_candidates_take_turns_and_questions_without_a_right_one_are_left_out():
    many = [Example("q", (i,), False) for i in range(9)]
    (group,) = candidates([*many, RIGHT, OTHER, LONG])
    assert group[:4] == (RIGHT, many[0], LONG, many[1])
    assert len(group) == 8
