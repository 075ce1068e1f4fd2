"""Which questions two models answer rightly: each alone, both, and how much the two sets overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aurify.rationales import Rationale

Rule = Literal["any", "first", "most"]


@dataclass(frozen=True)
class Overlap:
    """Counts over the questions that both models answered.

    Source: Table 1 of "Turning Dust into Gold" (arXiv:2312.12832), whose two models are LLaMA-7B with LoRA trained on
    right and on wrong rationales of MATH.
    """

    n: int
    a: int
    """Questions that the first model answers rightly."""
    b: int
    both: int

    @property
    def iou(self) -> float | None:
        """Intersection over union: both / (a + b - both); None where neither is ever right."""
        union = self.a + self.b - self.both
        return self.both / union if union else None

    @property
    def expected(self) -> float:
        """What ``both`` would be on average if the two were right independently of each other: a b / n."""
        return self.a * self.b / self.n if self.n else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return {"n": self.n, "a": self.a, "b": self.b, "both": self.both, "iou": self.iou, "expected": self.expected}


def right_questions(rationales: Iterable[Rationale], rule: Rule) -> dict[str, bool]:
    """Whether each question is answered rightly, in the order of first appearance.

    Args:
        rule: of several samples on a question, ``any`` must be right, the ``first`` (of the lowest index, and of
            several steps the last), or ``most``, more than half of them.
    """
    pools: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        if rationale.left_out:
            continue
        pools.setdefault(rationale.question_id, []).append(rationale)
    return {question: _is_right(pool, rule) for question, pool in pools.items()}


def _is_right(pool: Sequence[Rationale], rule: Rule) -> bool:
    if rule == "first":
        return min(pool, key=lambda one: (-one.step, one.sample_index)).right
    count = sum(one.right for one in pool)
    return count > 0 if rule == "any" else 2 * count > len(pool)


def overlap(
    a: Mapping[str, bool], b: Mapping[str, bool], groups: Mapping[str, str] | None = None
) -> dict[str, Overlap]:
    """The overlap over all questions that stand in both, under the name ``all``, and by group where groups are given.

    Args:
        a, b: whether each model answers a question rightly, by question id.
        groups: the group (a subject, say) of each question id; those without one count in ``all`` only.
    """
    shared = [question for question in a if question in b]
    members: dict[str, list[str]] = {}
    for question in shared:
        if groups and question in groups:
            members.setdefault(groups[question], []).append(question)
    named = [("all", shared), *sorted(members.items())]
    return {
        name: Overlap(
            len(ids), sum(a[one] for one in ids), sum(b[one] for one in ids), sum(a[one] and b[one] for one in ids)
        )
        for name, ids in named
    }
