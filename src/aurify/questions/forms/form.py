"""What a form of question rows is, and what every form reads alike: the question's text, its answer, its rationale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aurify.questions.acceptable import acceptable
from aurify.questions.choices import Options
from aurify.questions.context import with_context
from aurify.questions.fields import Fields
from aurify.questions.gold import BARE_SOLUTION, answer_in, as_text, split_worked, stated_answer
from aurify.questions.parts import in_any_order
from aurify.questions.rows import RowError, json_type
from aurify.questions.turns import is_turns, read_turns

QUESTION_FIELDS = (
    "problem", "question_concat", "question", "squestion", "input", "query", "prompt", "question_stem", "stem",
    "ctx", "goal", "sentence", "instruction",
)  # fmt: skip
"""MATH and the word-problem sets, SVAMP on the hub, GSM8K, MultiArith's source, BIG-Bench Hard, and common names."""

ANSWER_FIELDS = (
    "answer", "target", "final_ans", "final_answer", "expected_answer", "reference_answer", "lsolutions", "gold",
    "gold_answer", "ground_truth", "gts", "answers", "gold_answers", "golden_answers", "possible_answers",
    "answers_spans",
)  # fmt: skip
"""GSM8K and most others, BIG-Bench Hard, MultiArith on the hub and its source, DeepMath, GSM8K's model solutions, verl,
sets with several acceptable answers, and DROP."""


@dataclass(frozen=True)
class Found:
    """What a form reads of a row: the answers as the file writes them."""

    text: str
    answers: tuple[str, ...] = ()
    """The acceptable ones, the first being the one that a hint tells. Empty where ``options`` hold them."""
    system: str = ""
    """The system turn, which is kept before the question: not every model's template has a place for one."""
    rationale: str | None = None
    answer_type: str | None = None
    """What the form tells of the answer's type; None where the answers of the file must tell."""
    options: Options | None = None
    """Options in columns of their own, which the question is still to be given."""
    marks: tuple[tuple[str, Any], ...] = ()
    """(field, value) of what says which option is right."""
    unread: tuple[str, ...] = ()
    """Fields that the question is about, and that no text could be read of."""

    @property
    def whole(self) -> str:
        """The question with the system turn before it."""
        return f"{self.system}\n\n{self.text}" if self.system else self.text


@dataclass(frozen=True)
class Form:
    """One form of question rows. ``fits`` says whether a row is of it, ``read`` reads one that is.

    ``read`` raises RowError for a row of this form that lacks something.
    """

    word: str
    about: str
    """One line for ``aurify check``: which fields are read as what."""
    fits: Callable[[Fields], bool]
    read: Callable[[Fields], Found]


def asked(fields: Fields) -> Found:
    """The question alone: a text with what it is about, or the user's turn of a conversation."""
    name = fields.named(QUESTION_FIELDS, "question")
    value = fields[name]
    if is_turns(value):
        return asked_in_turns(value, name, fields)
    if not isinstance(value, str):
        raise RowError(f"'{name}' is {json_type(value)}: expected the question as text")
    text = as_text(value, name)
    instruction = fields.get("instruction")
    if name == "input" and isinstance(instruction, str) and instruction.strip():
        text = f"{instruction.strip()}\n\n{text}"
    whole, unread = with_context(text, name, fields)
    return Found(whole, system=_system(fields), unread=unread)


def asked_in_turns(value: Any, name: str, fields: Fields) -> Found:
    """The question that a conversation asks; an assistant's turn that states an answer is its rationale."""
    turns = read_turns(value, name)
    text = as_text(turns.user, name)
    rationale = turns.assistant if stated_answer(turns.assistant) is not None else None
    return Found(text, system=turns.system or _system(fields), rationale=rationale)


def answered(fields: Fields, question: Found) -> Found:
    """The question with its acceptable answers: those of an answer's field, else what its solution states."""
    if fields.filled(ANSWER_FIELDS) is None and not any(name in fields for name in ANSWER_FIELDS):
        return solved(fields, question)
    name = fields.named(ANSWER_FIELDS, "answer")
    value = fields[name]
    if name == "lsolutions" and isinstance(value, list):
        value = value[0] if value else None
    answers, worked = [], None
    for one in acceptable(value, name):
        gold, work = answer_in(one)
        worked = worked or work
        answers.append(gold.strip())
    if str(fields.get("is_multiple_answer")).lower() == "true":  # OlympiadBench: all of them
        answers = list(in_any_order(answers, name))
    return replace(
        question,
        answers=tuple(answers),
        rationale=worked or rationale_of(fields) or question.rationale,
        answer_type="math" if is_math(fields) else None,
    )


def solved(fields: Fields, question: Found) -> Found:
    """The question with the answer that its solution, or the assistant's turn, states."""
    solution = fields.get("solution")
    if not isinstance(solution, str) or not solution.strip():
        if question.rationale is None:
            fields.named(ANSWER_FIELDS, "answer")  # says what is missing
        return with_stated_answer(question, question.rationale or "", "the assistant's turn")
    return with_stated_answer(question, as_text(solution, "solution"), "solution")


def with_stated_answer(question: Found, solution: str, field: str) -> Found:
    """The question with the answer that a solution states, or is, if it is short."""
    boxed = stated_answer(solution, boxes_only=True)
    found = stated_answer(solution)
    if found is not None:
        acceptable(found, field)
        work = split_worked(solution)[1] or solution
        return replace(question, answers=(found,), rationale=work, answer_type="math" if boxed is not None else None)
    short = solution.strip()
    if len(short) > BARE_SOLUTION or "\n" in short:
        raise RowError(f"no answer: '{field}' states none (in a box, after #### or after 'the answer is')")
    return replace(question, answers=acceptable(short, field), rationale=None)


def rationale_of(fields: Fields) -> str | None:
    """A row's worked solution, unless the row itself calls it invalid."""
    solution = next((fields[name] for name in ("rationale", "solution") if name in fields), None)
    invalid = str(fields.get("solution_is_valid", "yes")).lower() not in ("yes", "true", "1", "none")
    if not isinstance(solution, str) or not solution.strip() or invalid:
        return None
    return as_text(solution, "solution")


def is_math(fields: Fields) -> bool:
    """Whether a row is of a set of mathematics: a boxed solution, MATH's or NuminaMath's columns."""
    solution = fields.get("solution")
    return (
        (isinstance(solution, str) and stated_answer(solution, boxes_only=True) is not None)
        or ({"problem", "level"} <= set(fields) and bool({"type", "subject"} & set(fields)))
        or {"problem", "solution", "problem_type"} <= set(fields)
    )


def _system(fields: Fields) -> str:
    """A system prompt in a column of its own."""
    value = next((fields[name] for name in ("system", "system_prompt") if fields.get(name)), "")
    return value.strip() if isinstance(value, str) else ""
