"""log p(y | x, z): how likely the model finds the known answer after a rationale of its own (``methods.answered``).

Ours (docs/methods.md, "The memory and its kernel (E-step)").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch

from aurify.answers import Verdict
from aurify.answers.reading import Unreadable
from aurify.answers.thought import after_thought
from aurify.methods.answered import AnsweredRationale
from aurify.models.logprobs import Scored
from aurify.models.token_budget import TokenBudget
from aurify.questions import Prompts, Question
from aurify.questions.special import text_of
from aurify.rationales import Rationale
from aurify.sampling.stop import tokens_to_stop
from aurify.training.scores import logprobs_of


@dataclass(frozen=True)
class AnswerScorer:
    """Completes rationales with the known answer, and scores it under the model as it stands."""

    model: torch.nn.Module
    prompts: Prompts
    budget: TokenBudget

    def __call__(self, pairs: Sequence[tuple[Question, Rationale]]) -> list[AnsweredRationale]:
        """Every rationale cut where it first announces an answer, with the known one after it; in order.

        What a thought in tags announces is on its way; one that never closes comes to no answer.
        """
        completed = [self._complete(question, rationale) for question, rationale in pairs]
        asked = [index for index, one in enumerate(completed) if math.isfinite(one.answer_logprob)]
        prompts = self.prompts([pairs[index][0] for index in asked])
        scored: list[Scored] = []
        for index, prompt in zip(asked, prompts, strict=True):
            ids, cut = completed[index].token_ids, completed[index].thought
            scored.append(((*prompt, *ids[:cut]), ids[cut:]))
        logprobs = logprobs_of(self.model, scored, self.budget, pad_token_id=self.prompts.tokenizer.pad_token_id)
        for index, logprob in zip(asked, logprobs, strict=True):
            completed[index] = _with(completed[index], answer_logprob=logprob)
        return completed

    def _complete(self, question: Question, rationale: Rationale) -> AnsweredRationale:
        """(z, y) with a log-probability of 0 still to be replaced, or z alone with minus infinity."""
        lead, begin = self.prompts.template.answer_lead, self._reply_begins(rationale)
        cut = None
        if begin is not None:
            cut = tokens_to_stop(self.prompts.tokenizer, rationale.token_ids, [lead], begin)
        if cut is None:
            return _with(rationale, thought=len(rationale.token_ids), answer_logprob=-math.inf)
        thought = rationale.token_ids[:cut]
        return _with(
            rationale, token_ids=(*thought, *self._answer(lead, question.answer)), thought=cut, answer_logprob=0.0,
            text=f"{text_of(self.prompts.tokenizer, thought)} {question.answer}.", predicted=question.answer,
            verdict=Verdict.RIGHT, reason="the known answer, put after the model's rationale", logprob=None,
        )  # fmt: skip

    def _reply_begins(self, rationale: Rationale) -> int | None:
        """The character of a rationale's own text at which its thought is over; None: it is not."""
        opening = self.prompts.template.opening
        text = opening + text_of(self.prompts.tokenizer, rationale.token_ids)
        try:
            return max(0, len(text) - len(after_thought(text)) - len(opening))
        except Unreadable:
            return None

    def _answer(self, lead: str, answer: str) -> tuple[int, ...]:
        """The tokens of the answer as they stand after the lead, and what ends the turn."""
        begun = self.prompts.tokenizer(lead, add_special_tokens=False)["input_ids"]
        whole = self.prompts.tokenizer(f"{lead} {answer}.", add_special_tokens=False)["input_ids"]
        if whole[: len(begun)] == begun:
            return (*whole[len(begun) :], *self.prompts.ending)
        alone = self.prompts.tokenizer(f" {answer}.", add_special_tokens=False)["input_ids"]
        return (*alone, *self.prompts.ending)


def _with(rationale: Rationale, **changed: Any) -> AnsweredRationale:
    known = {field.name: getattr(rationale, field.name) for field in fields(rationale)}
    return AnsweredRationale(**{**known, **changed})
