"""aurify watch RUN: the report of a run while it goes on."""

from __future__ import annotations

import sys
from functools import partial

from pydantic import Field

from aurify.cli.options import add_command
from aurify.settings import Settings


class WatchSettings(Settings):
    """What ``aurify watch`` takes."""

    run: str = Field(description="The folder of a run, finished or not.")
    port: int = Field(0, ge=0, le=65535, description="The port on this machine; 0: a free one.")


def run(settings: WatchSettings) -> None:
    """Show a run in a browser while it goes on: the page of `aurify report`, which brings itself up to date.

    The page is served to this machine only, under an address that nobody can guess; it reads the run's folder and
    changes nothing. It ends with Ctrl-C.
    """
    from aurify.report.live import serve

    with serve(settings.run, settings.port) as server:
        sys.stdout.write(f"{server.address}\nopen this address in a browser; Ctrl-C ends it\n")
        sys.stdout.flush()
        server.run()


register = partial(add_command, name="watch", kind=WatchSettings, run=run, positional="run")
