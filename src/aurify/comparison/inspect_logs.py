"""Logs of inspect as verdicts: a sample a question, with the value that each scorer gave it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.questions.rows import Row
from aurify.rationales.inspect_logs import RIGHT, WRONG, inspect_samples

LETTER_SCORES = {RIGHT: 1.0, "P": 0.5, WRONG: 0.0, "N": 0.0}
"""What inspect's own metrics take a letter for."""


def inspect_rows(path: Path) -> list[Row] | None:
    """A row a sample: ``id``, each scorer's value under its name, and ``metrics``, their names; None of another file.

    Raises:
        AurifyError: the log is damaged, has no sample, or a sample has no score.
        OSError: it cannot be read.
    """
    samples = inspect_samples(path)
    if samples is None:
        return None
    rows = []
    for number, sample in enumerate(samples, 1):
        scores = sample.get("scores")
        if not isinstance(scores, Mapping) or not scores or "id" not in sample:
            told = ": it ended in an error" if sample.get("error") else ""
            raise AurifyError(f"{path}:{number}: a sample of an inspect log without id or score{told}")
        values = {str(name): _value(score) for name, score in scores.items()}
        rows.append(Row(str(path), number, {**values, "id": sample["id"], "metrics": list(values)}))
    return rows


def _value(score: Any) -> Any:
    value = score.get("value") if isinstance(score, Mapping) else score
    return LETTER_SCORES.get(value, value) if isinstance(value, str) else value
