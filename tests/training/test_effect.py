"""What an update did: an unbiased KL divergence, by enumeration, and the change of what was learned."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch

from aurify.methods import Term
from aurify.rationales import Rationale
from aurify.running.world import World
from aurify.training.effect import PROBED_SEQUENCES, PROBED_TOKENS, Probes, probes_of

LETTERS = 3
SEQUENCES = list(itertools.product(range(LETTERS), repeat=2))


class Table:
    """A model of two letters: log-probabilities of the first, and of the second given the first."""

    def __init__(self, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.first = torch.randn(LETTERS, generator=random, dtype=torch.float64).log_softmax(-1)
        self.second = torch.randn(LETTERS, LETTERS, generator=random, dtype=torch.float64).log_softmax(-1)

    def __call__(self, sequences):
        return [torch.stack([self.first[a], self.second[a, b]]) for _, (a, b) in sequences]

    def p(self, sequence) -> float:
        return float(torch.stack(self([((), sequence)])[0:1])[0].sum().exp())


def rationale(question_id, token_ids, source="self"):
    return Rationale(
        question_id=question_id, token_ids=token_ids, text="", predicted=None, verdict=None, reason="", source=source,
        model="m", step=1, sample_index=0, seed=0, finish_reason="stop", logprob=0.0,
    )  # fmt: skip


def test_the_kl_divergence_is_unbiased_and_never_negative():
    """Its mean over all samples of the model before is KL(before || after), summed over tokens."""
    before, after = Table(1), Table(2)
    exact = sum(before.p(z) * (math.log(before.p(z)) - math.log(after.p(z))) for z in SEQUENCES)
    model = {"now": before}
    estimates = {}
    for z in SEQUENCES:
        model["now"] = before
        probes = Probes(World(), lambda sequences: model["now"](sequences), [((9,), z)], [])
        model["now"] = after
        estimates[z] = probes.measure().kl
    assert min(estimates.values()) >= 0
    assert sum(before.p(z) * estimates[z] for z in SEQUENCES) == pytest.approx(exact, abs=1e-12)


def test_changes_that_cancel_within_a_rationale_are_seen():
    """Its probability is what it was, and the model has moved all the same: tokens are compared, not their product."""
    rows = iter([[-1.0, -2.0], [-1.0 + 0.3, -2.0 - 0.3]])
    probes = Probes(World(), lambda _: [torch.tensor(next(rows), dtype=torch.float64)], [((9,), (0, 1))], [])
    assert probes.measure().kl == pytest.approx(math.exp(0.3) + math.exp(-0.3) - 2)


def test_gains_are_of_what_was_learned():
    before, after = Table(1), Table(2)
    model = {"now": before}
    learned = [((9,), z) for z in SEQUENCES[:4]]
    probes = Probes(World(), lambda sequences: model["now"](sequences), [], learned)
    model["now"] = after
    gains = [math.log(after.p(z) / before.p(z)) for z in SEQUENCES[:4]]
    effect = probes.measure()
    assert effect.gain == pytest.approx(sum(gains) / 4)
    assert effect.raised == sum(gain > 0 for gain in gains) / 4
    assert not probes.tell_kl
    assert "kl" not in effect.told()


def test_nothing_that_changed_has_no_effect():
    table = Table(1)
    probes = Probes(World(), table, [((9,), (0, 1))], [((9,), (2, 2))])
    assert probes.measure() == (0.0, 0.0, 0.0)


def test_probes_are_own_samples_and_what_is_learned_within_bounds():
    prompts = {f"q{i}": (i,) for i in range(40)}
    rows = [[rationale(f"q{i}", (1, 2)), rationale(f"q{i}", (3,), source="guide")] for i in range(40)]
    terms = [Term("q0", (5,), 0.5), Term("q1", (6,), -0.5)]
    own, learned = probes_of(prompts, rows, terms)
    assert own == [((i,), (1, 2)) for i in range(PROBED_SEQUENCES)]
    assert learned == [((0,), (5,))]


def test_new_ends_stand_for_samples_only_where_nothing_was_drawn_whole():
    prompts = {"a": (1,), "b": (2,)}
    end = replace(rationale("a", (1, 2)), move="suffix", cut=1)
    assert probes_of(prompts, [[end], [rationale("b", (3,))]], [])[0] == [((2,), (3,))]
    assert probes_of(prompts, [[end], [rationale("b", (3,), source="guide")]], [])[0] == [((1,), (1, 2))]


def test_long_samples_are_fewer_but_never_none():
    prompts = {"a": (1,), "b": (2,)}
    own, _ = probes_of(prompts, [[rationale("a", (1,) * 2 * PROBED_TOKENS)], [rationale("b", (1,))]], [])
    assert [prompt for prompt, _ in own] == [(1,)]
