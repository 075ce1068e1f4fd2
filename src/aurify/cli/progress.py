"""How far work is that takes long: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aurify.progress import Lines, Progress, Ticker
from aurify.text import printable


def say(line: str) -> None:
    """A line on standard error, at once, with nothing that a terminal would obey."""
    print(printable(line), file=sys.stderr, flush=True)


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """What is to be told how far the work is; ``what`` names the things that are done."""
    if not sys.stderr.isatty():
        yield Lines(what, Ticker(say))
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(what), MofNCompleteColumn(), BarColumn(bar_width=24), TextColumn("{task.fields[right]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, right="")

        def tell(done: int, asked: int, right: int | None = None, /) -> None:
            bar.update(task, completed=done, total=asked, right="" if right is None else f"{right} right")

        yield tell
