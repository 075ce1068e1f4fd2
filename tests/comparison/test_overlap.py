"""Right answers of each of two models, of both, and their overlap."""

from __future__ import annotations

import pytest

from aurify.answers import Verdict
from aurify.comparison.overlap import Overlap, overlap, right_questions
from aurify.rationales import Rationale


def rationale(question: str, right: bool, index: int = 0, step: int = 0) -> Rationale:
    verdict = Verdict.RIGHT if right else Verdict.WRONG
    return Rationale(question, (), "", None, verdict, "", "teacher", "m", step, index, 0, "stop", None)


def test_the_papers_overall_row() -> None:
    """Table 1 of arXiv:2312.12832: 253 and 166 right, 29 in common: .074. 2,000 questions stand for MATH's."""
    a = {str(n): n < 253 for n in range(2000)}
    b = {str(n): 253 - 29 <= n < 253 - 29 + 166 for n in range(2000)}
    found = overlap(a, b)["all"]
    assert (found.n, found.a, found.b, found.both) == (2000, 253, 166, 29)
    assert found.iou == pytest.approx(0.0744, abs=5e-5)
    assert found.expected == pytest.approx(253 * 166 / 2000)


def test_groups_add_up_and_only_shared_questions_count() -> None:
    a = {"1": True, "2": True, "3": False, "only a": True}
    b = {"3": True, "2": True, "1": False, "only b": True}
    found = overlap(a, b, {"1": "Algebra", "2": "Algebra", "only a": "Algebra"})
    assert found == {"all": Overlap(3, 2, 2, 1), "Algebra": Overlap(2, 2, 1, 1)}
    assert (found["all"].iou, found["Algebra"].iou) == (1 / 3, 1 / 2)


def test_nothing_right_has_no_iou() -> None:
    assert overlap({"1": False}, {"1": False})["all"].iou is None
    assert overlap({}, {})["all"].to_dict() == {"n": 0, "a": 0, "b": 0, "both": 0, "iou": None, "expected": 0.0}


def test_rules_for_several_samples() -> None:
    rows = [
        rationale("q", False, 2),
        rationale("q", True, 1),
        rationale("q", False, 0),
        rationale("r", True),
        rationale("s", False),
    ]
    assert right_questions(rows, "any") == {"q": True, "r": True, "s": False}
    assert right_questions(rows, "first") == {"q": False, "r": True, "s": False}
    assert right_questions(rows, "most") == {"q": False, "r": True, "s": False}
    assert right_questions([rationale("q", True, 0), rationale("q", False, 1)], "most") == {"q": False}
    assert right_questions([rationale("q", False, 0, 1), rationale("q", True, 0, 2)], "first") == {"q": True}
