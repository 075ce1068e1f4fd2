"""aurify doctor: what a model needs to learn from a file of questions, before hours are spent."""

from __future__ import annotations

from functools import partial

from aurify.cli.numbers import check_target, tell
from aurify.cli.options import add_command
from aurify.cli.progress import progress_bar, say
from aurify.doctor.settings import DoctorSettings
from aurify.garbage import no_collections
from aurify.text import printable


def run(settings: DoctorSettings) -> None:
    """Try a model on a few of the questions, in several ways, and say what it needs and what to type next.

    Draws a small pilot (of half a billion parameters on a CPU it takes minutes): how often it is right, what its wrong
    answers look like, how many questions are out of reach or solved, whether another prompt, a longer limit or the
    guide would help, what a step costs.
    """
    check_target(settings.json_)
    with no_collections():
        from aurify.doctor.run import run_doctor

    with progress_bar("rationales") as progress:
        found = run_doctor(settings, say=say, progress=progress)
    tell(found.to_dict(), (printable(line, 2000) for line in found.lines()), settings.json_)


register = partial(add_command, name="doctor", kind=DoctorSettings, run=run)
