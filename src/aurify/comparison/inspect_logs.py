"""Logs of inspect (https://inspect.aisi.org.uk): a sample a question, with the value that each scorer gave it.

A log is JSON, or a zip archive (``.eval``) with a JSON file a sample. Values are ``C`` (correct), ``I`` (incorrect),
``P`` (partial), ``N`` (no answer), truth values or numbers.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.parsing import parse_json
from aurify.questions.rows import Row

LETTER_SCORES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""What inspect's own metrics take a letter for."""


def inspect_rows(path: Path) -> list[Row] | None:
    """A row a sample: ``id``, each scorer's value under its name, and ``metrics``, their names; None of another file.

    Raises:
        AurifyError: the log is damaged, has no sample, or a sample has no score.
        OSError: it cannot be read.
    """
    samples = _archived(path) if path.suffix == ".eval" else _written(path)
    if samples is None:
        return None
    if not samples:
        raise AurifyError(f"{path}: an inspect log without samples")
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


def _archived(path: Path) -> list[Mapping[str, Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(
                name for name in archive.namelist() if name.startswith("samples/") and name.endswith(".json")
            )
            return [_object(archive.read(name).decode("utf-8"), f"{path}: {name}") for name in names]
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:  # NotImplementedError: packed oddly
        hint = "; `inspect log convert --to json` writes it again"
        raise AurifyError(f"{path}: cannot be read as an inspect log: {error}{hint}") from None


def _written(path: Path) -> list[Mapping[str, Any]] | None:
    """The samples of a JSON log; None where the file is none."""
    if path.suffix != ".json":
        return None
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError):
        return None
    if not isinstance(content, Mapping) or not isinstance(content.get("eval"), Mapping) or "status" not in content:
        return None
    samples = content.get("samples") or []
    if not isinstance(samples, list) or not all(isinstance(sample, Mapping) for sample in samples):
        raise AurifyError(f"{path}: an inspect log whose samples are no objects")
    return samples


def _object(text: str, where: str) -> Mapping[str, Any]:
    try:
        content = parse_json(text)
    except ValueError as error:
        raise AurifyError(f"{where}: not JSON: {error}") from None
    if not isinstance(content, Mapping):
        raise AurifyError(f"{where}: expected an object")
    return content
