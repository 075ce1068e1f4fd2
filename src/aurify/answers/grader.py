"""Grades rationales: extract the stated answer, compare it with the gold one, say why."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from aurify.answers.choice import read_choice
from aurify.answers.compare import Asked, canonical, compare, extract
from aurify.answers.options import options
from aurify.answers.pool import Job, Outcome, WorkerPool
from aurify.answers.reading import Unreadable
from aurify.answers.thought import opened
from aurify.answers.types import ANSWER_TYPES, check_answer_type
from aurify.answers.types import answer_type as kind_of
from aurify.answers.verdict import Grade, Verdict

if TYPE_CHECKING:  # the questions room imports this one
    from aurify.questions.record import Question

_REMEMBERED = 200_000
"""How many comparisons, and how many verdicts, are kept; the memory of either starts afresh beyond."""

_Key = tuple[str, bytes]


class Grader:
    """Gives verdicts. It owns the worker processes, started when first needed; close it, or use it with ``with``.

    Each answer type compares in its own way (``ANSWER_TYPES``). ``math`` beyond equal writing and plain numbers, and
    the user's own ``module:function``, are compared in workers with limits of wall-clock time and memory. Equal
    comparisons are made once. A Grader is not for several threads at a time.

    Args:
        timeout: seconds a comparison may take before its worker is killed.
        memory_mb: address space of a worker, in MiB.
        workers: processes at a time.
    """

    def __init__(self, *, timeout: float = 5.0, memory_mb: int = 1024, workers: int = 1) -> None:
        self._pool = WorkerPool(timeout=timeout, memory_mb=memory_mb, workers=workers)
        self._known: dict[Job, Outcome] = {}
        self._verdicts: dict[_Key, Grade] = {}
        self._specs: set[str] = set()

    def grade(self, text: str, question: Question, *, truncated: bool = False) -> Grade:
        """The verdict on a whole rationale, by the question's answer type.

        Right where the stated answer equals ``question.answer`` or one of ``question.accepted``. A rationale that was
        cut at the token limit is ``truncated``, whatever it states.

        Raises:
            UsageError: the question's answer type is unknown.
            AurifyError: the worker cannot start.
        """
        return self.grade_all([(text, question, truncated)])[0]

    def grade_all(self, items: Sequence[tuple[str, Question, bool]]) -> list[Grade]:
        """``grade`` of every (text, question, truncated), in order; equal work is done once, workers in parallel."""
        if len(self._verdicts) > _REMEMBERED:
            self._verdicts.clear()
        keys = [_key(text, question) for text, question, _ in items]
        new: dict[_Key, list[Grade | Asked]] = {}
        for key, (text, question, truncated) in zip(keys, items, strict=True):
            if not truncated and key not in self._verdicts and key not in new:
                golds = (question.answer, *question.accepted)
                listed = options(question.text) if question.answer_type == "choice" else {}
                new[key] = self._plan(text, golds, question.answer_type, listed)
        self._verdicts.update(zip(new, self._settle(list(new.values())), strict=True))
        return [_cut(text) if cut else self._verdicts[key] for key, (text, _, cut) in zip(keys, items, strict=True)]

    def grade_answer(self, pred: str, gold: str, answer_type: str) -> Grade:
        """The verdict on a bare answer, or on a rationale, against a gold answer."""
        return self._settle([self._plan(pred, (gold,), answer_type, {})])[0]

    def readable(self, answer: str, answer_type: str) -> bool:
        """Whether a bare answer can be read as one of this type."""
        self.check_type(answer_type)
        try:
            job = kind_of(answer_type).to_parse(canonical(answer, answer_type, {}))
        except Unreadable:
            return False
        return job is None or self._ask([job])[0][0] == Verdict.RIGHT

    def same(self, a: str, b: str, answer_type: str) -> bool:
        """Whether two bare, readable answers are equal."""
        return self._settle([[compare(canonical(a, answer_type, {}), b, answer_type, {})]])[0].right

    def check_type(self, kind: str) -> None:
        """Do nothing where the answer type is known and its function can be imported.

        Raises:
            UsageError: it is not, or cannot.
        """
        if kind not in ANSWER_TYPES and kind not in self._specs:
            self._specs.add(check_answer_type(kind))

    def close(self) -> None:
        """Kill the workers. A later call starts new ones."""
        self._pool.close()

    def worker_pids(self) -> list[int]:
        """The ids of the worker processes that stand."""
        return self._pool.pids()

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _plan(self, text: str, golds: Sequence[str], kind: str, listed: Mapping[str, str]) -> list[Grade | Asked]:
        """One grade a gold answer, or what has to be asked for it."""
        self.check_type(kind)
        if listed and not _is_listed(golds[0], listed):
            listed = {}  # a gold text that is no option, such as BIG-Bench Hard's "Monsters, Inc", stands for itself
        try:
            predicted = extract(text, kind, listed)
        except Unreadable as error:
            return [Grade(Verdict.UNPARSABLE, str(error))]
        return [compare(predicted, gold, kind, listed) for gold in golds]

    def _settle(self, plans: Sequence[Sequence[Grade | Asked]]) -> list[Grade]:
        jobs = list(dict.fromkeys(step.job for plan in plans for step in plan if isinstance(step, Asked)))
        outcomes = dict(zip(jobs, self._ask(jobs), strict=True))
        return [_best([_answered(step, outcomes) for step in plan]) for plan in plans]

    def _ask(self, jobs: Sequence[Job]) -> list[Outcome]:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        unknown = [job for job in jobs if job not in self._known]
        if unknown:
            self._known.update(zip(unknown, self._pool.run(unknown), strict=True))
        return [self._known[job] for job in jobs]


def _cut(text: str) -> Grade:
    within = ", before its thought was closed" if opened(text) else ""
    return Grade(Verdict.TRUNCATED, f"cut at the token limit{within}")


def _key(text: str, question: Question) -> _Key:
    asked = "\0".join([question.id, question.answer_type, question.answer, *question.accepted])
    return asked, hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _answered(step: Grade | Asked, outcomes: Mapping[Job, Outcome]) -> Grade:
    if isinstance(step, Grade):
        return step
    word, reason = outcomes[step.job]
    return Grade(Verdict(word), reason, step.predicted)


def _is_listed(gold: str, listed: Mapping[str, str]) -> bool:
    try:
        read_choice(gold, listed)
    except Unreadable:
        return False
    return True


def _best(grades: Sequence[Grade]) -> Grade:
    """Right by any of the gold answers; else what was found for the first."""
    return next((grade for grade in grades if grade.right), grades[0])
