"""The columns of a rationale table, and records as its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from aurify.answers.verdict import Verdict
from aurify.rationales.record import Rationale

SCHEMA_VERSION = 1
"""Of the schema; a table with a later one is refused."""

VERSION_KEY = b"aurify.rationales.version"
"""Where a part's schema says its version."""


def _field(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


SCHEMA = pa.schema(
    [
        _field("question_id", pa.string(), "id of the question it answers"),
        _field("token_ids", pa.list_(pa.int32()), "the sampled token ids, EOS included if sampled; empty: text only"),
        _field("text", pa.string(), "the decoded text, without special tokens"),
        _field("predicted", pa.string(), "the answer read out of the text; null: none was found"),
        _field("verdict", pa.string(), "right, wrong, unparsable, truncated, timeout or left-out; null: not judged"),
        _field("reason", pa.string(), "why this verdict"),
        _field("source", pa.string(), "who wrote it: self, guide, few-shot, teacher or gold"),
        _field("model", pa.string(), "name of the model that wrote it"),
        _field("step", pa.int64(), "training step in which it was drawn; 0: before the first"),
        _field("sample_index", pa.int32(), "place among the samples of the same question and step"),
        _field("seed", pa.int64(), "63-bit seed it was drawn with"),
        _field("finish_reason", pa.string(), "stop (EOS or a stop string) or length (cut at the token limit)"),
        _field("logprob", pa.float64(), "sum of log-probabilities of the drawn tokens under its model; null: unknown"),
        _field("move", pa.string(), "how it was proposed to a chain: independent, suffix or guide; null: it was not"),
        _field("cut", pa.int32(), "how many of its first tokens stood before and were not drawn"),
        _field("score", pa.float64(), "what a reward function gave for it; null: no such function judged it"),
    ],
    metadata={VERSION_KEY: str(SCHEMA_VERSION)},
)


NEVER_NULL = tuple(
    name for name in SCHEMA.names if name not in ("predicted", "verdict", "reason", "logprob", "move", "score")
)
"""The columns in which every row has a value."""


def to_table(rationales: Iterable[Rationale]) -> pa.Table:
    """Rows as an Arrow table of ``SCHEMA``; lone surrogates, which Parquet cannot hold, are spelled: ``\\udXXX``."""
    rows = list(rationales)
    columns = [pa.array([_plain(getattr(row, field.name)) for row in rows], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Rationale]:
    """Rationales from rows of the table's columns.

    Raises:
        KeyError, TypeError, ValueError: a column is missing, or a value is of the wrong kind.
    """
    return [
        Rationale(
            **{
                **{field.name: row[field.name] for field in SCHEMA},
                "token_ids": tuple(row["token_ids"]),
                "verdict": None if row["verdict"] is None else Verdict(row["verdict"]),
            }
        )
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
