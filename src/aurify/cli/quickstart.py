"""aurify quickstart: the whole thing on the embedded model, in a few minutes and with nothing to download."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from aurify.cli.options import add_command
from aurify.errors import UsageError
from aurify.garbage import no_collections
from aurify.settings import Settings

if TYPE_CHECKING:
    from aurify.questions import Question
    from aurify.running.context import Run

QUICKSTART_TASKS = ("object_counting", "web_of_lies", "boolean_expressions")
TRAINED, HELD_OUT = 120, 50
"""Questions a task."""


class QuickstartSettings(Settings):
    """Settings of ``aurify quickstart``."""

    out: str | None = Field(None, description="The folder of the run [runs/quickstart, or the next free one]")
    steps: int = Field(30, ge=1, description="Optimiser steps.")
    seed: int = Field(0, ge=0, description="The seed of the questions and of the run.")


def run(settings: QuickstartSettings) -> None:
    """Teach the embedded model to reason from generated questions and their answers alone; a minute or two."""
    with no_collections():
        from aurify.report.make import tell_report
        from aurify.running.folder import free_folder
        from aurify.running.progress import TerminalWatcher
        from aurify.training.run import run_training
        from aurify.training.settings import TrainSettings

    out = Path(settings.out) if settings.out else free_folder(Path("runs/quickstart"))
    data = out.with_name(out.name + "-questions")
    train, held_out = _write_questions(data if settings.out else free_folder(data), settings.seed)
    words = TrainSettings(
        method="trice", model="nugget", data=str(train), eval_data=str(held_out), out=str(out), steps=settings.steps,
        seed=settings.seed,
    )  # fmt: skip
    with TerminalWatcher() as watcher:
        watcher.say(
            f"TRICE on the embedded model: {', '.join(QUICKSTART_TASKS)}; questions and answers only, no rationales"
        )
        result = run_training(words, watcher=watcher)
    _show(result, held_out, train)
    tell_report([result.out], print)


register = partial(add_command, name="quickstart", kind=QuickstartSettings, run=run)


def _write_questions(folder: Path, seed: int) -> tuple[Path, Path]:
    """Question files to train on and to measure on; no question stands in both."""
    from aurify.nugget import different, json_line

    if folder.exists():
        raise UsageError(f"{folder}: already there: choose another --out")
    folder.mkdir(parents=True)
    paths = folder / "train.jsonl", folder / "held_out.jsonl"
    rows: tuple[list[str], list[str]] = ([], [])
    for task in QUICKSTART_TASKS:
        for index, question in enumerate(different(task, TRAINED + HELD_OUT, seed)):
            rows[index >= TRAINED].append(json_line(question))
    for path, lines in zip(paths, rows, strict=True):
        path.write_text("".join(lines), encoding="utf-8")
    return paths


def _show(result: Run, held_out: Path, train: Path) -> None:
    from aurify.questions import load_questions
    from aurify.rationales import read_rationales
    from aurify.text import printable

    questions = {question.id: question for question in load_questions(held_out)}
    rows = read_rationales(result.out / "held_out")
    before = {row.question_id: row for row in rows if row.step == 0}
    after = {row.question_id: row for row in rows if row.step > 0}
    write = sys.stdout.write
    for question in _telling(list(questions.values()), [q for q in after if after[q].right and not before[q].right]):
        write(f"\n{printable(question.text)}   [the answer is {printable(question.answer)}]\n")
        for name, row in (("before", before[question.id]), ("after", after[question.id])):
            write(
                f"  {name}: {row.verdict}\n    "
                + printable(row.text, newlines=True).strip().replace("\n", "\n    ")
                + "\n"
            )
    write(
        "\n" + "".join(f"{line}\n" for line in result.told()) + "\n"
        f"model       {result.model}   loads with transformers' from_pretrained\n"
        f"rationales  {result.out / 'rationales'}   every proposal, right or wrong (Parquet)\n"
        f"questions   {train}\n\n"
        'next: your own questions, one {"question": ..., "answer": ...} a line\n'
        "  aurify check questions.jsonl\n"
        "  aurify train trice --model MODEL --data questions.jsonl --out runs/mine\n"
    )


def _telling(questions: Sequence[Question], changed: Sequence[str]) -> list[Question]:
    """Three questions, of different tasks where it can be, that were answered wrongly before and rightly after."""
    chosen: dict[str, Question] = {}
    for question in questions:
        if question.id in changed:
            chosen.setdefault(question.task, question)
    rest = [question for question in questions if question not in chosen.values()]
    return [*chosen.values(), *rest][:3]
