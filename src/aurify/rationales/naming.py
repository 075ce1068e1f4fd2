"""Which question a row of somebody else's is on: by an id, or by the question's text with its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, NamedTuple

from aurify.answers import with_options, without_options
from aurify.questions.draft import chosen_fields
from aurify.questions.fields import ID_FIELDS, Fields
from aurify.questions.forms import recognised
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import QUESTION_FIELDS
from aurify.questions.forms.multiple_choice import MULTIPLE_CHOICE
from aurify.questions.rows import BadRow, Row, RowError
from aurify.rationales.sample_fields import listed_field
from aurify.text import single_spaced

_ROW_IDS = tuple(name for name in ID_FIELDS if name != "question_id")
QUESTION_KEYS = ("question_id", *_ROW_IDS, *QUESTION_FIELDS)
"""What may say which question a row answers."""


class Names(NamedTuple):
    """What a row calls its question; empty where it does not say."""

    given: str
    """Its ``question_id``, as in a table."""
    own: str
    """Another id: the question's, or the row's own."""
    text: str
    """The question as ``aurify.questions`` reads it, with its options under it."""


def with_telling_ids(rows: Sequence[Row | BadRow], question_field: str | None = None) -> list[Row | BadRow]:
    """The rows, without the ids that stand with several questions, as row numbers of tasks that were joined do.

    Args:
        question_field: the field with the question, where it is told.
    """
    names = [Names("", "", "") if isinstance(row, BadRow) else names_of(row.fields, question_field) for row in rows]
    texts: dict[str, dict[str, str]] = {}
    for given, own, text in names:
        if text:
            texts.setdefault(given or own, {})[single_spaced(text)] = single_spaced(without_options(text))
    shared = {name for name, found in texts.items() if name and _several(found)}
    return [
        _without_id(row) if isinstance(row, Row) and text and (given or own) in shared else row
        for row, (given, own, text) in zip(rows, names, strict=True)
    ]


def torn(rows: Iterable[Mapping[str, Any]], question_field: str | None = None) -> set[str]:
    """The texts of questions of which each row, a single sample, has an id of its own."""
    ids: dict[str, list[str]] = {}
    for fields in rows:
        given, own, text = names_of(fields, question_field)
        if text and not given and listed_field(fields) is None:
            ids.setdefault(text, []).append(own)
    return {text for text, own in ids.items() if len(own) > 1 and "" not in own and len(set(own)) == len(own)}


def question_name(
    fields: Mapping[str, Any], question_field: str | None = None, torn: Set[str] = frozenset()
) -> tuple[str, str]:
    """The name of a row's question, and its text: its ``question_id``, else its id, else the text.

    Both are empty where the row does not say.

    Args:
        question_field: the field with the question, where it is told.
        torn: the texts that name their questions though the rows have ids (see the function of that name).
    """
    given, own, text = names_of(fields, question_field)
    if text in torn and listed_field(fields) is None:
        own = ""
    return given or own or text, text


def names_of(row: Mapping[str, Any], question_field: str | None = None) -> Names:
    """What names the question of a row, whose field with the question may be told."""
    fields = Fields(row)
    try:
        text = _asked(fields if question_field is None else chosen_fields(fields, question_field))
    except RowError:
        text = ""
    return Names(_first(fields, ("question_id",)), _first(fields, _ROW_IDS), text)


def _asked(fields: Fields) -> str:
    """The question with its options, which tell questions of one stem apart; without them where they are bad."""
    try:
        form = next((form for form in MULTIPLE_CHOICE if form.fits(fields)), None)
        if form is not None and recognised(fields) is form:
            text_is_sample = listed_field(fields) is None  # else it may be a passage that the question is about
            found = form.read(fields.replaced({}, ("text",)) if text_is_sample else fields)
            return with_options(found.whole, found.options.texts if found.options else ())
    except RowError:
        pass
    return question_of(fields).whole


def _several(texts: Mapping[str, str]) -> bool:
    """Whether these texts, each with what it is without options, are of several questions.

    A stem alone may be that of the one that has options too.
    """
    stems = {stem for text, stem in texts.items() if text != stem}
    return len(texts.keys() - stems) > 1


def _without_id(row: Row) -> Row:
    return replace(row, fields={key: value for key, value in row.fields.items() if str(key).lower() not in ID_FIELDS})


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these fields that holds a text or a whole number, as text."""
    values = (fields.get(name) for name in names)
    found = (str(value) for value in values if isinstance(value, (str, int)) and not isinstance(value, bool))
    return next((value for value in found if value), "")
