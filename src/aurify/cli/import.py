"""aurify import: a rationale table from samples that somebody else collected, judged by our own verifier.

The module is loaded by its name (``cli/app.py``), since ``import`` is a keyword.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.cli.options import add_command
from aurify.errors import UsageError
from aurify.registry import Registry
from aurify.settings import Settings
from aurify.text import counted, printable

if TYPE_CHECKING:
    from aurify.collecting.agreement import LabelAgreement
    from aurify.collecting.labelled import LabelledFile

DISAGREEMENTS_LISTED = 10
"""Disagreements that are shown; all are in ``disagreements.jsonl``."""

RATIONALES_A_PART = 16384
"""Rationales a file of the table."""


class ImportSettings(Settings):
    """What ``aurify import`` takes."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"answers": ANSWER_TYPES}

    file: str = Field(description="Rows with several samples a question: JSONL, JSON, Parquet or CSV, gzipped too.")
    out: str = Field(description="A new folder: rationales/ (the table), disagreements.jsonl, agreement.json.")
    data: str | None = Field(None, description="The questions, by id or text, where FILE has no gold answers.")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    model: str | None = Field(None, description="Who wrote the samples [the rows' own word, or the file's name]")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    timeout: float = Field(5.0, gt=0, le=86400, description="Seconds that one comparison may take.")
    workers: int = Field(1, ge=1, le=256, description="Worker processes that compare mathematics.")


def run(settings: ImportSettings) -> None:
    """Make a rationale table of samples that somebody else collected, such as a teacher's, each with our verdict.

    Where the file says which samples are right, it is reported where our verifier disagrees.
    """
    from aurify.lock import is_unused, sole_writer

    folder = Path(settings.out)
    with sole_writer(folder):
        if not is_unused(folder):
            raise UsageError(f"--out {folder}: already there and not empty: choose another folder")
        found, agreement, drawn = _imported(settings, folder)
    notes = [f"{len(found.samples)} questions, {drawn} rationales in {folder / 'rationales'}"]
    if found.questions.skipped:
        notes.append(
            f"{len(found.questions.skipped)} rows left out; the first: {': '.join(found.questions.skipped[0])}"
        )
    if found.unknown:
        notes.append(f"{len(found.unknown)} rows on questions not in {settings.data}; the first: {found.unknown[0]}")
    for line in [*notes, *_report(agreement)]:
        sys.stdout.write(printable(line) + "\n")


def _imported(settings: ImportSettings, folder: Path) -> tuple[LabelledFile, LabelAgreement, int]:
    """What the file holds, how its labels agree, and how many rationales were written into the folder."""
    from aurify.answers.grader import grader_of
    from aurify.cli.progress import progress_bar
    from aurify.collecting.agreement import judge_labelled
    from aurify.collecting.labelled import read_labelled
    from aurify.files import write_atomically
    from aurify.rationales import RationaleTable

    found = read_labelled(
        settings.file, data=settings.data, answers=settings.answers, question_field=settings.question_field,
        answer_field=settings.answer_field, skip_bad=settings.skip_bad,
    )  # fmt: skip
    with (
        grader_of(settings, folder, timeout=settings.timeout, workers=settings.workers) as grader,
        progress_bar("judged") as progress,
    ):
        name = settings.model or Path(settings.file).name.removesuffix(".gz").rpartition(".")[0]
        rationales, agreement = judge_labelled(found, grader, model=name, progress=progress)
    table = RationaleTable(folder / "rationales")
    for part, start in enumerate(range(0, len(rationales), RATIONALES_A_PART)):
        table.append(rationales[start : start + RATIONALES_A_PART])
        table.flush(part)
    lines = [json.dumps(one.to_dict()) + "\n" for one in agreement.disagreements]
    write_atomically(folder / "disagreements.jsonl", "".join(lines))
    write_atomically(folder / "agreement.json", json.dumps(agreement.to_dict(), indent=2) + "\n")
    write_atomically(folder / "config.toml", settings.to_toml())
    return found, agreement, len(rationales)


register = partial(add_command, name="import", kind=ImportSettings, run=run, positional="file")


def _report(agreement: LabelAgreement) -> Iterator[str]:
    """The counts a model, and the first disagreements."""
    for model, facts in agreement.to_dict().items():
        yield ""
        yield f"{model}: {facts['n']} rationales, {facts['labelled']} with a label"
        for given, counts in facts["counts"].items():
            if counts:
                title = "without a label" if given == "none" else f"labelled {given}"
                yield f"  {title:<16}{counted(Counter(counts))}"
        if facts["labelled"]:
            yield f"  agreement {100 * facts['agreement']:.2f} % ({facts['agreed']} of {facts['labelled']})"
    if agreement.disagreements:
        yield ""
        yield f"{len(agreement.disagreements)} disagreements in disagreements.jsonl; the first:"
    for one in agreement.disagreements[:DISAGREEMENTS_LISTED]:
        given, rationale = "right" if one.sample.label else "wrong", one.rationale
        predicted = printable(rationale.predicted or "(none)", 40)
        yield (
            f"  {one.sample.where} sample {rationale.sample_index}: labelled {given}, verdict {rationale.verdict}; "
            + (f"gold {printable(one.question.answer, 40)}, found {predicted} ({printable(rationale.reason, 80)})")
        )
