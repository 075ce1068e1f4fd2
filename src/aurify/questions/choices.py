"""Options that stand in a row's columns: their texts and labels, and which of them the row calls right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aurify.answers.options import LETTERS
from aurify.questions.fields import Fields, is_list, structure
from aurify.questions.gold import as_choice, as_text
from aurify.questions.rows import RowError, json_type, show

GOLD_FIELDS = (
    "answerkey", "answer_key", "answer_idx", "answer_letter", "answer", "correct_answer", "correct_option", "correct",
    "correct_choice", "answer_index", "correct_index", "gold_index", "correct_idx", "cop", "label", "gold", "target",
    "answer_text", "ground_truth", "gold_label", "answer_id", "correct_answer_index", "correct_option_index",
    "gold_idx", "correct_label", "correct_letter",
)  # fmt: skip
"""What may say which option is right, the surest first."""

_TEXTS = ("text", "content", "value", "option", "choice")
_LABELS = ("label", "labels", "key", "letter", "id")
_OWN_LABEL = re.compile(r"\s*\(?\s?([A-Za-z])\s?[).:]\s*(\S.*)", re.DOTALL)
_IN_ONE_TEXT = re.compile(r"(?:^|,)\s*([a-z])\s*\)\s*", re.IGNORECASE)
_LONGEST = 20_000


@dataclass(frozen=True)
class Options:
    """The options of one question, in the order in which they are shown as (A), (B), ..."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """What the file calls them, where it names them: ``A``, ``1``."""

    def place(self, mark: Any) -> int | None:
        """The option that a mark names by label, letter or text, counted from 0; None where it names none so."""
        if isinstance(mark, bool) or not isinstance(mark, (str, int, float)):
            return None
        text = as_text(mark, "answer").strip()
        labels = [label.casefold() for label in self.labels]
        if text.casefold() in labels:
            return labels.index(text.casefold())
        if isinstance(mark, str) and (letter := as_choice(text)):
            lower = letter[1].casefold()
            number = labels.index(lower) if lower in labels else LETTERS.index(letter[1])
            return number if number < len(self.texts) else None
        if isinstance(mark, str) and (own := _OWN_LABEL.fullmatch(text)):
            place = self.place(own[1])
            if place is not None and comparable_text(self.texts[place]) == comparable_text(own[2]):
                return place
        same = [place for place, option in enumerate(self.texts) if comparable_text(option) == comparable_text(text)]
        as_number = None if isinstance(mark, str) else self.index(mark)
        by_text = as_number is None or as_number > len(self.texts)  # else it is the option's place
        return same[0] if len(same) == 1 and by_text else None

    def index(self, mark: Any) -> int | None:
        """The whole number that a mark is, where it names no option otherwise."""
        if isinstance(mark, bool):
            return None
        if isinstance(mark, float) and mark.is_integer():
            mark = int(mark)
        digits = isinstance(mark, str) and mark.strip().isascii() and mark.strip().isdigit() and len(mark) < 9
        return int(mark) if isinstance(mark, int) or digits else None


def comparable_text(text: str) -> str:
    """By this two texts of options are the same."""
    return " ".join(text.split()).casefold()


def read_options(value: Any, field: str) -> Options | None:
    """The options that a field's value holds; None where it holds no list of options at all.

    Read: a list of texts or numbers, with labels of their own (``A) 21``) or without; a list of objects with text and
    label; an object of two lists, ``text`` and ``label``; an object from letter to text; and any of these written as
    JSON, as Python, or as ``a ) 38 , b ) 27``.

    Raises:
        RowError: there is one option, or more than there are letters.
    """
    value = _spelled(value)
    found: Options | None = None
    if isinstance(value, Mapping):
        found = _of_object(Fields(value), field)
    elif is_list(value):
        found = _of_list(list(value), field)
    if found is not None and not 2 <= len(found.texts) <= len(LETTERS):
        raise RowError(f"'{field}' holds {len(found.texts)} options: expected 2 to {len(LETTERS)}")
    return found


def marks(fields: Fields) -> list[tuple[str, Any]]:
    """What the row says of the right option: (field, value)."""
    return [(name, fields[name]) for name in GOLD_FIELDS if fields.get(name) not in (None, "")]


def right_option(options: Options, said: Sequence[tuple[str, Any]], first: int) -> int:
    """The place of the right option, counted from 0.

    Args:
        said: (field, value) of what the row says.
        first: the number that the file gives to the first option, where it counts them.

    Raises:
        RowError: nothing names an option, or two things name different ones.
    """
    places = {name: place for name, mark in said if (place := options.place(_single(name, mark))) is not None}
    if len(set(places.values())) > 1:
        told = " and ".join(f"'{name}' says ({LETTERS[place]})" for name, place in list(places.items())[:2])
        raise RowError(f"two answers: {told}")
    if places:
        return next(iter(places.values()))
    numbers = [index - first for name, mark in said if (index := options.index(_single(name, mark))) is not None]
    if numbers and 0 <= numbers[0] < len(options.texts):
        return numbers[0]
    if not said:
        raise RowError(f"no answer: expected a field named {', '.join(GOLD_FIELDS[:6])}, ...")
    name, mark = said[0]
    what = show(mark) if isinstance(mark, (str, int, float)) else json_type(mark)
    last = LETTERS[len(options.texts) - 1]
    raise RowError(
        f"'{name}' is {what}: expected a letter from A to {last}, an option's text or label, or a number from "
        f"{first} to {first + len(options.texts) - 1}"
    )


def first_number(rows: Iterable[tuple[Options, Sequence[tuple[str, Any]]]]) -> int:
    """The number of the first option in a file that names right options by number: 0, or 1 where nothing else fits."""
    seen: set[str] = set()
    for options, said in rows:
        try:
            given = [_single(name, mark) for name, mark in said]
            if any(options.place(mark) is not None for mark in given):
                continue
        except RowError:  # which is told where the row is settled
            continue
        index = next((index for mark in given if (index := options.index(mark)) is not None), None)
        if index is not None:
            seen.add("zero" if index == 0 else "beyond" if index == len(options.texts) else "between")
    return 1 if "beyond" in seen and "zero" not in seen else 0


def _single(name: str, mark: Any) -> Any:
    mark = structure(mark)
    if isinstance(mark, list):
        if len(mark) != 1:
            raise RowError(f"'{name}' names {len(mark)} options: expected one")
        return mark[0]
    return mark


def _spelled(value: Any) -> Any:
    """The structure that a text spells as JSON, as Python, or as ``a ) 38 , b ) 27``."""
    found = structure(value)
    if not isinstance(found, str) or len(found) > _LONGEST:
        return found
    if found.strip()[:1] in ("[", "{", "("):
        try:
            return ast.literal_eval(found.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return found
    labels = [label.upper() for label in _IN_ONE_TEXT.findall(found)]
    if len(labels) > 1 and labels == list(LETTERS[: len(labels)]):
        return dict(zip(labels, (text.strip() for text in _IN_ONE_TEXT.split(found)[2::2]), strict=False))
    return found


def _of_list(values: list[Any], field: str) -> Options | None:
    if values and all(isinstance(one, Mapping) for one in values):
        entries = [Fields(one) for one in values]
        names = [(entry.filled(_TEXTS), entry.filled(_LABELS)) for entry in entries]
        if any(text is None for text, _ in names) or any({"message", "finish_reason"} & set(one) for one in entries):
            return None
        texts = tuple(as_text(entry[str(text)], field) for entry, (text, _) in zip(entries, names, strict=True))
        if any(label is None for _, label in names):
            return Options(texts)
        return Options(texts, tuple(str(entry[str(label)]) for entry, (_, label) in zip(entries, names, strict=True)))
    if not values or any(isinstance(one, (Mapping, list)) for one in values):
        return None
    texts = tuple(as_text(one, field) for one in values)
    own = [_OWN_LABEL.fullmatch(text) for text in texts]
    if all(own) and [found[1].upper() for found in own if found] == list(LETTERS[: len(own)]):
        return Options(tuple(found[2].strip() for found in own if found))
    return Options(texts)


def _of_object(value: Fields, field: str) -> Options | None:
    texts, labels = value.get("text", value.get("choices")), value.get("label", value.get("labels"))
    if isinstance(texts, list):
        named = isinstance(labels, list) and len(labels) == len(texts) and not set(labels) <= {0, 1}
        read = tuple(as_text(one, field) for one in texts)
        return Options(read, tuple(map(str, labels))) if named and labels else Options(read)
    entries = [(str(name), text) for name, text in value.original.items() if text not in (None, "")]
    lettered = [name.upper() for name, _ in entries] == list(LETTERS[: len(entries)])
    numbered = [name for name, _ in entries] in ([str(n + first) for n in range(len(entries))] for first in (0, 1))
    if not entries or not (lettered or numbered) or any(isinstance(text, (dict, list)) for _, text in entries):
        return None
    return Options(tuple(as_text(text, field) for _, text in entries), tuple(name for name, _ in entries))
