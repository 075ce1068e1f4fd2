"""What the model as it stands, without gradients, says of rationales: as many at a time as memory takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from aurify.models.logprobs import Scored, batches, sequence_logprobs
from aurify.models.token_budget import TokenBudget
from aurify.questions import Question
from aurify.rationales import Chain, Rationale
from aurify.running.world import World


def logprobs_of(
    model: torch.nn.Module, sequences: Sequence[Scored], budget: TokenBudget, *, pad_token_id: int
) -> list[float]:
    """log p(completion | prompt) in nats, of each (prompt ids, completion ids)."""

    @torch.no_grad()
    def scored() -> dict[int, float]:
        found: dict[int, float] = {}
        for group in batches(model, sequences, budget.tokens):
            some_N = sequence_logprobs(model, [sequences[i] for i in group], pad_token_id=pad_token_id)
            found |= zip(group, some_N.tolist(), strict=True)
        return found

    by_place = budget.spend(scored)
    return [by_place[place] for place in range(len(sequences))]


def with_scores(
    world: World,
    score: Callable[[Sequence[tuple[Question, Rationale]]], Sequence[Rationale]],
    questions: Sequence[Question],
    chains: Sequence[Chain],
    proposals: Sequence[Sequence[Rationale]],
    wanted: Callable[[Rationale, Sequence[Rationale]], bool] = lambda rationale, own: True,
) -> tuple[list[Chain], list[list[Rationale]]]:
    """Chains [Q] and proposals [Q][S] with what ``score`` makes of their rationales; the processes share the work.

    Args:
        wanted: whether a rationale is scored, by it and its question's proposals; others stay as they are.
    """
    held = [[] if chain.rationale is None else [chain.rationale] for chain in chains]
    rows = [[*before, *own] for before, own in zip(held, proposals, strict=True)]
    asked = [
        (question, rationale)
        for question, row, own in zip(questions, rows, proposals, strict=True)
        for rationale in row
        if wanted(rationale, own)
    ]
    scored = iter(world.map(score, asked))
    found = [
        [next(scored) if wanted(rationale, own) else rationale for rationale in row]
        for row, own in zip(rows, proposals, strict=True)
    ]
    moved = [
        replace(chain, rationale=row[0]) if chain.rationale else chain for chain, row in zip(chains, found, strict=True)
    ]
    return moved, [row[len(before) :] for before, row in zip(held, found, strict=True)]
