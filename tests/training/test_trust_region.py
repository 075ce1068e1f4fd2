"""A step as long as its effect allows: the bound is met, and the step is the plain one at the rate that was found."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch

from aurify.errors import AurifyError
from aurify.methods import Term
from aurify.models import load_model
from aurify.models.token_budget import TokenBudget
from aurify.rationales import Rationale
from aurify.running.world import World
from aurify.training.effect import Effect, Probes, scorer
from aurify.training.m_step import accumulate_gradient, build_optimizer
from aurify.training.trust_region import EVIDENCE, GROWTH, MEASURABLE, TrustRegion, evidence, surprise

PROMPTS = {"a": (5, 6, 7), "b": (8, 9)}
TERMS = [Term("a", (10, 11), 0.5), Term("b", (15, 3), 0.5)]
OWN = [((5, 6, 7), (10, 11)), ((8, 9), (12, 13, 14)), ((8, 9), (4,))]


@pytest.fixture
def model(tiny_model_dir):
    return load_model(str(tiny_model_dir)).model


def learned(model, trust, *, weight_decay=0.0, exact=True, n=EVIDENCE, decay=1.0, measure=None, surprise=0.0):
    """The model after a step, what the step was, and how far it really went."""
    optimizer = build_optimizer(list(model.parameters()), "full", rate=1.0, weight_decay=weight_decay)
    probes = Probes(
        World(),
        scorer(model, 0, TokenBudget(4096), bf16=False),
        OWN,
        [(PROMPTS[t.question_id], t.token_ids) for t in TERMS],
    )
    accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100)
    step = trust.step(
        optimizer, decay=decay, evidence=n, exact=exact, measure=measure or probes.measure, surprise=surprise
    )
    return step, probes.measure()


def plain(model, rate, weight_decay=0.0):
    optimizer = build_optimizer(list(model.parameters()), "full", rate=rate, weight_decay=weight_decay)
    accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100)
    optimizer.step()
    return model


@pytest.mark.parametrize("target", [1e-3, 1e-4])
def test_a_long_step_is_shortened_to_its_bound(model, target):
    step, effect = learned(model, TrustRegion(target, ceiling=1.0, rate=0.01))
    assert effect.kl == pytest.approx(target, rel=0.3)
    assert step.effect.kl == pytest.approx(target)
    assert effect.gain > 0


def test_a_step_within_its_bound_grows_and_stops_at_the_ceiling(model):
    trust = TrustRegion(target_kl=100.0, ceiling=5e-5, rate=1e-5)
    step, effect = learned(model, trust)
    assert step.rate == pytest.approx(GROWTH * 1e-5)
    assert step.effect == pytest.approx(effect)
    assert learned(model, trust)[0].rate == pytest.approx(4e-5)
    assert learned(model, trust)[0].rate == pytest.approx(5e-5)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_the_step_is_the_plain_one_at_its_rate(model, exact, weight_decay):
    """However the trial went, what is left of it is a step of AdamW at the rate that was found."""
    other = copy.deepcopy(model)
    step, _ = learned(model, TrustRegion(1e-4, 1.0, 0.01), exact=exact, weight_decay=weight_decay)
    plain(other, step.rate, weight_decay)
    for (name, one), two in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=2e-6, rtol=1e-5, msg=name)


def test_moments_are_those_of_one_step(model):
    """A second step must find the optimiser as a plain one leaves it."""
    optimizer = build_optimizer(list(model.parameters()), "full", rate=1.0, weight_decay=0.0)
    accumulate_gradient(model, TERMS, PROMPTS, pad_token_id=0, token_budget=100)
    TrustRegion(1e-4, 1.0, 0.01).step(
        optimizer, decay=1.0, evidence=64, exact=False, measure=lambda: Effect(0.01, 0.1, 1.0)
    )
    assert {float(state["step"]) for state in optimizer.state.values()} == {1.0}


def test_in_low_precision_a_longer_step_is_looked_at(model):
    """What the measure sees is large enough to stand clear of rounding; the step itself is not."""
    seen = []
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    def measure():
        moved = max(float((p - start[name]).detach().abs().max()) for name, p in model.named_parameters())
        seen.append(moved)
        return Effect(MEASURABLE, 0.1, 1.0)

    trust = TrustRegion(0.002, ceiling=1.0, rate=1e-4)
    step, _ = learned(model, trust, exact=False, measure=measure)
    assert seen[0] == pytest.approx(2e-4 * math.sqrt(MEASURABLE / 0.002), rel=0.01)
    assert step.rate == pytest.approx(2e-4)
    assert step.effect.kl == pytest.approx(0.002)


@pytest.mark.parametrize("exact", [True, False])
def test_a_schedule_may_end_at_nothing(model, exact):
    trust, before = TrustRegion(1e-4, 1.0, 0.01), copy.deepcopy(model.state_dict())
    step, effect = learned(model, trust, decay=0.0, exact=exact)
    assert (step.rate, step.bound, trust.rate) == (0.0, 0.0, 0.01)
    assert effect == (0.0, 0.0, 0.0)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_trial_that_is_much_too_long_is_shortened_first(model):
    kls = iter([1e6, math.nan, 0.32, 0.04])
    step, _ = learned(model, TrustRegion(0.02, 1.0, 0.01), measure=lambda: Effect(next(kls), 0.1, 1.0))
    assert step.rate == pytest.approx(0.02 / 8 / 8 / 4 * math.sqrt(0.02 / 0.04))


def test_an_effect_that_is_never_finite_is_an_error(model):
    with pytest.raises(AurifyError, match=r"not finite.*lower --lr"):
        learned(model, TrustRegion(0.02, 1.0, 0.01), measure=lambda: Effect(math.nan, 0.1, 1.0))


@pytest.mark.parametrize(("n", "share"), [(EVIDENCE, 1.0), (4 * EVIDENCE, 1.0), (EVIDENCE / 4, 0.25)])
def test_few_rationales_allow_a_short_step(model, n, share):
    step, _ = learned(model, TrustRegion(0.02, 1.0, 0.01), n=n)
    assert step.bound == pytest.approx(0.02 * share)


def test_the_schedule_shortens_steps_and_their_bounds_alike(model):
    trust = TrustRegion(100.0, ceiling=1.0, rate=1e-5)
    step, _ = learned(model, trust, decay=0.1)
    assert step.bound == pytest.approx(1.0)
    assert step.rate == pytest.approx(0.1 * GROWTH * 1e-5)
    assert trust.rate == pytest.approx(GROWTH * 1e-5)


def test_evidence_counts_what_is_learned_from():
    assert evidence([Term("a", (1,), 0.25)] * 4) == pytest.approx(4)
    assert evidence([Term("a", (1,), 1.0), Term("b", (1,), -1.0)]) == pytest.approx(2)
    assert evidence([Term("a", (1,), 1.0), Term("b", (1,), 1e-9)]) == pytest.approx(1)
    assert evidence([Term("a", (1,), 0.0)]) == 0.0


def test_the_target_follows_the_surprise_of_the_models_own_rationales(model):
    for own, expected in ((0.5, 0.02), (2.0, 0.02), (26.0, 0.26)):
        trust = TrustRegion(0.02, ceiling=1.0, rate=1e-4, of_surprise=0.01)
        step, _ = learned(model, trust, surprise=own)
        assert step.bound == pytest.approx(expected)
    step, _ = learned(model, TrustRegion(0.02, ceiling=1.0, rate=1e-4), surprise=26.0)
    assert step.bound == pytest.approx(0.02), "a target that is given is taken at its word"


def test_surprise_is_the_median_of_what_the_model_drew_whole_by_itself():
    def drawn(logprob, **changed):
        plain = Rationale(
            question_id="q", token_ids=(1,), text="", predicted=None, verdict=None, reason="", source="self", model="m",
            step=1, sample_index=0, seed=0, finish_reason="stop", logprob=logprob,
        )  # fmt: skip
        return replace(plain, **changed)

    others = [drawn(-90.0, source="guide"), drawn(-80.0, move="suffix"), drawn(None), drawn(-70.0, source="gold")]
    assert surprise([drawn(-1.0), drawn(-3.0), drawn(-40.0), *others]) == 3.0
    assert surprise(others) == 0.0
