"""How much likelier a rationale is without the hint: of which rationales it is found, and that it is that."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from aurify.answers import Verdict
from aurify.methods.weighed import WeighedRationale
from aurify.models import load_model
from aurify.models.logprobs import sequence_logprobs
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, PromptTemplate, Question
from aurify.rationales import Chain, Rationale
from aurify.training.guide_scores import GuideScorer, weighed

QUESTIONS = [Question(name, f"How many are {name}?", "7", "number") for name in "abc"]


def rationale(name: str, ids: tuple[int, ...], *, right: bool = True, guide: bool = True) -> Rationale:
    return Rationale(
        name, ids, str(ids), "7", Verdict.RIGHT if right else Verdict.WRONG, "", "guide" if guide else "self", "m", 1,
        0, 0, "stop", -1.0, "guide" if guide else "independent",
    )  # fmt: skip


@pytest.mark.parametrize("budget", [1, 4096])
def test_the_weight_is_log_p_without_the_hint_less_that_with_it(tiny_model_dir, budget):
    loaded = load_model(str(tiny_model_dir))
    prompts = Prompts(PromptTemplate.named("plain"), loaded.tokenizer)
    pairs = [(QUESTIONS[0], rationale("a", (5, 6, 7))), (QUESTIONS[1], rationale("b", (8,)))]
    found = GuideScorer(loaded.model, prompts, TokenBudget(budget))(pairs)
    with torch.no_grad():
        for (question, one), scored in zip(pairs, found, strict=True):
            asked = [prompts([question], hinted=hinted)[0] for hinted in (False, True)]
            assert asked[0] != asked[1]
            plain, hinted = sequence_logprobs(
                loaded.model, [(prompt, one.token_ids) for prompt in asked], pad_token_id=0
            ).tolist()
            assert scored.log_weight == pytest.approx(plain - hinted, abs=1e-4)
            assert abs(plain - hinted) > 1e-3
            assert replace(scored, log_weight=0.0) == WeighedRationale(**vars(one), log_weight=0.0)


def test_right_rationales_of_hinted_proposals_are_weighed_and_those_that_they_are_proposed_to():
    asked = []

    def scorer(pairs):
        asked.extend((question.id, one.token_ids) for question, one in pairs)
        return [WeighedRationale(**known(one), log_weight=float(one.token_ids[0])) for _, one in pairs]

    def known(one):
        return {name: value for name, value in vars(one).items() if name != "log_weight"}

    stale = WeighedRationale(**vars(rationale("a", (1,))), log_weight=99.0)
    own = rationale("c", (5,), guide=False)
    chains = [Chain("a", stale), Chain("b"), Chain("c", rationale("c", (6,)))]
    rows = [
        [rationale("a", (2,), right=False), rationale("a", (3,))], [rationale("b", (4,)), rationale("b", (7,))], [own],
    ]  # fmt: skip
    world = SimpleNamespace(map=lambda one, items: one(items))
    moved, found = weighed(world, scorer, QUESTIONS, chains, rows)
    assert asked == [("a", (1,)), ("a", (3,)), ("b", (4,)), ("b", (7,))]
    assert [row.log_weight for row in (moved[0].rationale, found[0][1], *found[1])] == [1, 3, 4, 7]
    assert (found[0][0], moved[1], moved[2], found[2]) == (rows[0][0], chains[1], chains[2], [own])
