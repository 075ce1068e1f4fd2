from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.rationales.reading import read_rationales
from aurify.rationales.record import Rationale
from aurify.rationales.schema import to_table
from aurify.rationales.table import RationaleTable

BARE = Rationale("q1", (), "so 7", None, None, "", "teacher", "", 0, 0, 0, "stop", None)
FULL = Rationale("q1", (5, 2), "so 7", "7", Verdict.WRONG, "7 is not 8", "guide", "m", 3, 1, 9, "length", -0.5)


def _lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_run_and_its_table(tmp_path: Path) -> None:
    table = RationaleTable(tmp_path / "run" / "rationales")
    table.append([BARE, FULL])
    table.flush(1)
    assert read_rationales(tmp_path / "run") == [BARE, FULL]
    assert read_rationales(tmp_path / "run" / "rationales") == [BARE, FULL]
    assert read_rationales(tmp_path / "run" / "rationales" / "step-00000001.parquet") == [BARE, FULL]


def test_the_tables_own_columns_in_json_lines(tmp_path: Path) -> None:
    written = [BARE, FULL, replace(FULL, move="suffix", cut=1)]
    rows = [json.loads(json.dumps(row, default=str)) for row in to_table(written).to_pylist()]
    assert read_rationales(_lines(tmp_path / "rows.jsonl", *rows)) == written


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"question_id": "q1", "text": "so 7"}, BARE),
        ({"id": 12, "rationale": "so 7"}, replace(BARE, question_id="12")),
        ({"question": "3 + 4?", "completion": "so 7"}, replace(BARE, question_id="3 + 4?")),
        ({"question_id": "q1", "question": "3 + 4?", "text": "so 7", "source": "a web page"}, BARE),
        ({"question_id": "q1", "text": "so 7", "move": "e4", "cut": "brilliant"}, BARE),
        ({"question_id": "q1", "text": "so 7", "predicted": 7}, replace(BARE, predicted="7")),
        ({"question_id": "q1", "text": "so 7", "verdict": "right"}, replace(BARE, verdict=Verdict.RIGHT)),
    ],
)
def test_files_of_others(tmp_path: Path, row: dict[str, object], expected: Rationale) -> None:
    assert read_rationales(_lines(tmp_path / "rows.jsonl", row)) == [expected]


@pytest.mark.parametrize("name", ["samples", "completions", "outputs", "responses", "generations"])
def test_lists_of_texts_and_of_objects(tmp_path: Path, name: str) -> None:
    two = [replace(BARE, sample_index=index, text=text) for index, text in enumerate(("so 7", "so 8"))]
    for listed in (["so 7", "so 8"], [{"text": "so 7"}, {"content": "so 8"}], [{"id": "s1", "text": "so 7"}, "so 8"]):
        assert read_rationales(_lines(tmp_path / "rows.jsonl", {"id": "q1", "question": "3 + 4?", name: listed})) == two
    alone = {name: [{"question_id": "q1", "text": "so 7"}, {"question_id": "q2", "text": "so 7"}]}
    found = read_rationales(_lines(tmp_path / "rows.jsonl", alone))
    assert found == [BARE, replace(BARE, question_id="q2")]


def test_rows_with_an_id_of_their_own_are_samples_of_one_question(tmp_path: Path) -> None:
    def names(*rows: dict[str, object]) -> list[str]:
        return [one.question_id for one in read_rationales(_lines(tmp_path / "rows.jsonl", *rows))]

    asked, other = {"question": "3 + 4?", "text": "so 7"}, {"question": "1 + 1?", "text": "so 2"}
    assert names({"id": 1, **asked}, {"id": 2, **asked}, {"id": 3, **other}) == ["3 + 4?", "3 + 4?", "3"]
    assert names({"id": "a", **asked}, {"id": "a", **asked}, {"id": "b", **asked}) == ["a", "a", "b"]
    lists = [{"id": name, "question": "3 + 4?", "samples": ["so 7"]} for name in "ab"]
    assert names(*lists) == ["a", "b"], "two questions of one text, each with its samples"
    apples = [{"ID": n, "Body": f"Ann has {n}.", "Question": "How many?", "text": "so 7"} for n in (5, 6)]
    assert names(*apples) == ["5", "6"]
    given = [{"question_id": f"q{n}", "id": n, **asked} for n in (1, 2)]
    assert names(*given) == ["q1", "q2"]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("wrong", "wrong"), ("correct", None), ("incorrect", None), (True, None), (["right"], None), (None, None)],
)
def test_a_verdict_is_ours_alone(tmp_path: Path, said: object, verdict: str | None) -> None:
    row = {"question": "3 + 4?", "samples": [{"text": "so 7", "verdict": said}]}
    assert [one.verdict for one in read_rationales(_lines(tmp_path / "rows.jsonl", row))] == [verdict]


@pytest.mark.parametrize(
    ("content", "message"),
    [("[]", "it has no rows"), ('{"id": "q", "samples": []}', "no row holds a sample")],
)
def test_a_file_without_rationales_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "rows.json").write_text(content)
    with pytest.raises(AurifyError, match=f"rows.json: no rationales here: {message}$"):
        read_rationales(tmp_path / "rows.json")
    (tmp_path / "rows.jsonl").write_text("")
    with pytest.raises(AurifyError, match="it has no rows"):
        read_rationales(tmp_path / "rows.jsonl")


def test_parquet_gzip_and_csv(tmp_path: Path) -> None:
    pq.write_table(to_table([BARE, FULL]).select(["question_id", "text"]), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"question_id": "q1", "text": "so 7"}\n' * 2))
    (tmp_path / "c.csv").write_text("question_id,text,logprob,seed\nq1,so 7,,\nq1,so 7,,\n")
    for name in ("a.parquet", "b.jsonl.gz", "c.csv"):
        assert read_rationales(tmp_path / name) == [BARE, BARE]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "so 7"}, "rows.jsonl:2: no question: expected a field named question_id, id"),
        ({"question_id": "q1"}, ": expected its text, in a field named rationale, solution, text"),
        (
            {"question_id": "q1", "text": "x", "token_ids": [1], "verdict": "good"},
            "rows.jsonl:2: verdict 'good': input should be 'right'",
        ),
        ({"question_id": "q1", "text": "x", "step": 1.5}, "rows.jsonl:2: step 1.5: input should be a valid integer"),
        ({"question_id": "q1", "text": "x", "token_ids": ["a"]}, "rows.jsonl:2: token_ids 'a': input should be"),
        ({"question_id": "q1", "samples": [3]}, "rows.jsonl:2: a sample in 'samples' 3: expected its text"),
        ({"samples": ["x"]}, "rows.jsonl:2: no question: expected a field named question_id, id"),
        (
            {"question_id": "q1", "samples": [{"a": 1}]},
            "rows.jsonl:2: a sample in 'samples' {'a': 1}: expected its text",
        ),
        ({"question_id": "q1", "text": "x", "predicted": ["4"]}, "rows.jsonl:2: predicted ['4']: input should be"),
        ([1], "rows.jsonl:2: expected a JSON object"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: object, message: str) -> None:
    file = _lines(tmp_path / "rows.jsonl", {"question_id": "q1", "text": "so 7"}, row)
    with pytest.raises(AurifyError) as caught:
        read_rationales(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_of_files_of_others_is_read_in_its_order(tmp_path: Path) -> None:
    """As verl writes one a step: 2.jsonl comes before 10.jsonl."""
    for step in (10, 2):
        _lines(tmp_path / f"{step}.jsonl", {"input": "3 + 4?", "output": f"so {step}", "gts": "7", "score": 0.0})
    found = read_rationales(tmp_path)
    assert [(one.question_id, one.text) for one in found] == [("3 + 4?", "so 2"), ("3 + 4?", "so 10")]
    _lines(tmp_path / "3.jsonl", {"text": "so 7"})
    with pytest.raises(AurifyError, match=r"3\.jsonl:1: no question"):
        read_rationales(tmp_path)
    (tmp_path / "rationales").mkdir()  # a run's folder, of which nothing else counts
    with pytest.raises(AurifyError, match="expected a run's folder"):
        read_rationales(tmp_path)


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AurifyError, match="no such file or folder"):
        read_rationales(tmp_path / "absent")
    with pytest.raises(AurifyError, match="no rationales here"):
        read_rationales(tmp_path)


def test_a_published_teachers_samples(shared_data: Path) -> None:
    rationales = read_rationales(shared_data / "math_teacher" / "gpt-4.jsonl.gz")
    assert len(rationales) == 60_000
    assert set(Counter(rationale.question_id for rationale in rationales).values()) == {8}
    assert rationales[9].question_id == "math-train-0001"
    assert (rationales[9].sample_index, rationales[9].source, rationales[9].verdict) == (1, "teacher", None)
