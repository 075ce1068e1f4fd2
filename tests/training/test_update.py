"""A step of a run: by hand with plain PyTorch, where the rate alone bounds it and where its effect does."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from aurify.clock import Clock
from aurify.methods import Term
from aurify.models import load_model
from aurify.models.token_budget import TokenBudget
from aurify.models.tuning import Tuned
from aurify.rationales import Rationale
from aurify.running.world import World
from aurify.training.settings import TrainSettings
from aurify.training.trust_region import CEILING, EVIDENCE, GROWTH
from aurify.training.update import Ascent, Update, importance

PEAK = 1e-3
PROMPTS = {"a": (5, 6, 7), "b": (8, 9)}
TERMS = [Term("a", (10, 11), 0.5), Term("b", (15, 3), -0.25)]


@pytest.fixture
def model(tiny_model_dir):
    return load_model(str(tiny_model_dir)).model


def update(model, *, target_kl=0.0, **settings):
    return Update(
        TrainSettings(method="trice", model="tiny", data="none", dtype="float32", **settings),
        Tuned(model, "full", PEAK),
        World(), Clock(), budget=TokenBudget(4096), pad_token_id=0, target_kl=target_kl,
        of_surprise=0.0,
    )  # fmt: skip


def drawn(question, ids):
    return Rationale(
        question_id=question, token_ids=ids, text="", predicted=None, verdict=None, reason="", source="self", model="m",
        step=1, sample_index=0, seed=0, finish_reason="stop", logprob=-2.0,
    )  # fmt: skip


OWN = [[drawn("a", (10, 11))], [drawn("b", (12, 13))]]


def backed_by(n, ascent):
    return Ascent(ascent.probes, n, ascent.surprise)


def scaled(factor):
    return [Term(term.question_id, term.token_ids, factor * term.weight) for term in TERMS]


def gradient(model, terms):
    """Of minus the weighted log-probabilities, and its norm, by one plain forward pass a term."""
    loss = torch.zeros(())
    for term in terms:
        prompt = PROMPTS[term.question_id]
        ids = torch.tensor([[*prompt, *term.token_ids]])
        logprobs = model(ids).logits.log_softmax(-1)[0, len(prompt) - 1 : -1]
        loss = loss - term.weight * logprobs.gather(1, ids[0, len(prompt) :, None]).sum()
    found = torch.autograd.grad(loss, list(model.parameters()))
    return found, math.sqrt(sum(float((g**2).sum()) for g in found))


@pytest.mark.parametrize(("settings", "clip"), [({}, 1.0), ({"clip": 0.2}, 0.2), ({"clip": 1e9}, 1e9)])
def test_without_a_bound_a_step_is_adamw_on_the_clipped_gradient_at_the_rate_of_the_schedule(model, settings, clip):
    """Three steps, of which the gradient of the second is far longer: only then does Adam tell clipped from whole."""
    by_hand = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(by_hand.parameters(), lr=1.0, weight_decay=0.1)
    ours = update(model, weight_decay=0.1, **settings)
    for factor, rate in ((0.1, PEAK), (50.0, PEAK / 2), (1.0, PEAK / 3)):
        told = ours.step(ours.gradient(scaled(factor), PROMPTS, look=False), rate)
        found, norm = gradient(by_hand, scaled(factor))
        for parameter, one in zip(by_hand.parameters(), found, strict=True):
            parameter.grad = one * min(1.0, clip / norm)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        assert told["gradient_norm"] == pytest.approx(norm, rel=1e-3)
        assert (told["updated"], told["learning_rate"]) == (True, rate)
        assert not {"kl", "gain", "kl_bound"} & told.keys(), "nobody looked"
    for (name, one), other in zip(model.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize(("settings", "clip"), [({}, math.inf), ({"clip": 0.02}, 0.02)])
@pytest.mark.parametrize("n", [EVIDENCE / 8, 2 * EVIDENCE])
def test_where_the_effect_bounds_it_few_rationales_weigh_little_in_what_the_optimiser_remembers(
    model, n, settings, clip
):
    """Its moments hold the gradient times n / 64, clipped only where that was asked for; what is told is the whole."""
    found, norm = gradient(model, TERMS)
    ours = update(model, target_kl=100.0, **settings)
    told = ours.step(backed_by(n, ours.gradient(TERMS, PROMPTS, OWN)), PEAK)
    share = min(1.0, n / EVIDENCE)
    share *= min(1.0, clip / (share * norm))
    for parameter, one in zip(model.parameters(), found, strict=True):
        torch.testing.assert_close(ours.optimizer.state[parameter]["exp_avg"], 0.1 * share * one, atol=2e-6, rtol=1e-3)
        assert parameter.grad is None, "or it would be a part of the next step's"
    assert told["gradient_norm"] == pytest.approx(norm, rel=1e-3)
    assert told["kl_bound"] == pytest.approx(100.0 * min(1.0, n / EVIDENCE))


def test_the_schedule_is_a_share_of_the_peak_and_its_square_of_the_bound(model):
    ours = update(model, target_kl=100.0)
    first = PEAK / 2  # GROWTH times what it begins with: half of a plain default rate
    told = ours.step(backed_by(EVIDENCE, ours.gradient(TERMS, PROMPTS, OWN)), PEAK / 4)
    assert told["learning_rate"] == pytest.approx(first / 4)
    assert told["kl_bound"] == pytest.approx(100.0 / 16)
    rates = [
        ours.step(backed_by(EVIDENCE, ours.gradient(TERMS, PROMPTS, OWN)), PEAK)["learning_rate"] for _ in range(4)
    ]
    assert rates == pytest.approx([min(first * GROWTH**k, CEILING * PEAK) for k in (1, 2, 3, 4)])


def test_a_rate_that_is_given_beside_a_bound_is_never_passed(model):
    ours = update(model, target_kl=100.0, lr=2e-4)
    rates = [ours.step(ours.gradient(TERMS, PROMPTS, OWN), 2e-4)["learning_rate"] for _ in range(4)]
    assert rates == pytest.approx([1e-4, 2e-4, 2e-4, 2e-4])


def test_without_own_samples_there_is_no_bound_to_meet(model):
    ours = update(model, target_kl=1e-9)
    told = ours.step(ours.gradient(TERMS, PROMPTS), PEAK)
    assert told["learning_rate"] == PEAK
    assert "kl_bound" not in told
    assert told["raised"] == 1.0


def test_what_bounds_the_next_step_is_kept_and_damage_is_found(model):
    ours = update(model, target_kl=100.0)
    ours.step(ours.gradient(TERMS, PROMPTS, OWN), PEAK)
    other = update(copy.deepcopy(model), target_kl=100.0)
    other.restore(ours.state())
    rates = [one.step(one.gradient(TERMS, PROMPTS, OWN), PEAK)["learning_rate"] for one in (ours, other)]
    assert rates == pytest.approx([PEAK, PEAK])
    update(model).restore(update(model).state())
    for damaged in (b'{"rate": 0}', b'{"rate": -1}', b'{"rate": 1e999}'):
        with pytest.raises(ValueError, match="rate"):
            other.restore(damaged)


def test_nothing_to_ascend_changes_nothing(model):
    ours, before = update(model), copy.deepcopy(model.state_dict())
    for terms in ([], [Term("a", (10,), 0.0)]):
        told = ours.step(ours.gradient(terms, PROMPTS, OWN), PEAK)
        assert (told["updated"], told["gradient_norm"]) == (False, 0.0)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not ours.optimizer.state


def test_a_fresh_optimiser_remembers_nothing(model):
    ours = update(model)
    ours.step(ours.gradient(TERMS, PROMPTS, look=False), PEAK)
    assert ours.optimizer.state
    ours.begin()
    assert not ours.optimizer.state


def test_importance_is_told_by_its_mean_what_was_truncated_and_how_many_are_left():
    assert importance([1.0, 1.0, 1.0]) == {"mean": 1.0, "truncated": 0.0, "effective": 1.0}
    assert importance([2.0, 1.0, 0.0]) == pytest.approx({"mean": 1.0, "truncated": 1 / 3, "effective": 9 / 15})
    assert importance([0.0])["effective"] == 0.0


def test_a_look_that_was_not_asked_for_is_not_made(model):
    ours = update(model)
    assert ours.gradient(TERMS, PROMPTS, OWN, look=False).probes is None
    looked = ours.gradient(TERMS, PROMPTS, OWN)
    assert isinstance(looked, Ascent)
    assert looked.probes.tell_kl
    assert looked.surprise == 2.0
    assert looked.evidence == pytest.approx(0.75**2 / (0.5**2 + 0.25**2))
