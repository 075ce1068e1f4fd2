"""log p(z | x) - log p(z | x, hint): how much likelier the model finds a rationale by itself than under the hint.

Ours (docs/methods.md, "The memory and its kernel (E-step)").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from aurify.methods.weighed import WeighedRationale
from aurify.models.logprobs import Scored
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, Question
from aurify.rationales import Chain, Rationale
from aurify.running.world import World
from aurify.training.scores import logprobs_of, with_scores


@dataclass(frozen=True)
class GuideScorer:
    """Scores rationales under the plain and under the hinted prompt, with the model as it stands."""

    model: torch.nn.Module
    prompts: Prompts
    budget: TokenBudget

    def __call__(self, pairs: Sequence[tuple[Question, Rationale]]) -> list[WeighedRationale]:
        """Every rationale with its weight as a draw from the guide; in order."""
        questions = [question for question, _ in pairs]
        both = [self.prompts(questions), self.prompts(questions, hinted=True)]
        scored: list[Scored] = [
            (prompt, rationale.token_ids)
            for prompts in both
            for prompt, (_, rationale) in zip(prompts, pairs, strict=True)
        ]
        found = logprobs_of(self.model, scored, self.budget, pad_token_id=self.prompts.tokenizer.pad_token_id)
        return [
            _weighed(rationale, plain - hinted)
            for (_, rationale), plain, hinted in zip(pairs, found[: len(pairs)], found[len(pairs) :], strict=True)
        ]


def weighed(
    world: World,
    scorer: GuideScorer,
    questions: Sequence[Question],
    chains: Sequence[Chain],
    proposals: Sequence[Sequence[Rationale]],
) -> tuple[list[Chain], list[list[Rationale]]]:
    """Chains [Q] and proposals [Q][S], those of hinted proposals with their weights; only right ones are scored."""

    def wanted(rationale: Rationale, own: Sequence[Rationale]) -> bool:
        return bool(own) and own[0].source == "guide" and rationale.right

    return with_scores(world, scorer, questions, chains, proposals, wanted)


def _weighed(rationale: Rationale, log_weight: float) -> WeighedRationale:
    known = {field.name: getattr(rationale, field.name) for field in fields(Rationale)}
    return WeighedRationale(**known, log_weight=log_weight)
