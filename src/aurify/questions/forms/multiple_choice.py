"""Options in columns: a list (MMLU, ARC, AQuA), a column each (MMLU's CSV), or the right one and distractors (GPQA).

The question is given its options as lines ``(A) ...``, and the answer is a letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aurify.answers.options import LETTERS
from aurify.questions.choices import Options, comparable_text, marks, read_options
from aurify.questions.context import CONTEXT_FIELDS
from aurify.questions.fields import Fields
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import Form, Found
from aurify.questions.gold import as_text
from aurify.questions.rows import RowError
from aurify.seeds import stable_seed

OPTION_FIELDS = ("choices", "options", "answer_choices", "endings", "mc1_targets", "answers", "candidates")
_IF_COUNTED = ("answers", "candidates")
"""These hold options only where a field beside them counts which is right; else they are acceptable answers."""
_COUNTS = ("label", "gold_label", "correct_answer_index", "answer_index", "correct_index", "gold_index", "correct_idx")

_COLUMN = re.compile(
    r"(?P<stem>|option|choice|answer|ending|alternative|op|sol|mc_answer)[ _]?(?P<label>[a-j]|\d{1,2})", re.ASCII
)
_DISTRACTOR = re.compile(r"(?:incorrect|wrong|false)[ _]?answers?[ _]?\d*|distractors?[ _]?\d*")
_CORRECT = ("correct answer", "correct_answer", "right_answer", "best_answer", "answer")
_WORKED = ("rationale", "explanation", "cot_content", "solution")


def _with_options(fields: Fields, options: Options, said: list[tuple[str, Any]]) -> Found:
    question = question_of(_with_passage(fields))
    rationale = next(
        (fields[name] for name in _WORKED if isinstance(fields.get(name), str) and fields[name].strip()), None
    )
    return replace(
        question, rationale=rationale, answer_type="choice", options=options, marks=tuple(said), answers=()
    )  # fmt: skip


def _with_passage(fields: Fields) -> Fields:
    """A ``text`` beside the question is what it is about (LogiQA 2), unless it is the question over again."""
    text, question = fields.get("text"), fields.get("question")
    if not (isinstance(text, str) and isinstance(question, str)) or question.strip() in text:
        return fields
    return fields if fields.filled(CONTEXT_FIELDS) else fields.replaced({"passage": text})


def _unfolded(fields: Fields) -> Fields:
    """The row with its question's parts as fields of its own: ``{"question": {"stem": ..., "choices": [...]}}``."""
    question = fields.get("question")
    if isinstance(question, Mapping) and "stem" in question:
        return fields.replaced({str(name).lower(): value for name, value in question.items()}, ("question",))
    return fields


def _list_field(fields: Fields) -> str | None:
    for name in OPTION_FIELDS:
        value = fields.get(name)
        if name in _IF_COUNTED and not _are_counted(fields, value):
            continue
        if value not in (None, "", [], "[]") and read_options(value, name) is not None:
            return name
    return None


def _counted(fields: Fields, options: int) -> bool:
    """Whether the row counts its options and says which is right (ReClor, CosmosQA), and has no other answer."""
    label = next((fields[name] for name in _COUNTS if fields.get(name) not in (None, "")), None)
    number = isinstance(label, int) or (isinstance(label, str) and label.strip().isdigit())
    return fields.get("answer") in (None, "") and number and 0 <= int(label or 0) <= options


def _are_counted(fields: Fields, value: Any) -> bool:
    texts = isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) for one in value)
    return texts and _counted(fields, len(value))


def _read_list(fields: Fields) -> Found:
    fields = _unfolded(fields)
    name = _list_field(fields)
    assert name is not None
    options = read_options(fields[name], name)
    assert options is not None
    said = marks(fields)
    if name == "mc1_targets" and isinstance(fields[name], Mapping):
        said = [
            (name, f"({LETTERS[place]})") for place, right in enumerate(fields[name].get("labels", [])) if right == 1
        ]
    return _with_options(fields, options, said)


def _columns(fields: Fields) -> Options | None:
    """The options of a row that has a column for each; None where it has none."""
    by_stem: dict[str, list[tuple[str, Any]]] = {}
    for name, value in fields.items():
        found = _COLUMN.fullmatch(name)
        if found and value not in (None, "") and not isinstance(value, (dict, list)):
            by_stem.setdefault(found["stem"], []).append((found["label"], value))
    for stem, columns in by_stem.items():
        labels = [label for label, _ in columns]
        lettered = labels == list("abcdefghij"[: len(labels)])
        numbered = stem != "" and labels in ([str(place + first) for place in range(len(labels))] for first in (0, 1))
        if len(labels) < 2 or not (lettered or numbered):
            continue
        options = Options(tuple(as_text(value, f"{stem}{label}") for label, value in columns), tuple(labels))
        of_texts = all(isinstance(value, str) for _, value in columns)
        named = any(options.place(mark) is not None for _, mark in marks(fields))
        if stem == "answer" and numbered and not named and not _counted(fields, len(columns)):
            continue  # acceptable answers
        if stem or (of_texts and (len(labels) >= 4 or named)):
            return options
    return None


def _read_columns(fields: Fields) -> Found:
    options = _columns(fields)
    assert options is not None
    if options.labels[0].isdigit():  # option1, option2: WinoGrande counts them from 1, COPA from 0; the file tells
        options = Options(options.texts)
    return _with_options(fields, options, marks(fields))


def _in_own_order(fields: Fields) -> bool:
    """Whether a row holds its options in an order of its own, and says which of these is right (lm-eval's GPQA)."""
    name = _list_field(fields)
    options = _columns(fields) if name is None else read_options(fields[name], name)
    said = marks(fields) if options else []
    return options is not None and any(
        options.place(mark) is not None or options.index(mark) is not None for _, mark in said
    )


def _distractors(fields: Fields) -> list[Any]:
    found: list[Any] = []
    for name, value in fields.items():
        if _DISTRACTOR.fullmatch(name) and value not in (None, ""):
            found += value if isinstance(value, list) else [value]
    return found


def _read_distractors(fields: Fields) -> Found:
    name = fields.named(_CORRECT, "answer")
    right = as_text(fields[name], name).strip()
    wrong = [as_text(one, "distractor").strip() for one in _distractors(fields)]
    texts = list({comparable_text(text): text for text in [*wrong, right]}.values())
    if len(texts) <= len({comparable_text(text) for text in wrong}):
        raise RowError(f"'{name}' is also among the wrong answers")
    question = question_of(fields).text
    texts.sort(key=lambda text: stable_seed("options", question, text))  # the file tells the right one by its place
    options = Options(tuple(texts))
    return _with_options(fields, options, [(name, f"({LETTERS[texts.index(right)]})")])


OPTIONS_LIST = Form(
    "options",
    "multiple choice: a list of options in a field (MMLU, ARC, AQuA, CommonsenseQA)",
    lambda fields: _list_field(_unfolded(fields)) is not None,
    _read_list,
)

OPTION_COLUMNS = Form(
    "option-columns",
    "multiple choice: a column for each option",
    lambda fields: _columns(fields) is not None,
    _read_columns,
)

DISTRACTORS = Form(
    "distractors",
    "multiple choice: the right answer and wrong ones in columns, shuffled by a hash of the question (GPQA, SciQ)",
    lambda fields: bool(_distractors(fields)) and fields.filled(_CORRECT) is not None and not _in_own_order(fields),
    _read_distractors,
)

MULTIPLE_CHOICE = (DISTRACTORS, OPTIONS_LIST, OPTION_COLUMNS)
"""The forms that hold the options apart from the question's text, in the order in which they are tried."""
