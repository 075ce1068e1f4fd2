"""Grade completions while others are still being drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from aurify.answers import Grade, Grader, answer_type
from aurify.questions import Question
from aurify.sampling import Completion


class GradingAhead:
    """Hands completions to the grader in one thread of its own; their verdicts then cost nothing to ask for.

    The grader is this thread's alone until the ``with`` block ends. What goes wrong there is not reported: it goes
    wrong again, and is reported, when the verdict is asked for.

    Args:
        judged: is told each verdict in that thread, so that a user sees how many are right so far.
    """

    def __init__(
        self, grader: Grader, questions: Sequence[Question], judged: Callable[[Grade], None] | None = None
    ) -> None:
        self._grader, self._questions, self._judged = grader, questions, judged
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="grading")

    def __call__(self, index: int, completion: Completion) -> None:
        """Take a completion of question ``index``."""
        question = self._questions[index]
        slow = answer_type(question.answer_type).in_worker
        if completion.finish_reason == "stop" and (slow or self._judged is not None):
            self._thread.submit(self._grade, completion.text, question)

    def _grade(self, text: str, question: Question) -> None:
        grade = self._grader.grade(text, question)
        if self._judged is not None:
            self._judged(grade)

    def __enter__(self) -> GradingAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
