"""Where a question's chain starts: the first rationale that its memory holds.

Each starter gives one rationale or none for each question: drawn on request, or from somewhere else. A first
rationale may be wrong; it is kept all the same, as a chain that is not valid yet, and the starter is asked again at
the question's next visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aurify.answers import Grader
from aurify.questions import Prompts, Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.draw import Request
from aurify.rationales.record import Source
from aurify.seeds import stable_seed

EncodeText = Callable[[str], Sequence[int]]

PROBED_QUESTIONS = 32
"""Questions on which ``choose_guide`` tries the guide."""
SIGN_TEST_LEVEL = 0.2
"""The p-value below which the guide is found to help: of 32, 3 right against 0 are enough."""
SELDOM_RIGHT = 0.125
"""Where the model by itself is right at least so often, chains soon begin by themselves, and no guide is taken."""


class Starter(Protocol):
    """Gives questions their first rationales."""

    def request(self, questions: Sequence[Question]) -> Request | None:
        """What must be drawn for it; None: nothing."""

    def first(
        self, questions: Sequence[Question], step: int, drawn: Sequence[Sequence[Rationale]]
    ) -> list[Rationale | None]:
        """A rationale or none for each question; ``drawn`` is what was requested."""


class Choice(NamedTuple):
    """Which start was chosen, and why."""

    guide: bool
    reason: str
    drawn: list[Rationale]
    """What was drawn to find out; it is part of the run's cost."""


@dataclass(frozen=True)
class Drawn:
    """Rationales that the model itself writes under another prompt: the hinted guide, or worked examples.

    The token ids are kept and stand after the plain prompt from then on.
    """

    prompts: Prompts
    source: Source
    hinted: bool = False
    stop: tuple[str, ...] | None = None

    def request(self, questions: Sequence[Question]) -> Request:
        """See ``Starter``."""
        return Request(questions, self.prompts(questions, hinted=self.hinted), self.source, stop=self.stop)

    def first(
        self, questions: Sequence[Question], step: int, drawn: Sequence[Sequence[Rationale]]
    ) -> list[Rationale | None]:
        """See ``Starter``."""
        return [row[0] for row in drawn]


class Empty:
    """Empty memory: a chain becomes valid with its first right proposal."""

    def request(self, questions: Sequence[Question]) -> None:
        """See ``Starter``."""

    def first(
        self, questions: Sequence[Question], step: int, drawn: Sequence[Sequence[Rationale]]
    ) -> list[Rationale | None]:
        """See ``Starter``."""
        return [None] * len(questions)


class Given:
    """Rationales that somebody wrote; of these, the ones that our own grader finds right.

    Args:
        texts: the candidates of a question.
        encode: turns a text into token ids, EOS included.
    """

    def __init__(
        self,
        texts: Callable[[Question], Sequence[str]],
        encode: EncodeText,
        grader: Grader,
        *,
        source: Source,
        model: str,
    ) -> None:
        self._texts, self._encode, self._grader, self._source, self._model = texts, encode, grader, source, model

    def request(self, questions: Sequence[Question]) -> None:
        """See ``Starter``."""

    def first(
        self, questions: Sequence[Question], step: int, drawn: Sequence[Sequence[Rationale]] = ()
    ) -> list[Rationale | None]:
        """The first right one of each question."""
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
                    score=grade.score,
                )  # fmt: skip


def choose_guide(questions: Sequence[Question], drawing: Drawing, prompts: Prompts, seed: int) -> Choice:
    """Whether the guide is worth its price: the model is seldom right by itself, and more often with the answer told.

    A guided rationale costs a sample and is no draw from the posterior, as a right proposal is; so where right
    proposals come by themselves, chains begin with the first of them. That the guide helps is decided by an exact
    one-sided sign test on the questions of which just one of the two is right.
    """
    from scipy.stats import binomtest  # runs start without SciPy

    guide, plain = Drawn(prompts, "guide", hinted=True), Drawn(prompts, "self")
    chosen = sorted(questions, key=lambda question: stable_seed(seed, "probe", question.id))[:PROBED_QUESTIONS]
    both = drawing.draw_all([guide.request(chosen), plain.request(chosen)], step=0)
    pairs = [(a, b) for (a,), (b,) in zip(*both, strict=True) if not a.left_out and not b.left_out]
    with_hint, without = [a.right for a, _ in pairs], [b.right for _, b in pairs]
    gained = sum(a and not b for a, b in zip(with_hint, without, strict=True))
    lost = sum(b and not a for a, b in zip(with_hint, without, strict=True))
    seldom_right = sum(without) < SELDOM_RIGHT * len(pairs)
    helps = (
        seldom_right
        and gained > lost
        and bool(binomtest(gained, gained + lost, alternative="greater").pvalue < SIGN_TEST_LEVEL)
    )
    return Choice(
        helps,
        f"memory: {'guide' if helps else 'none'} ({sum(with_hint)} of {len(pairs)} rationales right with the answer "
        f"in the prompt, {sum(without)} without)",
        [row[0] for rows in both for row in rows],
    )
