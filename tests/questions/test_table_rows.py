from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.questions.rows import BadRow, Row
from aurify.questions.table_rows import csv_rows, parquet_rows


def read(data: bytes, delimiter: str = ",") -> list[Row | BadRow]:
    return list(csv_rows(io.BytesIO(data), "f.csv", delimiter))


def test_quoted_fields_hold_commas_quotes_and_line_breaks() -> None:
    rows = read(b'\xef\xbb\xbfquestion,answer\r\n"a, ""b""\r\nc",1\r\n\r\nd,2\r\n')
    assert [(row.where, row.fields) for row in rows if isinstance(row, Row)] == [
        ("f.csv:2", {"question": 'a, "b"\r\nc', "answer": "1"}),
        ("f.csv:5", {"question": "d", "answer": "2"}),
    ]


def test_tabs() -> None:
    (row,) = read(b"question\tanswer\na,b\t1\n", "\t")
    assert isinstance(row, Row)
    assert row.fields == {"question": "a,b", "answer": "1"}


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfquestion;answer\r\na, b;1\r\n",
        b'"question";"answer"\n"a, b";"1"\n',
        b"question\tanswer\na, b\t1\n",
        b"question|answer\na, b|1\n",
        "question\tanswer\r\na, b\t1\r\n".encode("utf-16"),
        b"question;answer;;\na, b;1;;\n;;;\n; ;;\n",
    ],
)
def test_what_spreadsheets_write(data: bytes) -> None:
    (row,) = read(data)
    assert isinstance(row, Row)
    assert row.fields == {"question": "a, b", "answer": "1"}
    assert row.line == 2


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"question; long,answer\na;b,1\n", {"question; long": "a;b", "answer": "1"}),
        (b'"question;x",answer\na;b,1\n', {"question;x": "a;b", "answer": "1"}),
        (b'"question; answer"\na;b\n', {"question; answer": "a;b"}),
        (b'"a\n;b",c\n1,2\n', {"a\n;b": "1", "c": "2"}),
    ],
)
def test_a_semicolon_within_a_name_parts_nothing(data: bytes, fields: dict[str, str]) -> None:
    (row,) = read(data)
    assert isinstance(row, Row)
    assert row.fields == fields


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a,1,x", "expected 2 fields as in the first line, found 3"),
        (b"a", "expected 2 fields as in the first line, found 1"),
        (b'"a"b,1', "not valid CSV"),
        (b"caf\xe9,1", "expected UTF-8"),
    ],
)
def test_a_bad_record_is_named_and_the_rest_is_read(line: bytes, expected: str) -> None:
    rows = read(b"question,answer\na,1\n" + line + b"\nb,2\n")
    assert [(row.where, type(row)) for row in rows] == [("f.csv:2", Row), ("f.csv:3", BadRow), ("f.csv:4", Row)]
    assert expected in rows[1].reason  # type: ignore[union-attr]  # a bad row, or this fails


def test_an_open_quote_does_not_swallow_the_file_in_silence() -> None:
    rows = read(b'question,answer\na,1\n"b,2\nc,3\n')
    assert isinstance(rows[-1], BadRow)
    assert rows[-1].where == "f.csv:3"


def test_a_column_that_occurs_twice() -> None:
    (bad,) = read(b"question,answer,answer\na,1,2\n")
    assert isinstance(bad, BadRow)
    assert "occurs twice" in bad.reason


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@given(st.lists(st.tuples(fields, fields), max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trips(rows: list[tuple[str, str]], end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["question", "answer"])
    writer.writerows(rows)
    found = read(text.getvalue().encode())
    assert [tuple(row.fields.values()) for row in found if isinstance(row, Row)] == rows
    assert all(isinstance(row, Row) for row in found)


def _parquet(table: pa.Table) -> bytes:
    data = io.BytesIO()
    pq.write_table(table, data)
    return data.getvalue()


def test_parquet_rows_are_placed_by_their_number() -> None:
    data = _parquet(pa.table({"question": ["a", "b"], "answer": pa.array([1, None], pa.int64())}))
    assert list(parquet_rows(io.BytesIO(data), "f.parquet")) == [
        Row("f.parquet", 1, {"question": "a", "answer": 1}),
        Row("f.parquet", 2, {"question": "b", "answer": None}),
    ]


def test_text_that_is_not_utf8_spoils_one_parquet_row() -> None:
    raw = pa.array([b"fine", b"caf\xe9", b"fine"], pa.binary())
    rows = list(parquet_rows(io.BytesIO(_parquet(pa.table({"question": raw.view(pa.string())}))), "f.parquet"))
    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert rows[1].where == "f.parquet:2"


def test_a_truncated_parquet_file_is_one_bad_row() -> None:
    data = _parquet(pa.table({"question": ["a"] * 100}))
    (bad,) = parquet_rows(io.BytesIO(data[:-20]), "f.parquet")
    assert isinstance(bad, BadRow)
    assert bad.where == "f.parquet:1"
    assert "not a readable Parquet file" in bad.reason


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_bad_rows(data: bytes) -> None:
    for row in [*read(data), *parquet_rows(io.BytesIO(data), "f.parquet")]:
        assert isinstance(row, (Row, BadRow))
