"""lm-eval's rows: one sample told by two filters is one, and samples of one text are as many as were drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flat_samples import flat, flat_file

from aurify.rationales import read_rationales


def told(label: float, word: str = "strict", text: str = "It is 4.", asked: str = "2+2?") -> dict[str, Any]:
    return {
        "doc_id": 0, "doc": {"question": asked, "answer": "4"}, "target": "4", "resps": [[text]], "exact_match": label,
        "filter": word,
    }  # fmt: skip


def labels(folder: Path, *rows: dict[str, Any]) -> list[tuple[str, bool | None]]:
    return [(one[0], one[3]) for one in flat(folder, *rows)]


def test_a_sample_told_by_two_filters_is_one_and_right_if_either_says_so(tmp_path: Path) -> None:
    assert labels(tmp_path, told(0.0), told(1.0, "flexible")) == [("2+2?", True)]
    assert labels(tmp_path, told(0.0), told(0.0, "flexible"), told(1.0, "last")) == [("2+2?", True)]


def test_a_filter_told_twice_is_of_two_samples(tmp_path: Path) -> None:
    rows = [told(0.0), told(1.0, "flexible")]
    assert labels(tmp_path, *rows, *rows) == [("2+2?", True)] * 2
    assert labels(tmp_path, rows[0], rows[0], rows[1], rows[1]) == [("2+2?", True)] * 2
    assert labels(tmp_path, told(0.0, text="It is 5."), *rows) == [("2+2?", False), ("2+2?", True)]


def test_two_tasks_in_one_file_have_samples_of_their_own(tmp_path: Path) -> None:
    rows = [told(0.0), told(1.0, "flexible", asked="1+3?")]
    assert labels(tmp_path, *rows) == [("2+2?", False), ("1+3?", True)]


def test_each_file_of_a_folder_has_samples_of_its_own(tmp_path: Path) -> None:
    """Two tasks, and one task at several seeds."""

    def write(name: str, *rows: dict[str, Any]) -> None:
        (tmp_path / f"samples_{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    write("gsm8k", told(0.0), told(0.0, "flexible"))
    write("svamp", told(1.0, asked="1+3?"))
    assert [(one[0], one[3]) for one in flat_file(tmp_path)] == [("2+2?", False), ("1+3?", True)]
    for seed, answer in enumerate((5, 5, 7)):
        write(f"gsm8k_{seed}", told(0.0, text=f"It is {answer}."), told(0.0, "flexible", f"It is {answer}."))
    read = [one.text for one in read_rationales(tmp_path) if one.question_id == "2+2?"]
    assert read == ["It is 4.", "It is 5.", "It is 5.", "It is 7."]


def test_a_row_with_a_filter_and_a_document_need_not_be_lm_evals(tmp_path: Path) -> None:
    row = {"doc_id": 0, "filter": "none", "question": "2+2?", "answer": "4", "response": "It is 4.", "correct": True}
    assert labels(tmp_path, row, row) == [("2+2?", True)] * 2
