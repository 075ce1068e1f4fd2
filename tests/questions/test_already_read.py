"""Questions that Python gives are what a file's would be, or one line says what they are not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aurify.errors import UsageError
from aurify.questions import Question
from aurify.questions.already_read import checked, refuse_other_answers, refuse_unread

GOOD = Question("a", "What is 2?", "2", "number", accepted=("two",), rationale=None)


def settings(**values: Any) -> Any:
    return SimpleNamespace(
        **{"answers": None, "question_field": None, "answer_field": None, "skip_bad": False, **values}
    )


def test_good_ones_pass_as_they_are() -> None:
    good = [GOOD, replace(GOOD, id="b", rationale="It is 2.", accepted=()), replace(GOOD, id="c", answer="")]
    assert checked(good, "data") == good


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": 1}, "its id is 1: expected text"),
        ({"text": None}, "its text is None: expected text"),
        ({"answer": 2}, "its answer is 2: expected text"),
        ({"accepted": ["two"]}, r"its accepted is \['two'\]: expected a tuple of texts"),
        ({"accepted": (2,)}, r"its accepted is \(2,\): expected a tuple of texts"),
        ({"rationale": 5}, "its rationale is 5: expected text"),
        ({"columns": {"a": 1}}, "its columns is"),
        ({"answer_type": "numbers"}, "did you mean 'number'"),
        ({"answer_type": "__main__:same"}, "__main__"),
        ({"id": "z"}, "its id occurs before"),
    ],
)
def test_a_fault_is_one_line_with_its_place(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=rf"^held_out: question 2 \(.*\): .*{said}") as error:
        checked([replace(GOOD, id="z"), replace(GOOD, **values)], "held_out")
    assert "\n" not in str(error.value)


def test_something_else_among_them_is_named() -> None:
    with pytest.raises(UsageError, match=r"^data: number 2 is a dict: expected a Question"):
        checked([GOOD, {"question": "a", "answer": 1}], "data")


def test_what_a_type_judges_by_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "by_words.py").write_text("def good(completions, words, **more): return [1.0]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    one = Question("a", "Say it.", "", "by_words:good", columns=json.dumps({"words": 3}))
    assert checked([one], "data") == [one]
    for columns in ("", json.dumps({"word": 3})):
        with pytest.raises(UsageError, match=r"question 1 .*no column 'words', which by_words:good asks for"):
            checked([replace(one, columns=columns)], "data")
    for columns in ("{", "[1]"):
        with pytest.raises(UsageError, match="expected its row as a JSON object"):
            checked([replace(one, columns=columns)], "data")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"question_field": "q"}, "--question-field q"),
        ({"answer_field": "a"}, "--answer-field a"),
        ({"skip_bad": True}, "--skip-bad"),
    ],
)
def test_how_to_read_means_nothing_where_nothing_is_read(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=f"^{said}: nothing is read"):
        refuse_unread(settings(**values))
    refuse_unread(settings(answers="number"))


def test_another_answer_type_than_the_questions_have_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^--answers math: the questions of data say their own type, number"):
        refuse_other_answers(settings(answers="math"), [GOOD], "data")
    for answers in (None, "number"):
        refuse_other_answers(settings(answers=answers), [GOOD, replace(GOOD, answer_type="text")], "data")
    refuse_other_answers(settings(answers="math"), [], "held_out")
