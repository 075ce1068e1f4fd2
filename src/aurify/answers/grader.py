"""Grades rationales: extract the stated answer, compare it with the gold one, say why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aurify.answers.answer_type import AnswerType, Judging
from aurify.answers.calls import called
from aurify.answers.choice import read_choice
from aurify.answers.compare import Asked, canonical, compare, extract
from aurify.answers.custom import is_given
from aurify.answers.faults import Faults
from aurify.answers.options import options
from aurify.answers.pool import Job, JobResult, WorkerPool
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.thought import opened_thought, reply
from aurify.answers.types import ANSWER_TYPES
from aurify.answers.types import answer_type as kind_of
from aurify.answers.verdict import Grade, Verdict
from aurify.answers.words import words_key

if TYPE_CHECKING:  # the questions room imports this one
    from aurify.questions.record import Question

_REMEMBERED = 200_000
"""How many comparisons, and how many verdicts, are kept; the memory of either starts afresh beyond."""

_Key = tuple[str, bytes]


class Grader:
    """Gives verdicts. It owns the worker processes, started when first needed; close it, or use it with ``with``.

    Each answer type compares in its own way (``ANSWER_TYPES``). ``math`` beyond equal writing and plain numbers, and
    the user's own ``module:function``, are compared in workers with limits of wall-clock time and memory; a function
    that Python gave is called here. Equal comparisons are made once. A Grader is not for several threads at a time.

    Args:
        timeout: seconds a comparison may take before its worker is killed.
        memory_mb: address space of a worker, in MiB.
        workers: processes at a time, unless ``kind`` asks for more.
        kind: the answer type that has settings of its own; every other one is as it stands in the table.
        say: is told where the user's own function fails, and one that does nothing else is an error (``Faults``);
            None: the verdicts alone tell.
    """

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        memory_mb: int = 1024,
        workers: int = 1,
        kind: AnswerType | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.at_a_time = max(workers, kind.at_a_time if kind else 1)
        """How many comparisons it makes at a time."""
        self._pool = WorkerPool(timeout=timeout, memory_mb=memory_mb, workers=self.at_a_time)
        self._known: dict[Job, JobResult] = {}
        self._verdicts: dict[_Key, Grade] = {}
        self._own = kind
        self._faults = Faults(say) if say else None

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
        new: dict[_Key, tuple[str, Question]] = {}
        for key, (text, question, truncated) in zip(keys, items, strict=True):
            if not truncated and key not in self._verdicts and key not in new:
                new[key] = text, question
        self._verdicts.update(zip(new, self._judge(list(new.values())), strict=True))
        return [_cut(text) if cut else self._verdicts[key] for key, (text, _, cut) in zip(keys, items, strict=True)]

    def _judge(self, items: Sequence[tuple[str, Question]]) -> list[Grade]:
        """Those of a type that judges all together, so; the others one by one, with their jobs in workers."""
        found: dict[int, Grade] = {}
        plans: dict[int, list[Grade | Asked]] = {}
        for word in dict.fromkeys(question.answer_type for _, question in items):
            kind, places = self.kind(word), [i for i, (_, question) in enumerate(items) if question.answer_type == word]
            together = kind.judge([items[i] for i in places]) if isinstance(kind, Judging) else None
            if together is not None:
                found.update(zip(places, together, strict=True))
            else:
                plans.update((i, self._planned(kind, *items[i])) for i in places)
        found.update(zip(plans, self._settle(list(plans.values())), strict=True))
        return [found[i] for i in range(len(items))]

    def _planned(self, kind: AnswerType, text: str, question: Question) -> list[Grade | Asked]:
        if isinstance(kind, Judging):
            step = kind.plan(text, question)
            return [step if isinstance(step, Grade) else Asked(step, None)]
        listed = options(question.text) if question.answer_type == "choice" else {}
        return self._plan(text, (question.answer, *question.accepted), question.answer_type, listed)

    def grade_answer(self, pred: str, gold: str, answer_type: str) -> Grade:
        """The verdict on a bare answer, or on a rationale, against a gold answer."""
        return self._settle([self._plan(pred, (gold,), answer_type, {})])[0]

    def readable(self, answer: str, answer_type: str) -> bool:
        """Whether a bare answer can be read as one of this type."""
        if not self.kind(answer_type).compares:
            return False
        try:
            job = kind_of(answer_type).to_parse(canonical(answer, answer_type, {}))
        except Unreadable:
            return False
        return job is None or self._ask([job])[0][0] == Verdict.RIGHT

    def same(self, a: str, b: str, answer_type: str) -> bool:
        """Whether two bare, readable answers are equal."""
        return self._settle([[compare(canonical(a, answer_type, {}), b, answer_type, {})]])[0].right

    def kind(self, word: str) -> AnswerType:
        """The answer type of a word, with the settings that this grader was given for it.

        Raises:
            UsageError: it is unknown, or its function cannot be imported.
        """
        return self._own if self._own is not None and self._own.word == word else kind_of(word)

    def close(self) -> None:
        """Kill the workers, and give back what the answer type holds. A later call starts new workers."""
        self._pool.close()
        if self._own is not None:
            self._own.close()

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
        kind_of(kind)  # refuses an unknown word
        if listed and not _is_listed(golds[0], listed):
            listed = {}  # a gold text that is no option, such as BIG-Bench Hard's "Monsters, Inc", stands for itself
        try:
            predicted = extract(text, kind, listed)
        except Unreadable as error:
            if kind in ("text", "math") and _own_words(text, golds):
                return [Grade(Verdict.RIGHT, "the gold answer's own words", reply(text).strip())]  # itself a sentence
            return [Grade(Verdict.UNPARSABLE, str(error))]
        return [compare(predicted, gold, kind, listed) for gold in golds]

    def _settle(self, plans: Sequence[Sequence[Grade | Asked]]) -> list[Grade]:
        jobs = list(dict.fromkeys(step.job for plan in plans for step in plan if isinstance(step, Asked)))
        outcomes = dict(zip(jobs, self._ask(jobs), strict=True))
        return [_best([_answered(step, outcomes) for step in plan]) for plan in plans]

    def _ask(self, jobs: Sequence[Job]) -> list[JobResult]:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        unknown = [job for job in jobs if job not in self._known]
        if unknown:
            given = [job for job in unknown if is_given(job.spec)]
            others = [job for job in unknown if not is_given(job.spec)]
            self._known.update(zip(given, self._called(given), strict=True))
            self._known.update(zip(others, self._pool.run(others), strict=True))
            if self._faults:
                for job in unknown:
                    self._faults.heed(job, self._known[job])
        return [self._known[job] for job in jobs]

    def _called(self, jobs: Sequence[Job]) -> list[JobResult]:
        """The outcomes of functions that Python gave; of one at a time, in this thread."""
        if self.at_a_time == 1 or len(jobs) < 2:
            return [_called(job) for job in jobs]
        with ThreadPoolExecutor(max_workers=self.at_a_time, thread_name_prefix="judging") as threads:
            return list(threads.map(_called, jobs))


def _called(job: Job) -> JobResult:
    """The outcome of a function that Python gave."""
    try:
        return called(job)
    except (MemoryError, RecursionError) as error:
        return JobResult("unparsable", f"{job.spec} raised {type(error).__name__}")


def grader_of(settings: Any, folder: str | Path | None = None, **more: Any) -> Grader:
    """A grader with the answer type of ``settings.answers`` and its own settings.

    Args:
        folder: of the run, where a type may keep what it paid for.
        more: of the workers, and who is told of faults; see ``Grader``.

    Raises:
        UsageError: the type refuses its settings.
    """
    word = getattr(settings, "answers", None)
    kind = ANSWER_TYPES.made(word, settings) if word else None
    return Grader(kind=kind.at(folder) if kind else None, **more)


def _cut(text: str) -> Grade:
    within = ", before its thought was closed" if opened_thought(text) else ""
    return Grade(Verdict.TRUNCATED, f"cut at the token limit{within}")


def _key(text: str, question: Question) -> _Key:
    asked = "\0".join([question.id, question.answer_type, question.columns, question.answer, *question.accepted])
    return asked, hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _answered(step: Grade | Asked, outcomes: Mapping[Job, JobResult]) -> Grade:
    if isinstance(step, Grade):
        return step
    word, reason, score = outcomes[step.job]
    return Grade(Verdict(word), reason, step.predicted, score)


def _own_words(text: str, golds: Sequence[str]) -> bool:
    try:
        text = reply(text)
        return len(text) <= MAX_ANSWER and words_key(text) in map(words_key, golds)
    except Unreadable:
        return False


def _is_listed(gold: str, listed: Mapping[str, str]) -> bool:
    try:
        read_choice(gold, listed)
    except Unreadable:
        return False
    return True


def _best(grades: Sequence[Grade]) -> Grade:
    """Right by any of the gold answers; else what was found for the first."""
    return next((grade for grade in grades if grade.right), grades[0])
