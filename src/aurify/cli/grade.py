"""``aurify grade``: rows {gold, pred} in, the same rows with {verdict, reason} out."""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.cli.options import add_command
from aurify.errors import AurifyError, nearest
from aurify.files import atomic_writer, part_of
from aurify.registry import Registry
from aurify.settings import Settings

if TYPE_CHECKING:
    from aurify.answers import Grade
    from aurify.questions.record import Question
    from aurify.questions.rows import BadRow, Row

BATCH = 256
"""Rows that are graded at a time: equal ones once, mathematics in parallel."""


class GradeSettings(Settings):
    """What ``aurify grade`` takes."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"answers": ANSWER_TYPES}

    file: str = Field(
        description="Rows with the fields gold and pred: JSON Lines, JSON, CSV or Parquet, gzipped too; "
        "- reads JSON Lines from standard input."
    )
    answers: str | None = Field(None, description=ANSWERS_HELP)
    out: Path | None = Field(None, description="The file to write, instead of standard output; gzipped as .gz.")
    timeout: float = Field(5.0, gt=0, le=86400, description="Seconds that one comparison may take.")
    memory_mb: int = Field(1024, ge=256, description="Memory of a worker that compares mathematics, in MiB.")
    workers: int = Field(1, ge=1, le=256, description="Worker processes that compare mathematics.")
    skip_bad: bool = Field(False, description="Leave malformed rows out instead of stopping at the first.")


@dataclass(frozen=True)
class _Item:
    """One row as JSON, and what is to be graded of it."""

    row: str
    pred: str
    question: Question
    truncated: bool


def run(settings: GradeSettings) -> None:
    """Compare predictions with gold answers, each verdict with its reason.

    Each row of FILE has the fields gold and pred (a bare answer, or a whole rationale that states it). It is written
    with two more, in the order given: verdict (right, wrong, unparsable, truncated, timeout) and reason. A row whose
    finish_reason is "length", or whose truncated is true, is truncated. A field question with lines "(A) text" lets
    a choice be named by its text.
    """
    from aurify.answers.grader import grader_of

    counts: Counter[str] = Counter()
    rows: Iterable[Row | BadRow] = _read(settings.file)
    kind = settings.answers
    with grader_of(
        settings, timeout=settings.timeout, memory_mb=settings.memory_mb, workers=settings.workers
    ) as grader:
        if kind is None:
            rows = list(rows)
            kind = _infer(rows)
        grader.kind(kind)
        with _output(settings.out, counts) as out:
            for batch in _batches(_items(rows, kind, settings.skip_bad, counts)):
                grades = grader.grade_all([(item.pred, item.question, item.truncated) for item in batch])
                for item, grade in zip(batch, grades, strict=True):
                    counts[str(grade.verdict)] += 1
                    out.write(_line(item, grade))
                out.flush()
    sys.stderr.write(_summary(counts, kind))


def _read(file: str) -> Iterator[Row | BadRow]:
    from aurify.questions.files import data_files, read_rows
    from aurify.questions.json_rows import json_lines

    if file == "-":
        yield from json_lines(sys.stdin.buffer, "standard input")
        return
    for path in data_files(Path(file)):
        yield from read_rows(path)


def _infer(rows: Iterable[Row | BadRow]) -> str:
    from aurify.questions import infer_answer_type
    from aurify.questions.gold import as_text
    from aurify.questions.rows import RowError

    golds, questions = [], []
    for row in rows:
        fields = getattr(row, "fields", {})
        try:
            golds.append(as_text(fields.get("gold"), "gold"))
        except RowError:
            continue
        questions.append(_question_text(fields))
    kind = infer_answer_type(golds, questions)
    sys.stderr.write(f"answer type: {kind} (inferred from the gold answers; --answers says otherwise)\n")
    return kind


def _items(rows: Iterable[Row | BadRow], kind: str, skip_bad: bool, counts: Counter[str]) -> Iterator[_Item]:
    from aurify.questions.rows import BadRow, RowError

    for row in rows:
        try:
            if isinstance(row, BadRow):
                raise RowError(row.reason)
            yield _item(row.fields, kind)
        except RowError as error:
            if not skip_bad:
                raise AurifyError(f"{row.where}: {error} (--skip-bad leaves such rows out)") from None
            counts["skipped"] += 1


def _item(fields: dict[str, Any], kind: str) -> _Item:
    """What is to be graded of one row.

    Raises:
        RowError: a field is missing or is no plain value.
    """
    from aurify.answers import answer_type
    from aurify.questions.gold import as_text
    from aurify.questions.record import Question
    from aurify.questions.rows import RowError

    judging = not answer_type(kind).compares
    for name in ("pred",) if judging else ("gold", "pred"):
        if name not in fields:
            raise RowError(f"has no field '{name}': {nearest(name, fields) if fields else 'it is empty'}")
    pred = fields["pred"] if fields["pred"] is not None else ""  # null: nothing was predicted
    if not isinstance(pred, str):
        pred = as_text(pred, "pred")
    columns = {key: value for key, value in fields.items() if key != "pred"}
    told = fields.get("gold")
    gold = "" if judging and not isinstance(told, str | int | float) else as_text(told, "gold")
    if lack := _lack(kind, columns, gold):
        raise RowError(lack)
    question = Question(
        id="",
        text=_question_text(fields),
        answer=gold,
        answer_type=kind,
        columns=json.dumps(columns, default=str) if judging else "",
    )
    truncated = fields.get("truncated") is True or fields.get("finish_reason") == "length"
    kept = {key: value for key, value in fields.items() if key not in ("verdict", "reason", "score")}
    try:
        row = json.dumps(kept, allow_nan=False, default=str)
    except ValueError:
        raise RowError("holds a number that is not finite, which JSON cannot") from None
    return _Item(row, pred, question, truncated)


def _lack(kind: str, columns: Mapping[str, Any], gold: str) -> str | None:
    from aurify.answers import Judging, answer_type

    found = answer_type(kind)
    return found.lacks(columns, gold) if isinstance(found, Judging) else None


def _question_text(fields: dict[str, Any]) -> str:
    return next((fields[name] for name in ("question", "text", "prompt") if isinstance(fields.get(name), str)), "")


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    """The items by ``BATCH``; those before an error come out before it does."""
    batch: list[_Item] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except AurifyError:
        yield batch
        raise
    yield batch


def _line(item: _Item, grade: Grade) -> bytes:
    """The row with its verdict, in ASCII: no reader then splits it at a U+2028 or stumbles over a lone surrogate."""
    scored = {} if grade.score is None else {"score": grade.score}
    added = json.dumps({"verdict": str(grade.verdict), "reason": grade.reason, **scored})
    return f"{item.row[:-1]}, {added[1:]}\n".encode("ascii")


@contextmanager
def _output(path: Path | None, counts: Counter[str]) -> Iterator[IO[bytes]]:
    """Standard output, or the file ``path``, which appears whole when the block ends well.

    Where it ends otherwise, what is graded stays beside it, in its part.
    """
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        with atomic_writer(path, keep=True) as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                    yield packed  # type: ignore[misc]  # a GzipFile writes bytes as any file does
            else:
                yield file
    except (AurifyError, KeyboardInterrupt) as error:
        part = part_of(path)
        n = sum(count for word, count in counts.items() if word != "skipped")
        if n == 0:
            part.unlink(missing_ok=True)
            raise
        what = str(error) or "interrupted"
        where = part if part.exists() else path
        raise AurifyError(f"{what}; what was graded before, {n} rows, is in {where}") from None


def _summary(counts: Counter[str], kind: str) -> str:
    total = sum(count for word, count in counts.items() if word != "skipped")
    words = ("right", "wrong", "unparsable", "truncated", "timeout", "left-out")
    verdicts = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    skipped = f"; {counts['skipped']} malformed rows left out" if counts["skipped"] else ""
    judged = total - counts["left-out"]
    share = f" ({counts['right'] / judged:.1%} right)" if judged else ""
    return f"graded {total} rows as {kind}: {verdicts or 'nothing to grade'}{share}{skipped}\n"


register = partial(add_command, name="grade", kind=GradeSettings, run=run, positional="file")
