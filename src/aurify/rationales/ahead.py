"""Grade completions while others are still being drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from aurify.answers import Grade, Grader, Judging
from aurify.questions import Question
from aurify.sampling import Completion


class GradingAhead:
    """Hands completions to the grader in one thread of its own, and has their verdicts when all are drawn.

    Those that wait are handed over together, as many as the grader judges at a time. The grader is this thread's alone
    until the ``with`` block ends. What went wrong there is raised when the verdict is asked for.

    Args:
        judged: is told each verdict in that thread, so that a user sees how many are right so far.
    """

    def __init__(self, grader: Grader, questions: Sequence[Question], judged: Callable[[Grade], None] | None) -> None:
        self._grader, self._questions, self._judged = grader, questions, judged
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="grading")
        self._waiting: deque[tuple[str, Question, Future[Grade]]] = deque()
        self._verdicts: dict[tuple[int, str], Future[Grade]] = {}

    def __call__(self, index: int, completion: Completion) -> None:
        """Take a completion of question ``index``."""
        question = self._questions[index]
        kind = self._grader.kind(question.answer_type)
        if isinstance(kind, Judging) and kind.together:
            return
        if completion.finish_reason == "stop" and (kind.in_worker or self._judged is not None):
            verdict = self._verdicts[index, completion.text] = Future()
            self._waiting.append((completion.text, question, verdict))
            self._thread.submit(self._grade)

    def verdict(self, index: int, completion: Completion) -> Grade | None:
        """The verdict on a completion of question ``index``; None where it has not been judged.

        Call it after the ``with`` block.
        """
        found = self._verdicts.get((index, completion.text)) if completion.finish_reason == "stop" else None
        return found.result() if found else None

    def _grade(self) -> None:
        """Judge the next ones that wait; none may be left, as one call takes several."""
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._grader.at_a_time))]
        try:
            grades = self._grader.grade_all([(text, question, False) for text, question, _ in taken])
            if self._judged is not None:
                for grade in grades:
                    self._judged(grade)
        except BaseException as error:
            for _, _, verdict in taken:
                verdict.set_exception(error)
            return
        for (_, _, verdict), grade in zip(taken, grades, strict=True):
            verdict.set_result(grade)

    def __enter__(self) -> GradingAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
