"""Samples that somebody else collected, in the forms that such files have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from aurify.collecting.labelled import read_labelled
from aurify.errors import AurifyError


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def run(*rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return run


def flat(path: Path, **options: Any) -> list[tuple[str, str, str, bool | None, str]]:
    """(question's text, gold, sample's text, label, model) of every sample."""
    found = read_labelled(path, **options)
    by_id = {question.id: question for question in found.questions}
    return [
        (by_id[key].text, by_id[key].answer, one.text, one.label, one.model)
        for key, samples in found.samples.items()
        for one in samples
    ]


def test_a_list_of_objects(write: Any) -> None:
    samples = [
        {"rationale": "a", "correct": True},
        {"rationale": "b", "correct": False},
        {"rationale": "c", "correct": None},
    ]
    path = write({"id": "x", "problem": "1+1?", "answer": "2", "samples": samples})
    assert flat(path) == [("1+1?", "2", "a", True, ""), ("1+1?", "2", "b", False, ""), ("1+1?", "2", "c", None, "")]


def test_a_list_of_texts_and_of_labels(write: Any) -> None:
    path = write(
        {"question": "1+1?", "answer": "2", "generated_answer": ["a", "b"], "correct": [True, False], "model": "m"}
    )
    assert flat(path) == [("1+1?", "2", "a", True, "m"), ("1+1?", "2", "b", False, "m")]


def test_an_object_a_model(write: Any) -> None:
    path = write(
        {
            "question": "1+1?",
            "ground_truth": "I add.\nA: 2",
            "small": {"is_correct": False, "solution": "A: 3"},
            "large": {"is_correct": True, "solution": "A: 2"},
        }
    )
    assert flat(path) == [("1+1?", "2", "A: 3", False, "small"), ("1+1?", "2", "A: 2", True, "large")]


def test_a_row_a_sample(write: Any) -> None:
    rows = [
        {"question": "1+1?", "answer": "2", "response": "a", "label": "right"},
        {"question": "2+2?", "answer": "4", "response": "b", "label": 0},
        {"question": "1+1?", "answer": "2", "response": "c", "finish_reason": "length"},
    ]
    path = write(*rows)
    assert flat(path) == [("1+1?", "2", "a", True, ""), ("1+1?", "2", "c", None, ""), ("2+2?", "4", "b", False, "")]
    samples = read_labelled(path).samples
    assert [[one.truncated for one in group] for group in samples.values()] == [[False, True], [False]]


def test_the_questions_of_another_file_by_id_or_by_text(write: Any) -> None:
    data = write(
        {"id": "x", "question": "1 + 1?", "answer": "2"}, {"id": "y", "question": "2+2?", "answer": "4"}, name="q.jsonl"
    )
    path = write(
        {"id": "x", "samples": ["a"]}, {"question": " 2+2?", "samples": ["b"]}, {"question": "3+3?", "samples": ["c"]}
    )
    found = read_labelled(path, data=str(data))
    assert {key: [one.text for one in samples] for key, samples in found.samples.items()} == {"x": ["a"], "y": ["b"]}
    assert found.unknown == [f"{path}:3"]


def test_row_numbers_are_no_ids_of_another_files_questions(write: Any) -> None:
    """The one file counts from 0, the other from 1."""
    asked = {"2+2?": "4", "3+3?": "6", "4+4?": "8"}
    data = write(*({"id": n, "question": q, "answer": a} for n, (q, a) in enumerate(asked.items())), name="q.jsonl")
    path = write(*({"id": n, "question": q, "completion": a} for n, (q, a) in enumerate(asked.items(), start=1)))
    assert flat(path, data=str(data)) == [(q, a, a, None, "") for q, a in asked.items()]
    path = write({"id": 1, "completion": "6"}, {"id": 2, "prompt": "Please: 4+4?", "response": "8"})
    assert flat(path, data=str(data)) == [("3+3?", "6", "6", None, ""), ("4+4?", "8", "8", None, "")]


def test_the_files_of_a_folder_are_one(write: Any, tmp_path: Path) -> None:
    """As lm-evaluation-harness writes a file a task, with documents numbered from 0 in each."""
    for task, number in (("a", 1), ("b", 2)):
        doc = {"question": f"{number}+{number}?", "answer": str(2 * number)}
        row = {"doc_id": 0, "doc": doc, "target": doc["answer"], "resps": [[f"So {task}."]], "exact_match": 1.0}
        write(row, name=f"samples_{task}_2026.jsonl")
    write({"results": {}}, name="results_2026.json")
    both = [("1+1?", "2", "So a.", True, ""), ("2+2?", "4", "So b.", True, "")]
    assert flat(tmp_path) == both
    one = write({"question": "2+2?", "answer": "4"}, name="q.jsonl")
    found = read_labelled(tmp_path, data=str(one))
    assert [[sample.text for sample in samples] for samples in found.samples.values()] == [["So b."]]
    assert len(found.unknown) == 1


def test_samples_are_not_their_own_gold_answers(write: Any) -> None:
    trl = write({"prompt": "1+1?", "completion": "The answer is 2."}, name="trl.jsonl")
    with pytest.raises(AurifyError, match="no answer: expected a field named"):
        read_labelled(trl)
    path = write({"question": "1+1?", "response": "The answer is 2."}, {"question": "1+1?", "response": "It is 3."})
    with pytest.raises(AurifyError, match="no answers to judge them by: name some with --data"):
        read_labelled(path)
    data = write({"question": "1+1?", "answer": "2"}, name="q.jsonl")
    assert [one.text for one in next(iter(read_labelled(path, data=str(data)).samples.values()))] == [
        "The answer is 2.", "It is 3.",
    ]  # fmt: skip


def test_a_number_that_two_questions_have_is_no_id(write: Any) -> None:
    rows = [{"id": 0, "question": asked, "answer": "2", "response": asked[0]} for asked in ("1+1?", "2+0?", "1+1?")]
    found = read_labelled(write(*rows))
    assert [[one.text for one in samples] for samples in found.samples.values()] == [["1", "1"], ["2"]]


def test_samples_with_an_id_of_their_own_are_of_one_question(write: Any) -> None:
    rows = [{"id": n, "question": "2+2?", "answer": "4", "completion": text} for n, text in enumerate("445")]
    other = {"id": 3, "question": "1+1?", "answer": "2", "completion": "2"}
    four = [("2+2?", "4", text, None, "") for text in "445"]
    assert flat(write(*rows, other)) == [*four, ("1+1?", "2", "2", None, "")]
    told = [{**row, "asked": row["question"], "question": f"Task {row['id']}"} for row in rows]
    assert len(read_labelled(write(*told), question_field="asked").questions) == 1
    lists = [{"id": n, "question": "2+2?", "answer": "4", "samples": [text]} for n, text in enumerate("45")]
    assert list(read_labelled(write(*lists)).samples) == ["0", "1"], "two questions of one text, each with its samples"
    data = write(
        {"id": 1, "question": "1+1?", "answer": "2"}, {"id": 9, "question": "2+2?", "answer": "4"}, name="q.jsonl"
    )
    assert flat(write(*rows), data=str(data)) == four


def test_questions_of_one_stem_and_other_options(write: Any) -> None:
    docs = [
        {"question": "Which is true?", "choices": choices, "answer": place}
        for choices, place in ((["1 = 2", "2 = 2"], 1), (["Ice is water", "Ice is fire"], 0))
    ]
    told = ["(B)", "(A)"]
    logged = [{"doc_id": n, "doc": doc, "resps": [[told[n]]]} for n, doc in enumerate(docs)]
    plain = [{**doc, "samples": [text]} for doc, text in zip(docs, told, strict=True)]
    expected = [
        ("Which is true?\nOptions:\n(A) 1 = 2\n(B) 2 = 2", "(B)", "(B)", None, ""),
        ("Which is true?\nOptions:\n(A) Ice is water\n(B) Ice is fire", "(A)", "(A)", None, ""),
    ]
    assert flat(write(*logged)) == expected
    assert flat(write(*plain)) == expected
    data = write(*docs, name="q.jsonl")
    assert flat(write(*plain), data=str(data)) == expected


def test_gzip_and_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    good, null = (
        {"id": "a", "question": "q", "answer": "1", "samples": ["x"]},
        {"id": "b", "question": "p", "answer": None},
    )
    odd = {"id": "c", "question": "r", "answer": "2", "samples": [3]}
    path.write_bytes(
        gzip.compress("".join(json.dumps(row) + "\n" for row in (good, {**null, "samples": ["y"]}, odd)).encode())
    )
    with pytest.raises(AurifyError, match=r"rows\.jsonl\.gz:2: 'answer' is null"):
        read_labelled(path)
    found = read_labelled(path, skip_bad=True)
    assert list(found.samples) == ["a", "c"] or list(found.samples) == ["a"]
    assert [where.rpartition(":")[2] for where, _ in found.questions.skipped] == ["2", "3"]
    assert found.unknown == []


def test_no_samples(write: Any) -> None:
    with pytest.raises(AurifyError, match=r"rows\.jsonl:1: a sample .*expected its text, in a field named rationale"):
        read_labelled(write({"question": "1+1?", "answer": "2", "solution": "the gold one"}))
    data = write({"id": "x", "question": "1+1?", "answer": "2"}, name="q.jsonl")
    with pytest.raises(AurifyError, match="none of the 1 rows is on a question of"):
        read_labelled(write({"id": "z", "samples": ["a"]}), data=str(data))
