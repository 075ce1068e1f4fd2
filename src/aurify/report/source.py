"""What a report is made from: a run's folder, finished or not, read without loading any model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.parsing import read_toml
from aurify.questions.record import Question
from aurify.rationales import Rationale, RationaleTable
from aurify.running.asked import AskedQuestion, read_asked
from aurify.running.folder import RunFolder
from aurify.running.metrics import MetricsLog

MOST_SHOWN = 200_000
"""Rationales of the training that a report shows; of a run with more it shows evenly chosen questions."""

_APART = 2**40
"""More than there are rows."""
_WITHOUT_IDS = ("text", "predicted", "verdict", "reason", "source", "model", "step", "sample_index", "seed",
                "finish_reason", "logprob", "question_id", "move", "cut")  # fmt: skip


@dataclass(frozen=True)
class TableRows:
    """The rows of a rationale table, in its order.

    A row's ``token_ids`` are a range: as many as it has, beginning with its number, and none is another row's. The
    texts are what a report shows, and of 100,000 rationales the ids alone would take a gigabyte.
    """

    rows: list[Rationale] = field(default_factory=list)
    n_tokens: list[int] = field(default_factory=list)
    """How many tokens each row has; 0 where only its text is known."""

    def number(self, row: Rationale) -> int:
        """The place of one of these rows."""
        return row.token_ids[0]


@dataclass(frozen=True)
class RunSource:
    """A run as its folder tells it."""

    folder: Path
    config: dict[str, Any]
    lines: list[dict[str, Any]]
    """Of metrics.jsonl."""
    asked: list[AskedQuestion]
    drawn: TableRows
    """The run's table: everything that was drawn, or given, to learn from."""
    held_out: TableRows
    """The greedy rationales of the evaluations."""
    left_out: int = 0
    """Questions that were trained on and are not shown, since the run has more than ``MOST_SHOWN`` rationales."""

    @property
    def finished(self) -> bool:
        """Whether the model has been written."""
        return (self.folder / "model").is_dir()

    @property
    def method(self) -> str:
        return str(self.config.get("method", self.folder.name))

    def evaluations(self) -> dict[int, dict[str, Rationale]]:
        """By step, the greedy rationale of each held-out question."""
        found: dict[int, dict[str, Rationale]] = defaultdict(dict)
        for row in self.held_out.rows:
            found[row.step][row.question_id] = row
        return dict(sorted(found.items()))


def read_run(folder: str | Path) -> RunSource:
    """Read a run's folder, as far as the run has come.

    Raises:
        AurifyError: it is no run's folder, or a file in it is damaged.
    """
    run = RunFolder(folder)
    if not run.path.is_dir():
        raise AurifyError(f"{folder}: no such folder; name the folder of a run (--out of aurify train or distill)")
    if not run.config.is_file():
        raise AurifyError(f"{folder}: no config.toml there: not the folder of a run")
    config = read_toml(run.config)
    shown = _shown(run.rationales)
    drawn, held_out = _written(run.rationales, shown), _written(run.held_out)
    lines = [line for line in MetricsLog(run.metrics).read() if isinstance(line.get("step"), int)]
    asked = _all_asked(run.questions, drawn, held_out)
    kept = asked if shown is None else [one for one in asked if one.part != "trained" or one.question.id in shown]
    return RunSource(run.path, config, lines, kept, drawn, held_out, len(asked) - len(kept))


def _shown(folder: Path) -> set[str] | None:
    """The questions of a table that are shown, evenly chosen in the order in which they come; None: all."""
    counts = Counter[str]()
    for table in RationaleTable(folder).batches(["question_id"]):
        counts.update(table.column("question_id").to_pylist())
    if counts.total() <= MOST_SHOWN:
        return None
    ids = list(counts)
    chosen, rows = ids[:: -(-counts.total() // MOST_SHOWN)], 0
    return {key for key in chosen if (rows := rows + counts[key]) <= MOST_SHOWN}


def _written(folder: Path, shown: set[str] | None = None) -> TableRows:
    found, only = TableRows(), None if shown is None else pa.array(sorted(shown))
    verdicts: dict[str | None, Verdict | None] = {None: None, **{verdict.value: verdict for verdict in Verdict}}
    for batch in RationaleTable(folder).batches([*_WITHOUT_IDS, "token_ids"]):
        table = batch if only is None else batch.filter(pc.is_in(batch["question_id"], value_set=only))
        found.n_tokens.extend(table.column("token_ids").combine_chunks().value_lengths().to_pylist())
        columns = {name: table.column(name).to_pylist() for name in _WITHOUT_IDS}
        columns["verdict"] = [verdicts[verdict] for verdict in columns["verdict"]]
        start = len(found.rows)
        columns["token_ids"] = [_numbered(start + at, found.n_tokens[start + at]) for at in range(len(table))]
        found.rows.extend(_records(columns, len(table)))
    return found


def _numbered(number: int, n_tokens: int) -> range:
    """As many numbers as a row has tokens, at least one; those of other rows are others."""
    return range(number, number + max(n_tokens, 1) * _APART, _APART)


def _records(columns: dict[str, list[Any]], n: int) -> Iterator[Rationale]:
    """A record a row. As ``Rationale(**row)``, which takes ten times as long, of 100,000 rows seconds."""
    columns |= {key.name: [key.default] * n for key in fields(Rationale) if key.name not in columns}
    names = list(columns)
    for values in zip(*columns.values(), strict=True):
        one = object.__new__(Rationale)
        one.__dict__.update(zip(names, values, strict=True))
        yield one


def _all_asked(path: Path, drawn: TableRows, held_out: TableRows) -> list[AskedQuestion]:
    """The run's questions; those of an older run, which kept none, by their ids alone."""
    asked = read_asked(path)
    known = {one.question.id for one in asked}
    return asked + list(_nameless(held_out.rows, "held out", known)) + list(_nameless(drawn.rows, "trained", known))


def _nameless(rows: Sequence[Rationale], part: Any, known: set[str]) -> Iterator[AskedQuestion]:
    for row in rows:
        if row.question_id not in known:
            known.add(row.question_id)
            yield AskedQuestion(Question(row.question_id, row.question_id, "", ""), part)
