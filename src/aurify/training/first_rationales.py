"""Where a question's chain starts: the first rationale that its memory holds.

Each starter takes questions and gives one rationale or none for each. A first rationale may be wrong; it is kept
all the same, as a chain that is not valid yet, and the starter is asked again at the question's next visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from aurify.answers import Grader
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.record import Source
from aurify.seeds import stable_seed

Starter = Callable[[Sequence[Question], int], list["Rationale | None"]]
Encode = Callable[[str], Sequence[int]]

PROBED = 32
"""Questions on which ``choose`` tries the guide."""


class Choice(NamedTuple):
    """Which start was chosen, and why."""

    guide: bool
    reason: str


def drawn(drawing: Drawing, template: PromptTemplate, tokenizer: object, *, source: Source, hinted: bool) -> Starter:
    """Rationales that the model itself writes under another prompt: the hinted guide, or worked examples.

    The token ids are kept and stand after the plain prompt from then on.
    """

    def start(questions: Sequence[Question], step: int) -> list[Rationale | None]:
        prompts = [template.encode(tokenizer, question, hinted=hinted) for question in questions]
        return [row[0] for row in drawing.draw(questions, prompts, step=step, source=source)]

    return start


class Given:
    """Rationales that somebody wrote; of these, the ones that our own grader finds right.

    Args:
        texts: the candidates of a question.
        encode: turns a text into token ids, EOS included.
    """

    def __init__(
        self,
        texts: Callable[[Question], Sequence[str]],
        encode: Encode,
        grader: Grader,
        *,
        source: Source,
        model: str,
    ) -> None:
        self._texts, self._encode, self._grader, self._source, self._model = texts, encode, grader, source, model

    def first(self, questions: Sequence[Question], step: int) -> list[Rationale | None]:
        """The first right one of each question: a starter."""
        return [next(self._right(question, step), None) for question in questions]

    def all(self, questions: Sequence[Question], step: int) -> list[list[Rationale]]:
        """All right ones of each question."""
        return [list(self._right(question, step)) for question in questions]

    def _right(self, question: Question, step: int) -> Iterator[Rationale]:
        for index, text in enumerate(self._texts(question)):
            grade = self._grader.grade(text, question)
            if grade.right:
                yield Rationale(
                    question_id=question.id, token_ids=tuple(self._encode(text)), text=text,
                    predicted=grade.predicted, verdict=grade.verdict, reason=grade.reason, source=self._source,
                    model=self._model, step=step, sample_index=index, seed=0, finish_reason="stop", logprob=None,
                )  # fmt: skip


def none(questions: Sequence[Question], step: int) -> list[Rationale | None]:
    """Empty memory: a chain becomes valid with its first right proposal."""
    return [None] * len(questions)


def choose(questions: Sequence[Question], guide: Starter, plain: Starter, seed: int) -> Choice:
    """Whether the model follows the guide: it must be right at least as often with the answer in its prompt."""
    chosen = sorted(questions, key=lambda question: stable_seed(seed, "probe", question.id))[:PROBED]
    with_hint = sum(found is not None and found.right for found in guide(chosen, 0))
    without = sum(found is not None and found.right for found in plain(chosen, 0))
    follows = with_hint > 0 and with_hint >= without
    return Choice(
        follows,
        f"memory: {'guide' if follows else 'none'} ({with_hint} of {len(chosen)} rationales right with the answer "
        f"in the prompt, {without} without)",
    )
