"""Programs as answers: the last code block, run against the tests of the question's row."""

from __future__ import annotations

import json

import pytest

from aurify.answers import Grader, answer_type
from aurify.answers.code import Code, last_block
from aurify.answers.reading import Unreadable
from aurify.errors import AurifyError
from aurify.questions import PromptTemplate, load_questions

MBPP = {
    "task_id": 2, "text": "Square a number.", "code": "def sq(x):\r\n  return x * x",
    "test_list": ["assert sq(2) == 4", "assert sq(3) == 9"], "test_setup_code": "", "challenge_test_list": [],
}  # fmt: skip
HUMANEVAL = {
    "task_id": "t/0", "prompt": "def sq(x):\n    '''The square.'''\n", "entry_point": "sq",
    "canonical_solution": "    return x * x\n",
    "test": "METADATA = {}\n\ndef check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 9\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def grader():
    with Grader(kind=Code(code_timeout=60)) as found:
        yield found


@pytest.fixture
def asked(tmp_path):
    def read(row, answers="code"):
        file = tmp_path / "rows.jsonl"
        file.write_text(json.dumps(row) + "\n")
        return load_questions(file, answers=answers)[0]

    return read


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```python\na\n```", "a\n"),
        ("```\na\n```\nthen\n```py\nb\n```\nDone.", "b\n"),
        ("~~~\na\n~~~", "a\n"),
        ("````\n```\na\n```\n````", "```\na\n```\n"),
        ("So:\n```python\na", "a"),
    ],
)
def test_the_last_block(text, block):
    assert last_block(text) == block


@pytest.mark.parametrize(
    ("text", "reason"), [("def f(): pass", "no code block"), ("`f()`", "no code block"), ("```\n\n```", "is empty")]
)
def test_no_block(text, reason):
    with pytest.raises(Unreadable, match=reason):
        last_block(text)


@pytest.mark.parametrize("row", [MBPP, HUMANEVAL], ids=["mbpp", "humaneval"])
def test_the_forms(row, asked, grader):
    question = asked(row)
    assert grader.grade(f"It is easy.\n{question.answer}", question).right, "its own solution"
    right = grader.grade("```python\nsq = lambda x: x ** 2\n```", question)
    assert (str(right.verdict), right.reason) == ("right", "passes its tests")
    wrong = grader.grade("```python\ndef sq(x):\n    return 2 * x\n```", question)
    assert str(wrong.verdict) == "wrong"
    assert "failed: assert " in wrong.reason
    assert "(3) == 9" in wrong.reason
    assert str(grader.grade("def sq(x): return x * x", question).verdict) == "unparsable"
    assert "syntax error" in grader.grade("```\ndef sq(x)\n```", question).reason


def test_the_prompt_asks_for_a_block_and_for_no_stated_answer(asked):
    question = asked(MBPP)
    assert "assert sq(2) == 4" in question.text
    (turn,) = PromptTemplate.for_server("chat").messages(question)
    assert "code block" in turn["content"]
    assert "answer is" not in turn["content"]


def test_a_program_that_hangs_loses_only_itself(asked):
    question = asked(MBPP)
    with Grader(kind=Code(code_timeout=2)) as impatient:
        grades = impatient.grade_all(
            [("```\nwhile True: pass\n```", question, False), ("```\ndef sq(x): return x*x\n```", question, True)]
        )
    assert [str(grade.verdict) for grade in grades] == ["timeout", "truncated"]
    assert grades[0].reason == "timed out after 2 s"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "q", "answer": "7"}, "no tests: expected prompt, entry_point and test"),
        ({**MBPP, "test_list": []}, "'test_list' is empty"),
        ({**MBPP, "test_list": ["assert sq(2) =="]}, "a test is no Python"),
        ({**HUMANEVAL, "test": "x = 1"}, "defines no check"),
    ],
)
def test_rows_without_tests_are_bad(row, reason, asked):
    with pytest.raises(AurifyError, match=f"rows.jsonl:1: .*{reason}"):
        asked(row)


def test_nobody_runs_programs_unasked(asked):
    with pytest.raises(AurifyError, match="--answers code runs what the model writes"):
        asked(MBPP, None)


def test_it_is_no_type_for_votes():
    assert not answer_type("code").compares
