"""Grade completions while others are still being drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from aurify.answers import Grade, Grader, Judging
from aurify.questions import Question
from aurify.sampling import Completion


class GradingAhead:
    """Hands completions to the grader in one thread of its own, and has their verdicts when all are drawn.

    The grader is this thread's alone until the ``with`` block ends. What went wrong there is raised when the verdict
    is asked for.

    Args:
        judged: is told each verdict in that thread, so that a user sees how many are right so far.
    """

    def __init__(self, grader: Grader, questions: Sequence[Question], judged: Callable[[Grade], None] | None) -> None:
        self._grader, self._questions, self._judged = grader, questions, judged
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="grading")
        self._verdicts: dict[tuple[int, str], Future[Grade]] = {}

    def __call__(self, index: int, completion: Completion) -> None:
        """Take a completion of question ``index``."""
        question = self._questions[index]
        kind = self._grader.kind(question.answer_type)
        if isinstance(kind, Judging) and kind.together:
            return
        if completion.finish_reason == "stop" and (kind.in_worker or self._judged is not None):
            self._verdicts[index, completion.text] = self._thread.submit(self._grade, completion.text, question)

    def verdict(self, index: int, completion: Completion) -> Grade | None:
        """The verdict on a completion of question ``index``; None where it has not been judged.

        Call it after the ``with`` block.
        """
        found = self._verdicts.get((index, completion.text)) if completion.finish_reason == "stop" else None
        return found.result() if found else None

    def _grade(self, text: str, question: Question) -> Grade:
        grade = self._grader.grade(text, question)
        if self._judged is not None:
            self._judged(grade)
        return grade

    def __enter__(self) -> GradingAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
