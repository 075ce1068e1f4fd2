"""A report as a file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from aurify.files import write_atomically
from aurify.garbage import no_collections
from aurify.report.content import read_content
from aurify.report.page import render
from aurify.text import first_line

NAME = "report.html"


def make_report(folders: Sequence[str | Path], out: str | Path | None = None, votes: Sequence[str | Path] = ()) -> Path:
    """Write the report of these runs, and return its path.

    Args:
        out: the file; by default ``report.html`` in the folder of the run, or in the one that holds all of the runs.
        votes: files of ``aurify vote --out`` on the runs' questions.

    Raises:
        AurifyError: see ``content.read_content``.
        OSError: it cannot be written.
    """
    path = Path(out) if out is not None else _common(folders) / NAME
    with no_collections():
        page = render(read_content(folders, votes))
    write_atomically(path, page.encode("utf-8", "replace"))  # a lone surrogate has no UTF-8
    return path


def tell_report(folders: Sequence[str | Path], say: Callable[[str], None]) -> None:
    """Write the report of runs that have just ended, and say where it is; whatever goes wrong fails no run."""
    if os.environ.get("RANK", "0") != "0":  # of several processes the first alone
        return
    try:
        say(f"report  {make_report(folders)}")
    except Exception as error:  # the run is done and saved, whatever its report says
        again = shlex.join(["aurify", "report", *map(str, folders)])
        say(f"no report was made: {first_line(error)}; try again with: {again}")


def _common(folders: Sequence[str | Path]) -> Path:
    if len(folders) == 1:
        return Path(folders[0])
    return Path(os.path.commonpath([Path(folder).resolve() for folder in folders]))
