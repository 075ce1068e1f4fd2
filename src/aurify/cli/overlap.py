"""aurify overlap: which questions two models answer rightly, each alone and both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from aurify.cli.numbers import check_target, tell
from aurify.cli.options import add_command
from aurify.cli.tables import text_table
from aurify.errors import AurifyError, UsageError
from aurify.settings import NUMBERS_HELP, Settings

if TYPE_CHECKING:
    from aurify.comparison.overlap import Overlap
    from aurify.rationales import Rationale


class OverlapSettings(Settings):
    """What ``aurify overlap`` takes."""

    tables: tuple[str, ...] = Field(
        min_length=1,
        max_length=2,
        description="The rationales of A and of B: tables, runs, folders of evaluate's --out, or files. One table that "
        "holds both is enough.",
    )
    model_a: str | None = Field(None, description="The model A, where its table holds several.")
    model_b: str | None = Field(None, description="The model B, where its table holds several.")
    right: Literal["any", "first", "most"] = Field(
        "first", description="Of several samples, any must be right, the first, or most (more than half)."
    )
    data: str | None = Field(None, description="The questions, for a row a task (MATH's subjects).")
    level: bool = Field(False, description="A row a level instead of a task.")
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    json_: str | None = Field(None, description=NUMBERS_HELP)


def run(settings: OverlapSettings) -> None:
    """Count the questions that two models answer rightly: each, both, and the intersection over the union (IoU).

    Only questions with rationales of both models count. "by chance" is how many both would answer rightly if the two
    were right independently: the IoU of two good models is high by chance alone.
    """
    check_target(settings.json_)
    from aurify.comparison.overlap import overlap, right_questions
    from aurify.questions import load_questions

    path_a, path_b = settings.tables[0], settings.tables[-1]
    if path_a == path_b and not (settings.model_a and settings.model_b):
        raise UsageError("two tables are needed; or one, and --model-a and --model-b, which are both in it")
    first, second = _read(path_a, settings.model_a), _read(path_b, settings.model_b)
    groups = None
    if settings.data is not None:
        questions = load_questions(
            settings.data,
            question_field=settings.question_field,
            answer_field=settings.answer_field,
            skip_bad=True,
        )
        groups = {one.id: one.level if settings.level else one.task for one in questions}
        groups = {question: name for question, name in groups.items() if name}
    found = overlap(right_questions(first, settings.right), right_questions(second, settings.right), groups)
    if not found["all"].n:
        raise AurifyError(f"{path_a} and {path_b} have no question in common")
    tell({name: one.to_dict() for name, one in found.items()}, _table(found), settings.json_)


register = partial(add_command, name="overlap", kind=OverlapSettings, run=run, positional="tables")


def _read(path: str, model: str | None) -> Sequence[Rationale]:
    from aurify.errors import nearest
    from aurify.rationales import read_rationales

    greedy = Path(path) / "greedy"  # an evaluation's folder
    rationales = read_rationales(greedy if greedy.is_dir() else path)
    if any(one.verdict is None for one in rationales):
        raise AurifyError(f"{path}: holds rationales without a verdict: aurify import gives them one")
    names = sorted({one.model for one in rationales})
    if model is None:
        if len(names) > 1:
            raise UsageError(
                f"{path}: rationales of several models ({', '.join(names)}): say which with --model-a, --model-b"
            )
        return rationales
    if model not in names:
        raise UsageError(f"{path}: no rationales of '{model}': {nearest(model, names)}")
    return [one for one in rationales if one.model == model]


def _table(found: dict[str, Overlap]) -> Iterator[str]:
    rows = [["", "questions", "A right", "B right", "both", "by chance", "IoU"]]
    for name, one in found.items():
        iou = "-" if one.iou is None else f"{one.iou:.3f}"
        rows.append(
            [name or "(no name)", str(one.n), str(one.a), str(one.b), str(one.both), f"{one.expected:.1f}", iou]
        )
    yield from text_table(rows, 40)
