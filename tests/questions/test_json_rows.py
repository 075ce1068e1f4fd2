from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.questions.json_rows import is_json_lines, json_document, json_lines
from aurify.questions.rows import BadRow, Row


def lines(data: bytes) -> list[Row | BadRow]:
    return list(json_lines(io.BytesIO(data), "f.jsonl"))


def document(data: bytes) -> list[Row | BadRow]:
    return list(json_document(data, "f.json"))


def only_bad(rows: list[Row | BadRow]) -> BadRow:
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    return bad


def test_bom_crlf_and_blank_lines_are_harmless() -> None:
    rows = lines(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert [(row.where, row.fields) for row in rows if isinstance(row, Row)] == [
        ("f.jsonl:1", {"a": 1}),
        ("f.jsonl:3", {"a": 2}),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": NaN}', "NaN is not valid JSON"),
        (b'{"a": {"b": [-Infinity]}}', "-Infinity is not valid JSON"),
        (b"[1, 2]", "expected a JSON object with a question and an answer, found a list"),
        (b'"text"', "found text"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": 1} {"a": 2}', "more text after the JSON value (column 9)"),
        (b'{"a": "caf\xe9"}', "expected UTF-8, found the byte 0xe9 in column 11"),
        (b'{"question": "cut in the middle', "not valid JSON: unterminated string (column 14)"),
        (b"\xff\xfe{\x00", "it looks like UTF-16"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "more digits than can be read"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(line: bytes, expected: str) -> None:
    rows = lines(b'{"a": 0}\n' + line + b'\n{"a": 3}\n')
    assert [row.where for row in rows] == ["f.jsonl:1", "f.jsonl:2", "f.jsonl:3"]
    bad = only_bad(rows)
    assert bad.where == "f.jsonl:2"
    assert expected in bad.reason


def test_a_row_of_a_document_is_placed_by_its_line_or_else_by_its_number() -> None:
    spread = document(b'{"canary": "x", "examples": [\n {"a": 1},\n\n {"a": 2}\n]}\n')
    assert [row.where for row in spread] == ["f.json:2", "f.json:4"]
    packed = document(b'\n\n[{"a": 1}, {"a": 2}]')
    assert [row.where for row in packed] == ["f.json:1", "f.json:2"]


def test_an_object_without_rows_in_it_is_one_row() -> None:
    (row,) = document(b'{"problem": "1+1", "level": "Level 1", "nested": {"examples": []}}')
    assert isinstance(row, Row)
    assert row.fields["problem"] == "1+1"


def test_bad_elements_of_a_document() -> None:
    rows = document(b'[\n{"a": 1},\n{"a": NaN},\n7\n]')
    assert [(row.where, isinstance(row, Row)) for row in rows] == [
        ("f.json:2", True),
        ("f.json:3", False),
        ("f.json:4", False),
    ]


@pytest.mark.parametrize(
    ("data", "where", "reason"),
    [
        (b'[\n{"a": 1},\n{"a": }\n]', "f.json:3", "not valid JSON: expecting value (column 7)"),
        (b'{"examples": [\n{"a": 1}\n', "f.json:3", "not valid JSON"),
        (b'[{"a": 1}]\n]', "f.json:1", "more text after the JSON value"),
        (b'[\n{"a": "\xe9"}]', "f.json:2", "expected UTF-8"),
        (b"17", "f.json:1", "found one plain value"),
        (b"", "f.json:1", "not valid JSON"),
    ],
)
def test_a_broken_document_is_one_bad_row_at_its_line(data: bytes, where: str, reason: str) -> None:
    bad = only_bad(document(data))
    assert bad.where == where
    assert reason in bad.reason


def test_json_lines_under_the_name_of_a_document() -> None:
    assert is_json_lines(b'{"question": "1+1", "answer": 2}\n')
    assert not is_json_lines(b'{"examples": [{"input": "a", "target": "b"}]}\n')
    assert not is_json_lines(b"[\n")
    assert not is_json_lines(b'{"examples": [\n')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
json_rows = st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=5)


@given(rows=json_rows, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_documents_round_trip(rows: list[dict[str, object]], indent: int | None, ascii_only: bool) -> None:
    for whole in (rows, {"canary": [rows], "examples": rows}):
        data = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        assert [row.fields for row in document(data) if isinstance(row, Row)] == rows


@given(rows=json_rows, end=st.sampled_from(["\n", "\r\n"]))
def test_lines_round_trip(rows: list[dict[str, object]], end: str) -> None:
    data = end.join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    assert [row.fields for row in lines(data) if isinstance(row, Row)] == rows


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_bad_rows(data: bytes) -> None:
    for row in [*lines(data), *document(data)]:
        assert isinstance(row, (Row, BadRow))
    is_json_lines(data)
