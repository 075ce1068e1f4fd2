"""aurify chat RUN: questions to a model before and after a run, side by side in the terminal."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from pydantic import Field

from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.garbage import no_collections
from aurify.settings import Settings
from aurify.text import printable
from aurify.unused import unused

if TYPE_CHECKING:
    from aurify.rationales import Rationale

NARROWEST = 72
"""Terminals with fewer columns, and pipes, get one answer under the other."""


class ChatSettings(Settings):
    """What ``aurify chat`` takes."""

    run: str = Field(description="The folder of a finished run of aurify train or aurify distill.")
    sample: bool = Field(False, description="Draw each answer at temperature 1, not the most likely one.")
    seed: int = Field(0, ge=0, description="Of the samples.")


def run(settings: ChatSettings) -> None:
    """Ask questions of a run's model before and after, side by side; a line of standard input is a question.

    Both are asked in the form that the run trained with. A question of the run, typed as it stands or by its id, gets
    a verdict. Ctrl-D ends it.
    """
    with no_collections():
        from aurify.evaluation.beside import beside_each_other

    temperature = 1.0 if settings.sample else 0.0
    if line := unused(settings, [] if settings.sample else ["seed"], "the most likely answer has no seed: --sample"):
        say(line)
    with beside_each_other(settings.run, seed=settings.seed, say=say) as pair:
        for line in questions():
            known = pair.question(line)
            before, after = pair.ask(line, temperature=temperature)
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
            if known is not None and width:
                sys.stdout.write(f"{printable(known.text)}\n")
            told = [spoken(name, one, judged=known is not None) for name, one in (("before", before), ("after", after))]
            sys.stdout.write(side_by_side(*told, width=width) + "\n")
            sys.stdout.flush()


register = partial(add_command, name="chat", kind=ChatSettings, run=run, positional="run")


def questions() -> Iterator[str]:
    """The lines of standard input that hold anything, asked for where a person types them."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a byte that is not UTF-8 must not end the conversation
    if not sys.stdin.isatty():
        yield from filter(None, (line.strip() for line in sys.stdin))
        return
    say("a question a line; Ctrl-D ends")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            sys.stdout.write("\n")
            return
        if line:
            yield line


def spoken(name: str, rationale: Rationale, *, judged: bool) -> str:
    """An answer with its heading: whose it is, and the verdict where there is one."""
    cut = ["cut at the token limit"] if rationale.finish_reason == "length" else []
    verdict = [f"{rationale.verdict} ({rationale.reason})"] if judged else cut
    heading = ": ".join([name, *map(printable, verdict)])
    return f"{heading}\n{printable(rationale.text.strip(), newlines=True)}"


def side_by_side(left: str, right: str, *, width: int) -> str:
    """Two texts in two columns, or one under the other where ``width`` columns are too few."""
    if width < NARROWEST:
        return f"{left}\n{right}\n"
    column = (width - 3) // 2
    rows = zip_longest(_wrapped(left, column), _wrapped(right, column), fillvalue="")
    return "\n".join(f"{one:<{column}} | {other}".rstrip() for one, other in rows) + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    return [row for line in text.splitlines() for row in textwrap.wrap(line, width) or [""]]
