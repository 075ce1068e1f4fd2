"""aurify export: a run's rationales for other trainers, and a run for the Hugging Face hub."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from aurify.answers.types import ANSWERS_HELP
from aurify.cli.numbers import check_target
from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.errors import UsageError
from aurify.settings import Settings

if TYPE_CHECKING:
    from aurify.questions import Question


class ExportSettings(Settings):
    """What ``aurify export`` takes."""

    run: str = Field(description="A run's folder, the folder of aurify sample or import, a table, or a file of rows.")
    to: Literal["sft", "dpo", "kto"] | None = Field(None, description="The form of TRL's trainer that learns from it.")
    out: str | None = Field(None, description="The file to write [FORM.jsonl in the current folder]")
    data: str | None = Field(None, description="The questions, by id or text, where the folder does not keep them.")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field of --data that holds the question.")
    answer_field: str | None = Field(None, description="The field of --data that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows of --data out.")
    prompt: Literal["auto", "plain", "chat"] = Field(
        "auto", description="plain: texts; chat: turns; auto: as the folder records it, else plain."
    )
    push: str | None = Field(
        None, description="Upload the run to this repository (OWNER/NAME) of the hub: model, card, table, report."
    )
    public: bool = Field(False, description="With --push: anybody may read a new repository.")


def run(settings: ExportSettings) -> None:
    """Write rationales in the form of TRL's trainers (--to), or upload a run to the Hugging Face hub (--push).

    sft has right rationales, kto right and wrong ones with a label, dpo pairs of both on one question. `aurify import`
    reads all three back. What is uploaded holds the run's questions and all its rationales.
    """
    if settings.to is None and settings.push is None:
        raise UsageError("nothing to do: give --to sft, dpo or kto, or --push OWNER/NAME")
    if settings.to is not None:
        _write(settings, settings.to)
    if settings.push is not None:
        from aurify.running.push import push

        sys.stdout.write(push(settings.run, settings.push, private=not settings.public, say=say) + "\n")


register = partial(add_command, name="export", kind=ExportSettings, run=run, positional="run")


def _write(settings: ExportSettings, form: Literal["sft", "dpo", "kto"]) -> None:
    from aurify.collecting.trainer_rows import trainer_rows, trainer_rows_of_table
    from aurify.files import atomic_writer
    from aurify.models.prompting import PromptForm
    from aurify.questions import PromptTemplate
    from aurify.rationales.known_questions import KnownQuestions
    from aurify.rationales.reading import is_table, read_with_texts, table_at
    from aurify.text import single_spaced

    target = settings.out or f"{form}.jsonl"
    check_target(target, "--out", read=[settings.run, settings.data])
    recorded = PromptForm.read(settings.run) or PromptForm("plain", reason="nothing says another")
    name = recorded.prompt if settings.prompt == "auto" else settings.prompt
    same = name == recorded.prompt
    template = PromptTemplate.for_server(
        name, recorded.few_shot if same else None, system=recorded.system if same else None
    )
    asked = _questions(settings)
    by_text = {single_spaced(one.text): one for one in asked}  # a table may name a question by its text
    questions = by_text | {one.id: one for one in asked}
    if is_table(settings.run):
        some = trainer_rows_of_table(table_at(Path(settings.run)), questions, template, form)
    else:
        read, texts = read_with_texts(settings.run)
        some = iter([trainer_rows(KnownQuestions(asked).renamed(read, texts), questions, template, form)])
    written, left_out = 0, Counter[str]()
    with atomic_writer(target) as file:
        for found in some:
            left_out += found.left_out
            written += len(found.rows)
            file.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in found.rows)
        if not written:
            why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise UsageError(f"{settings.run}: nothing for --to {form} ({why or 'no rationales'})")
    told = "".join(f"; {count} {reason}" for reason, count in left_out.items())
    say(f"{written} rows in {target}, prompts: {name}{told and f'; left out:{told[1:]}'}")


def _questions(settings: ExportSettings) -> Sequence[Question]:
    """The questions that the folder keeps, or those of ``--data``."""
    from aurify.questions.chosen import read_as
    from aurify.running.asked import read_asked
    from aurify.running.folder import RunFolder

    folder = RunFolder(settings.run)
    asked = [one.question for one in read_asked(folder.questions)] if settings.data is None else []
    data = settings.data or folder.recorded("data") or folder.recorded("file")
    if not asked and data is None:
        raise UsageError(f"{settings.run}: keeps no questions: say with --data where they are")
    return asked or read_as(settings, str(data))
