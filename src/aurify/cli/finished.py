"""What a command that trains writes when its run is finished."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aurify.report.make import tell_report

if TYPE_CHECKING:
    from aurify.running.context import Run


def tell_finished(run: Run) -> None:
    """Before and after, where the model is, and the report, which is made now."""
    for line in [*run.told(), f"model   {run.model}"]:
        sys.stdout.write(line + "\n")
    tell_report([run.out], print)
