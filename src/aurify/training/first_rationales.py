"""Where a question's chain starts: the first rationale that its memory holds.

Each starter takes questions and gives one rationale or none for each. A first rationale may be wrong; it is kept
all the same, as a chain that is not valid yet, and the starter is asked again at the question's next visit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def given(
    texts: Callable[[Question], Sequence[str]], encode: Encode, grader: Grader, *, source: Source, model: str
) -> Starter:
    """Rationales that somebody wrote; of several, the first that our own grader finds right.

    Args:
        texts: the candidates of a question.
        encode: turns a text into token ids, EOS included.
    """

    def start(questions: Sequence[Question], step: int) -> list[Rationale | None]:
        return [first_right(question, step) for question in questions]

    def first_right(question: Question, step: int) -> Rationale | None:
        for text in texts(question):
            grade = grader.grade(text, question)
            if grade.right:
                ids = tuple(encode(text))
                return Rationale(
                    question_id=question.id, token_ids=ids, text=text, predicted=grade.predicted,
                    verdict=grade.verdict, reason=grade.reason, source=source, model=model, step=step,
                    sample_index=0, seed=0, finish_reason="stop", logprob=None,
                )  # fmt: skip
        return None

    return start


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
