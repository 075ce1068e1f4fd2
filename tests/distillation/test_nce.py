from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.nce import (
    KeptWeights,
    accumulate_distillation,
    find_divergences,
    nce_weights,
    rationale_weights,
    token_kl,
    weight_lines,
)
from aurify.models import trainable_parameters
from aurify.models.logprobs import token_logprobs
from aurify.models.lora import add_lora
from aurify.models.nat import adapters, set_mode
from aurify.models.nat.model import train_only

EXAMPLES = [Example("q", (65, 66, 67), True), Example("q", tuple(range(70, 85)), True), Example("r", (90,), True)]
PROMPTS = {"q": (80, 81), "r": (82, 83, 84, 85)}


@pytest.fixture
def scorer(nat):
    return ExampleScorer(add_lora(nat, rank=2, alpha=4, adapter="student"), PROMPTS, 0, 4096)


def use(scorer, mode):
    return lambda: adapters(scorer.model, mode)


@given(st.lists(st.floats(-1e-6, 50), min_size=1, max_size=9))
def test_a_weight_is_a_half_where_both_agree_and_below_one_and_a_half(values):
    weights = nce_weights(torch.tensor(values))
    assert bool(((weights >= 0.5) & (weights <= 1.5)).all())
    assert nce_weights(torch.zeros(3)).tolist() == [0.5] * 3


def test_the_divergence_is_of_the_negative_teacher_from_nat():
    neg, nat = torch.tensor([[0.0, math.log(3)]]), torch.tensor([[math.log(9), 0.0]])
    expected = 0.25 * math.log(0.25 / 0.9) + 0.75 * math.log(0.75 / 0.1)
    assert float(token_kl(neg, nat)) == pytest.approx(expected, rel=1e-6)


def test_a_weight_is_exactly_a_half_when_both_teachers_are_one(scorer):
    same = find_divergences(scorer, EXAMPLES, nat=use(scorer, "both"), neg=use(scorer, "both"))
    assert all(bool((rationale_weights(kl, True) == 0.5).all()) for kl in same)
    other = find_divergences(scorer, EXAMPLES, nat=use(scorer, "both"), neg=use(scorer, "neg"))
    weights = [rationale_weights(kl, False) for kl in other]
    assert all(bool((weight > 0.5).all()) for weight in weights)
    assert [len(weight) for weight in weights] == [3, 15, 1]
    assert all(len(set(weight.tolist())) == 1 for weight in weights), "one weight a rationale"


def test_weights_by_token_and_the_same_whatever_they_are_batched_with(scorer):
    nat, neg = use(scorer, "both"), use(scorer, "neg")
    together = find_divergences(scorer, EXAMPLES, nat=nat, neg=neg)
    assert len(set(together[1].tolist())) > 1
    alone = find_divergences(ExampleScorer(scorer.model, PROMPTS, 9, 1), EXAMPLES, nat=nat, neg=neg)
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    weights = [rationale_weights(kl, False) for kl in together]
    summary, *rows = weight_lines(EXAMPLES, weights, together, chr)
    assert summary["tokens"] == 19
    assert summary["quantiles"]["1"] == pytest.approx(float(torch.cat(weights).max()), abs=1e-6)
    assert [row["question_id"] for row in rows[:3]] == ["q", "q", "r"]
    (told,) = (row for row in rows[3:] if row["text"] == ["A", "B", "C"])
    assert told["weights"] == pytest.approx(nce_weights(together[0]).tolist(), abs=1e-4), "by token in any case"


def test_logits_are_those_that_log_probabilities_are_taken_from(scorer):
    sequences = [(PROMPTS[example.question_id], example.token_ids) for example in EXAMPLES]
    set_mode(scorer.model, "both")
    logits = scorer.token_logits(sequences).log_softmax(-1)
    expected = torch.cat(token_logprobs(scorer.model, sequences, pad_token_id=0))
    targets = torch.tensor([token for _, ids in sequences for token in ids])
    torch.testing.assert_close(logits.gather(1, targets[:, None])[:, 0], expected, atol=1e-4, rtol=1e-5)


def test_the_loss_is_half_likelihood_and_half_weighted_distillation(scorer):
    set_mode(scorer.model, "student")
    train_only(scorer.model, (".student.",))
    weights = [torch.full((len(example.token_ids),), 0.7) for example in EXAMPLES]

    def loss_of(examples, own):
        scorer.model.zero_grad()
        return accumulate_distillation(scorer, examples, own, tokens=19, teacher=use(scorer, "both"))

    found = loss_of(EXAMPLES, weights)
    gradients = {name: value.grad.clone() for name, value in trainable_parameters(scorer.model).items()}
    assert all("student" in name for name in gradients), "the teacher is frozen"
    sequences = [(PROMPTS[example.question_id], example.token_ids) for example in EXAMPLES]
    set_mode(scorer.model, "both")
    teacher = scorer.token_logits(sequences).softmax(-1).detach()
    set_mode(scorer.model, "student")
    student = scorer.token_logits(sequences).log_softmax(-1)
    targets = torch.tensor([token for _, ids in sequences for token in ids])
    own = -student.gather(1, targets[:, None]).sum()
    expected = (0.5 * own - 0.5 * 0.7 * (teacher * student).sum()) / 19
    assert found == pytest.approx(float(expected.detach()), rel=1e-5)
    scorer.model.zero_grad()
    expected.backward()
    for name, value in trainable_parameters(scorer.model).items():
        torch.testing.assert_close(gradients[name], value.grad, atol=1e-6, rtol=1e-4)
    parts = [loss_of([example], [weight]) for example, weight in zip(EXAMPLES, weights, strict=True)]
    assert sum(parts) == pytest.approx(found, rel=1e-5), "padding and batching change nothing"


def test_a_weight_is_found_when_it_is_first_asked_for_and_kept() -> None:
    asked: list[list[Example]] = []

    def find(examples: Sequence[Example]) -> list[torch.Tensor]:
        asked.append(list(examples))
        return [torch.full((len(example.token_ids),), float(len(asked))) for example in examples]

    one, two, *_ = EXAMPLES
    weights = KeptWeights(find)
    first = weights([two])
    both = weights([one, two])
    again = weights([two, one])
    assert asked == [[two], [one], []], "also where there is none to find, as processes of a sharded model need it"
    assert both[1] is first[0] is again[0]
    assert [set(value.tolist()) for value in both] == [{2.0}, {1.0}]
