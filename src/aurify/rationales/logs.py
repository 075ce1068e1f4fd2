"""Rows of other programs' logs and of teachers' files, brought into one form: a question with a list of ``samples``.

Each form is an entry of ``LOGS``: whether a row is of it, and the row as a question's fields with ``samples``, objects
of ``text``, ``correct`` (the file's own label, where it has one), ``finish_reason`` and ``model``. What a row of none
of these forms holds is read as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aurify.questions.fields import Fields
from aurify.questions.rows import BadRow, Row, RowError
from aurify.rationales.evaluation_logs import (
    is_inspect,
    is_lighteval,
    is_lm_eval,
    is_opencompass,
    read_inspect,
    read_lighteval,
    read_lm_eval,
    read_opencompass,
)
from aurify.rationales.filtered_samples import FilteredSamples
from aurify.rationales.sample_fields import row_label
from aurify.rationales.server_replies import holds_reply, read_reply
from aurify.rationales.teacher_files import (
    has_lists,
    has_trajectories,
    is_conversation,
    read_conversation,
    read_lists,
    read_trajectories,
)
from aurify.rationales.trainer_logs import (
    is_preference,
    is_trl,
    is_verl,
    read_preference,
    read_trl,
    read_verl,
)


@dataclass(frozen=True)
class Log:
    """One form of rows with samples."""

    word: str
    fits: Callable[[Fields], bool]
    read: Callable[[Fields], dict[str, Any]]


def unwrapped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row as a question's fields with ``samples``; as it stands where it is of no form of ``LOGS``.

    Raises:
        RowError: the row is of such a form, and its samples are no texts, or its parts are not what the form says.
    """
    row = Fields(fields)
    found = next((log for log in LOGS.values() if log.fits(row)), None)
    try:
        return fields if found is None else found.read(row)
    except (AttributeError, LookupError, TypeError):
        assert found is not None
        raise RowError(f"it looks like a row of {found.word}, but is of a shape that is not known") from None


def unwrapped_rows(rows: Iterable[Row | BadRow]) -> list[Row | BadRow]:
    """``unwrapped`` of every row. lm-eval tells a sample once a filter: such rows become one, right if any is right."""
    found: list[Row | BadRow] = []
    told = FilteredSamples()
    for row in rows:
        if isinstance(row, BadRow):
            found.append(row)
            continue
        try:
            fields = unwrapped(row.fields)
        except RowError as error:
            found.append(BadRow(row.path, row.line, str(error)))
            continue
        if not is_lm_eval(Fields(row.fields)) or told.is_new(row.path, fields):
            found.append(replace(row, fields=dict(fields)))
    return found


def _server(fields: Fields) -> dict[str, Any]:
    """A server's reply; what the row calls it is the label of a single sample."""
    row = read_reply(fields)
    if len(row["samples"]) == 1:
        row["samples"][0]["correct"] = row_label(fields)
    return row


LOGS: dict[str, Log] = {
    log.word: log
    for log in (
        Log("lm-eval", is_lm_eval, read_lm_eval),
        Log("inspect", is_inspect, read_inspect),
        Log("lighteval", is_lighteval, read_lighteval),
        Log("opencompass", is_opencompass, read_opencompass),
        Log("server", holds_reply, _server),
        Log("verl", is_verl, read_verl),
        Log("trl", is_trl, read_trl),
        Log("preference", is_preference, read_preference),
        Log("lists", has_lists, read_lists),
        Log("trajectories", has_trajectories, read_trajectories),
        Log("conversation", is_conversation, read_conversation),
    )
}
"""By their words, in the order in which they are tried."""
