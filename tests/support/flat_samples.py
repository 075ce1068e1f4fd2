"""What ``read_labelled`` reads of rows, flat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aurify.collecting.labelled import read_labelled

Flat = list[tuple[str, str, str, "bool | None", bool, str]]


def flat(folder: Path, *rows: dict[str, Any], **options: Any) -> Flat:
    """(question, gold, text, label, truncated, model) of every sample."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return flat_file(folder / "rows.jsonl", **options)


def flat_file(path: Path, **options: Any) -> Flat:
    """The same of a file."""
    found = read_labelled(path, **options)
    by_id = {question.id: question for question in found.questions}
    return [
        (by_id[key].text, by_id[key].answer, one.text, one.label, one.truncated, one.model)
        for key, samples in found.samples.items()
        for one in samples
    ]
