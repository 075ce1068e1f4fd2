from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aurify.questions import LoadedQuestions

Load = Callable[..., LoadedQuestions]

CUBE = "How many edges has a cube? $\\textbf{(A)}\\ 6\\qquad\\textbf{(B)}\\ 8\\qquad\\textbf{(C)}\\ 12$"
NUMINA = {"problem_type": "Algebra", "question_type": "math-word-problem", "problem_is_valid": "Yes",
          "solution_is_valid": "Yes", "source": "x", "solution": "It is so."}  # fmt: skip


def test_numina(load: Load) -> None:
    found = load(
        {**NUMINA, "problem": "Solve $2x=7$.", "answer": "\\frac{7}{2}"},
        {**NUMINA, "problem": CUBE, "question_type": "MCQ", "answer": "C", "solution_is_valid": "No"},
        {**NUMINA, "problem": "2 + 2?", "answer": "4"},
    )
    assert [(one.answer, one.answer_type) for one in found] == [
        ("\\frac{7}{2}", "math"),
        ("(C)", "choice"),
        ("4", "math"),
    ]
    assert [one.rationale for one in found][:2] == ["It is so.\nSo the answer is \\frac{7}{2}.", None]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**NUMINA, "problem": "Prove it.", "answer": "proof"}, "'answer' is 'proof': no answer that can be checked"),
        ({**NUMINA, "problem": "x?", "answer": "notfound"}, "'answer' is 'notfound'"),
        ({**NUMINA, "problem": "x?", "answer": "C", "question_type": "MCQ"}, "does not list that option"),
        ({**NUMINA, "problem": "x?", "answer": "2", "problem_is_valid": "Incomplete"}, "calls its problem flawed"),
        ({"question": "x?", "solution": "I would say that it depends. " * 9}, "no answer: 'solution' states none"),
        ({"question": "x?", "solution": "see solution"}, "'solution' is 'see solution': no answer"),
    ],
)
def test_rows_without_an_answer_to_check(load: Load, row: dict[str, Any], reason: str) -> None:
    found = load(row)
    assert len(found) == 0
    assert reason in found.skipped[0][1]


def test_other_sets_of_mathematics(load: Load) -> None:
    openr1 = {"problem": "Solve.", "solution": "Then \\boxed{4}.", "answer": "4", "uuid": "u1", "messages": [],
              "generations": ["a"]}  # fmt: skip
    deepmath = {"question": "Limit?", "final_answer": "\\infty", "difficulty": 5.0, "topic": "x", "r1_solution_1": "a"}
    s1k = {"question": "How many?", "solution": "128", "cot_type": "math", "attempt": "So 128."}
    worked = {"question": "How many?", "solution": "Twice 64 is 128. Therefore the final answer is 128."}
    found = load(openr1, deepmath, s1k, worked)
    assert [one.answer for one in found] == ["4", "\\infty", "128", "128"]
    assert found[0].id == "u1"
    assert [one.rationale for one in found] == ["Then \\boxed{4}.", None, None, worked["solution"]]
