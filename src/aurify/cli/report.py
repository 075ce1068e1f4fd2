"""aurify report RUN...: what runs did, as one page for a browser."""

from __future__ import annotations

import sys
from functools import partial

from pydantic import Field

from aurify.cli.options import add_command
from aurify.settings import Settings


class ReportSettings(Settings):
    """What ``aurify report`` takes."""

    runs: tuple[str, ...] = Field(min_length=1, description="Folders of runs, finished or not.")
    out: str | None = Field(
        None, description="The file to write [report.html in the run's folder, or in the one that holds all the runs]"
    )
    votes: tuple[str, ...] = Field(
        (), description="Files of aurify vote --out on the runs' questions: each question shows how it was voted on."
    )


def run(settings: ReportSettings) -> None:
    """Make one HTML file of a run, or of several beside each other, to be opened in a browser; it needs no network.

    It shows accuracy before and after and whether the difference is real, what the run cost, its curves, and every
    question: the model's rationales before and after, and each proposal of its chain with verdict and reason. Made
    also at the end of `aurify train`, `distill` and `compare`.
    """
    from aurify.report.make import make_report

    sys.stdout.write(f"{make_report(settings.runs, settings.out, settings.votes)}\n")


register = partial(add_command, name="report", kind=ReportSettings, run=run, positional="runs")
