"""What a question is about, in fields beside it: texts, paragraphs and tables, which stand before the question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aurify.questions.fields import Fields, is_list, structure
from aurify.questions.gold import as_text

CONTEXT_FIELDS = (
    "body", "passage", "context", "article", "premise", "narrative", "story", "paragraph", "background", "paragraphs",
    "contexts", "passages", "documents",
)  # fmt: skip
"""SVAMP, BoolQ, SQuAD and HotpotQA, RACE, COPA, MuSR, MuSiQue, and common names. The first that can be read counts."""

REPORT_FIELDS = ("pre_text", "table", "post_text")
"""FinQA and TabMWP: all that are there. A table's ``table_title`` stands above it."""

UNREADABLE_FIELDS = ("image", "images")
"""What no text can hold."""

_CELLS = re.compile(r"[\n|]")
"""What a table has, and the name of one has not."""
_HOLD_IT = ("problem", "question_concat")
"""Questions that hold a text they are about already."""
_TEXTS = ("paragraph_text", "text", "content", "passage", "paragraph", "context", "body", "contexts", "sentences")


def with_context(text: str, name: str, fields: Fields) -> tuple[str, tuple[str, ...]]:
    """(the question's text with what it is about before it, the fields whose structure could not be read).

    Args:
        name: the field of the question.
    """
    found: list[str] = []
    unread = [one for one in UNREADABLE_FIELDS if fields.get(one)]
    gap = "\n\n"
    for field in (*CONTEXT_FIELDS, *REPORT_FIELDS):
        value = fields.get(field)
        if value in (None, "", [], {}) or (field in CONTEXT_FIELDS and found):
            continue
        if isinstance(value, str) and (name in _HOLD_IT or (field == "table" and not _CELLS.search(value))):
            continue
        read = _titled(fields.get("table_title"), _read(value)) if field == "table" else _read(value)
        if read is None:
            unread.append(field)
        elif read.strip() and read.strip() not in text:
            found.append(as_text(read, field).strip())
            gap = " " if field == "body" else gap
    return gap.join([*found, text]), tuple(unread)


def _read(value: Any) -> str | None:
    """A text, a list of texts, paragraphs with titles, or a table, as text; None: anything else."""
    if isinstance(value, str):
        spelled = structure(value)
        return value if isinstance(spelled, str) else _read(spelled) or value
    if isinstance(value, Mapping):
        return _paragraphs(Fields(value))
    if not is_list(value):
        return None
    if all(isinstance(one, str) for one in value):
        return "\n".join(one.strip() for one in value)
    if all(isinstance(one, Mapping) for one in value):
        return _together([_paragraphs(Fields(one)) for one in value])
    if all(is_list(one) and len(one) == 2 and isinstance(one[0], str) and is_list(one[1]) for one in value):
        return _together([_titled(title, _read(sentences)) for title, sentences in value])
    if all(is_list(one) and all(isinstance(cell, (str, int, float)) for cell in one) for one in value):
        return "\n".join(" | ".join(str(cell).strip() for cell in row) for row in value)
    return None


def _paragraphs(fields: Fields) -> str | None:
    """An object that holds a text, or several, and perhaps a title of each."""
    name = fields.filled(_TEXTS)
    if name is None:
        return None
    title: Any = fields.get("title")
    texts = fields[name]
    if is_list(title) and is_list(texts) and len(title) == len(texts):
        return _together([_titled(one, _read(text)) for one, text in zip(title, texts, strict=True)])
    return _titled(title, _read(texts))


def _titled(title: Any, text: str | None) -> str | None:
    return f"{title.strip()}\n{text}" if text and isinstance(title, str) and title.strip() else text


def _together(texts: Sequence[str | None]) -> str | None:
    read = [text for text in texts if text is not None]
    return "\n\n".join(read) if len(read) == len(texts) else None
