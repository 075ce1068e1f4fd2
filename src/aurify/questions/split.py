"""Splits questions into those to train on and those held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aurify.errors import UsageError
from aurify.questions.record import Question
from aurify.seeds import stable_seed
from aurify.text import single_spaced


def split_questions(questions: Sequence[Question], holdout: float, seed: int) -> tuple[list[Question], list[Question]]:
    """(train, held out), each in the order given.

    Which questions are held out depends on the seed and on the questions' ids and texts, not on their order.
    ``round(n * holdout)`` are held out, from every task its share (largest remainders). Questions of the same text
    stay together, so the number can be smaller where nothing but such groups is left to take.

    Raises:
        UsageError: ``holdout`` is not in [0, 1), or something is no question.
    """
    if (odd := next((one for one in questions if not isinstance(one, Question)), None)) is not None:
        raise UsageError(f"expected questions, found a {type(odd).__name__} among them: load_questions reads rows")
    if not 0 <= holdout < 1:
        raise UsageError(f"--holdout {holdout}: expected a fraction from 0 up to, but not including, 1")
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(single_spaced(question.text), []).append(question)
    order = sorted(groups.values(), key=lambda group: _rank(group, seed))
    total = round(len(questions) * holdout)
    room = _quotas(Counter(question.task for question in questions), total)
    held: set[str] = set()
    for by_task in (True, False):  # what the tasks' shares leave open is filled from any task
        for group in order:
            need = Counter(question.task for question in group)
            fits = len(held) + len(group) <= total
            if by_task:
                fits = fits and all(need[task] <= room[task] for task in need)
            if fits and group[0].id not in held:
                held.update(question.id for question in group)
                room.subtract(need)
    train = [question for question in questions if question.id not in held]
    return train, [question for question in questions if question.id in held]


def _rank(group: list[Question], seed: int) -> tuple[int, str]:
    first = min(question.id for question in group)
    return stable_seed("split", seed, first), first


def _quotas(sizes: Counter[str], total: int) -> Counter[str]:
    """How many to take of each task: its share of ``total`` rounded down, the rest by largest remainder."""
    everything = sum(sizes.values())
    quotas = Counter({task: size * total // everything for task, size in sizes.items()})
    by_remainder = sorted(sizes, key=lambda task: (-(sizes[task] * total % everything), task))
    for task in by_remainder[: total - sum(quotas.values())]:
        quotas[task] += 1
    return quotas
