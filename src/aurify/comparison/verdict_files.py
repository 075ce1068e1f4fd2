"""Verdicts a question from any file: our own, lm-eval's logged samples, inspect's logs, TRL's completions.

A row names its question and holds a score: a truth value, or a number. Rows of one question (several samples, several
completions of a prompt) count as one question with their mean.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aurify.comparison.inspect_logs import inspect_rows
from aurify.comparison.runs import FinishedRun
from aurify.errors import AurifyError, UsageError, nearest
from aurify.questions.fields import ID_FIELDS
from aurify.questions.files import read_rows
from aurify.questions.rows import BadRow, Row, json_type, show

QUESTION_ID_FIELDS = ("question_id", *ID_FIELDS, "doc_id", "idx", "index")
"""What names a question, the first that a row has; lm-eval's is ``doc_id``."""

SCORE_FIELDS = ("right", "correct", "is_correct", "score", "verdict", "credit", "exact_match", "acc", "reward")
"""What holds the score where nothing else says it: of these a row may have only one."""

VERDICTS = {"right": 1.0, "correct": 1.0, "true": 1.0, "wrong": 0.0, "incorrect": 0.0, "false": 0.0, "unparsable": 0.0}
"""Verdicts in words; ``verdict`` is what ``aurify grade`` and the rationale table write."""

_NO_REWARD = frozenset({"step", "advantage", "advantages"})
"""Numbers in TRL's tables that are no reward."""


def read_verdicts(path: Path, score: str | None, say: Callable[[str], None] = lambda text: None) -> FinishedRun:
    """Each question's score in a file, by id.

    Args:
        score: the field of the score, where a file has several; of lm-eval, METRIC or METRIC,FILTER.
        say: is told what is odd but allowed.

    Raises:
        UsageError: the file has several fields or filters that could be meant.
        AurifyError: the file cannot be read, or a row has no question or no score.
    """
    try:
        rows: Sequence[Row | BadRow] = inspect_rows(path) or list(read_rows(path))
    except OSError as error:
        raise AurifyError(f"{path}: {error.strerror or error}") from None
    if not rows:
        raise AurifyError(f"{path}: no row in it")
    for row in rows:
        if isinstance(row, BadRow):
            raise AurifyError(f"{row.where}: {row.reason}")
    known = [row for row in rows if isinstance(row, Row) and row.fields.get("verdict") != "left-out"]
    if not known:
        raise AurifyError(f"{path}: all its rows were left out by who judged them")
    metric, _, wanted = (score or "").partition(",")
    known = _of_one_filter(path, known, wanted)
    first = known[0].fields
    completions = "completion" in first and "prompt" in first
    metrics = first.get("metrics")
    field = _field(path, first, metric, metrics if isinstance(metrics, list) else None, completions)
    scores: dict[str, list[float]] = {}
    judged = [row for row in known if not (completions and _is_nothing(row.fields.get(field)))]
    if len(judged) < len(known):
        say(f"{path}: {len(known) - len(judged)} of {len(known)} rows have no {field}, and are left out")
        known = judged
    if not known:
        raise AurifyError(f"{path}: no row holds any {field}")
    for row in known:
        scores.setdefault(_question(row, completions), []).append(_score(row, field))
    if len(steps := {row.fields.get("step") for row in known}) > 1 and completions:
        say(f"{path}: completions of {len(steps)} steps: the model changed from one to the next")
    if len(scores) < len(known):
        say(f"{path}: {len(known)} rows on {len(scores)} questions: a question counts with the mean of its rows")
    return FinishedRun(path, {question: sum(found) / len(found) for question, found in scores.items()})


def name_files(paths: Sequence[Path]) -> list[str]:
    """A name for each file: its own without its ending, where no other has the same; else its path."""
    names = [path.name.removesuffix(".gz").rpartition(".")[0] or path.name for path in paths]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]


def _of_one_filter(path: Path, rows: Sequence[Row], wanted: str) -> list[Row]:
    """The rows of one of lm-eval's filters, each of which logs every question again."""
    names = sorted({row.fields["filter"] for row in rows if isinstance(row.fields.get("filter"), str)})
    if not wanted:
        if len(names) < 2:
            return list(rows)
        raise UsageError(
            f"{path}: each question once for each filter, {' and '.join(names)}: say --score METRIC,FILTER"
        )
    if wanted not in names:
        hint = nearest(wanted, names) if names else "the file names no filter"
        raise UsageError(f"--score: {path} has no filter '{wanted}': {hint}")
    return [row for row in rows if row.fields.get("filter") == wanted]


def _field(path: Path, fields: Mapping[str, Any], metric: str, metrics: Sequence[Any] | None, completions: bool) -> str:
    """Which field holds the score."""
    if metric:
        if metric not in fields:
            raise UsageError(f"--score: the rows of {path} have no field '{metric}': {nearest(metric, fields)}")
        return metric
    if metrics is not None:
        found = [str(name) for name in metrics if name in fields]
    elif completions and not any(name in fields for name in SCORE_FIELDS):
        found = [name for name, value in fields.items() if _is_number(value) and name not in _NO_REWARD]
    else:
        found = [name for name in SCORE_FIELDS if name in fields]
        if "credit" in found:  # of aurify vote, whose score is the ranker's opinion
            found = ["credit"]
    if len(found) == 1:
        return found[0]
    if not found:
        raise AurifyError(
            f"{path}: no score in its first row, which has {', '.join(map(show, fields))}: expected one of "
            f"{', '.join(SCORE_FIELDS)}, or --score FIELD"
        )
    raise UsageError(f"{path}: several fields could be the score, {' and '.join(found)}: say which with --score FIELD")


def _question(row: Row, completions: bool) -> str:
    """The question's name: its id, with lm-eval's hash of the document, or the prompt of a table of completions."""
    fields = row.fields
    for name in QUESTION_ID_FIELDS:
        value = fields.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return f"{value} {fields['doc_hash']}" if isinstance(fields.get("doc_hash"), str) else str(value)
    if completions:
        prompt = fields["prompt"]
        return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True, default=str)
    raise AurifyError(f"{row.where}: names no question: expected one of {', '.join(dict.fromkeys(QUESTION_ID_FIELDS))}")


def _score(row: Row, field: str) -> float:
    value = row.fields.get(field)
    if isinstance(value, str) and value.strip().lower() in VERDICTS:
        return VERDICTS[value.strip().lower()]
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    found = json_type(value) if value is None or isinstance(value, (list, dict)) else show(value)
    raise AurifyError(f"{row.where}: {field}: expected a truth value or a number, found {found}")


def _is_nothing(value: object) -> bool:
    """What TRL's tables hold where a reward function gave None."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
