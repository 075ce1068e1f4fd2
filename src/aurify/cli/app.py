"""The entry point: collects the commands, and turns every expected error into one line and an exit status."""

from __future__ import annotations

import importlib
import os
import sys

import typer

from aurify.errors import AurifyError

COMMANDS = ("quickstart", "check", "grade", "train")
"""One module of this package each, in the order of the help page."""


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="aurify",
        help="Fine-tune language models to reason, from questions with known answers.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMANDS:
        importlib.import_module(f"aurify.cli.{name}").register(app)
    return app


def main() -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 wrong usage."""
    try:
        build()()
    except AurifyError as error:
        sys.stderr.write(f"aurify: {error}\n")
        sys.exit(error.exit_status)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"aurify: {error.filename or 'input/output'}: {error.strerror or error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
