"""Draw rationales: prompts through a sampler, answers through a grader, records out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from aurify.answers import Grader
from aurify.answers.verdict import Grade
from aurify.clock import Clock
from aurify.models.beginning import n_common
from aurify.questions import Question
from aurify.rationales.ahead import GradingAhead
from aurify.rationales.record import Move, Rationale, Source
from aurify.rationales.stem import with_stem
from aurify.sampling import Completion, Prompt, Sampler
from aurify.seeds import stable_seed

_LOST = 32  # common tokens that a merged call may lose; a longer beginning in common is worth a call of its own


class Request(NamedTuple):
    """What is to be drawn: ``samples`` rationales of each question from its prompt."""

    questions: Sequence[Question]
    prompts: Sequence[tuple[int, ...]]
    source: Source = "self"
    samples: int = 1
    temperature: float = 1.0
    stop: tuple[str, ...] | None = None
    """Stop strings; None: those of the drawing."""
    first: int = 0
    """The index of the first sample, where others of these questions were drawn before."""
    move: Move | None = None
    """What the records say of how they were proposed."""
    stems: Sequence[tuple[int, ...]] = ()
    """The tokens of each question's rationale that stand already, where the samples go on from some."""

    @property
    def stem_of_each(self) -> Sequence[tuple[int, ...]]:
        """The stem of each question, empty where there is none."""
        return self.stems or [()] * len(self.questions)

    @property
    def indices(self) -> range:
        """The indices of its samples."""
        return range(self.first, self.first + self.samples)


@dataclass(frozen=True)
class Drawing:
    """How rationales are drawn in a run: by whom, judged by whom, with which seed and limits."""

    sampler: Sampler
    grader: Grader
    model: str
    """The name under which the records say who wrote them."""
    seed: int
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    clock: Clock = field(default_factory=Clock)
    opening: str = ""
    """What the prompts already say of the rationale, a thought's opening tag: it stands at the head of every text."""
    judged: Callable[[Grade], None] | None = None
    """Is told the verdict on each whole completion while others are still being drawn."""
    tokenizer: Any = None
    """Decodes rationales that go on from a stem; not needed for others."""

    def draw(
        self,
        questions: Sequence[Question],
        prompts: Sequence[tuple[int, ...]],
        *,
        step: int,
        source: Source = "self",
        samples: int = 1,
        temperature: float = 1.0,
    ) -> list[list[Rationale]]:
        """``samples`` graded rationales of every question [Q][S]."""
        return self.draw_all([Request(questions, prompts, source, samples, temperature)], step=step)[0]

    def draw_all(self, requests: Sequence[Request], *, step: int) -> list[list[list[Rationale]]]:
        """The graded rationales of each request [Q][S], drawn together where that saves time and changes nothing.

        A sample's seed is a hash of (run seed, question id, step, sample index) and, so that a guide's draw is not
        that of a proposal, of the source.
        """
        found: list[list[list[Rationale]]] = [[] for _ in requests]
        for places in self._calls(requests):
            rows = iter(self._draw([requests[place] for place in places], step))
            for place in places:
                found[place] = [next(rows) for _ in requests[place].questions]
        return found

    def _calls(self, requests: Sequence[Request]) -> list[list[int]]:
        """The requests of each call of the sampler: alike in how they are drawn, and in how their prompts begin."""
        calls: list[list[int]] = []
        for place, request in enumerate(requests):
            for call in calls:
                others = [requests[other] for other in call]
                if self._how(others[0]) == self._how(request) and _begin_alike([*others, request]):
                    call.append(place)
                    break
            else:
                calls.append([place])
        return calls

    def _how(self, request: Request) -> tuple[float, tuple[str, ...]]:
        return request.temperature, self.stop if request.stop is None else request.stop

    def _draw(self, requests: Sequence[Request], step: int) -> list[list[Rationale]]:
        questions = [question for request in requests for question in request.questions]
        origins = [request for request in requests for _ in request.questions]
        seeds = [
            tuple(stable_seed(self.seed, question.id, step, index, request.source) for index in request.indices)
            for request in requests
            for question in request.questions
        ]
        prompts = [prompt for request in requests for prompt in request.prompts]
        stems = [stem for request in requests for stem in request.stem_of_each]
        asked = [
            Prompt(prompt + stem, row, self.max_new_tokens - len(stem) if stem else None)
            for prompt, stem, row in zip(prompts, stems, seeds, strict=True)
        ]
        completions, ahead = self._sample(questions, asked, stems, requests[0])
        with self.clock.measure("grade"):
            grades = iter(self._grades(questions, completions, ahead))
        return [
            [
                self._record(question, completion, next(grades), origin, len(stem), step, index, seed)
                for completion, index, seed in zip(row, origin.indices, row_seeds, strict=True)
            ]
            for question, origin, stem, row, row_seeds in zip(
                questions, origins, stems, completions, seeds, strict=True
            )
        ]

    def _grades(
        self, questions: Sequence[Question], completions: Sequence[Sequence[Completion]], ahead: GradingAhead
    ) -> list[Grade]:
        """The verdict on every completion, row by row; what has not been judged ahead is judged together."""
        flat = [(index, completion) for index, row in enumerate(completions) for completion in row]
        found = [ahead.verdict(index, completion) for index, completion in flat]
        rest = iter(
            self.grader.grade_all(
                [
                    (completion.text, questions[index], completion.finish_reason == "length")
                    for (index, completion), verdict in zip(flat, found, strict=True)
                    if verdict is None
                ]
            )
        )
        return [next(rest) if verdict is None else verdict for verdict in found]

    def _sample(
        self,
        questions: Sequence[Question],
        prompts: Sequence[Prompt],
        stems: Sequence[tuple[int, ...]],
        like: Request,
    ) -> tuple[list[list[Completion]], GradingAhead]:
        temperature, stop = self._how(like)

        def whole(index: int, drawn: Completion) -> Completion:
            stem = stems[index]
            if stem:
                drawn = with_stem(self.tokenizer, stem, drawn, max_new_tokens=self.max_new_tokens, stop=stop)
            return replace(drawn, text=self.opening + drawn.text) if self.opening else drawn

        with GradingAhead(self.grader, questions, self.judged) as ahead:
            found = self.sampler.sample(
                prompts, max_new_tokens=self.max_new_tokens, temperature=temperature, stop=stop,
                on_completion=lambda index, completion: ahead(index, whole(index, completion)),
            )  # fmt: skip
        return [[whole(index, completion) for completion in row] for index, row in enumerate(found)], ahead

    def _record(
        self,
        question: Question,
        completion: Completion,
        grade: Grade,
        origin: Request,
        cut: int,
        step: int,
        index: int,
        seed: int,
    ) -> Rationale:
        return Rationale(
            question_id=question.id, token_ids=completion.token_ids, text=completion.text, predicted=grade.predicted,
            verdict=grade.verdict, reason=grade.reason, source=origin.source, model=self.model, step=step,
            sample_index=index, seed=seed, finish_reason=completion.finish_reason,
            logprob=None if math.isnan(completion.logprob) else completion.logprob, move=origin.move, cut=cut,
            score=grade.score,
        )  # fmt: skip


def _begin_alike(requests: Sequence[Request]) -> bool:
    """Whether the prompts of all have about as long a beginning in common as those of each."""
    asked = [request.prompts for request in requests if request.prompts]
    together = n_common([prompt for prompts in asked for prompt in prompts])
    return all(n_common(prompts) - together <= _LOST for prompts in asked if len(prompts) > 1)
