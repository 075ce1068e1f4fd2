"""The entry point: collects the commands, and turns every expected error into one line and an exit status."""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import typer

from aurify import __version__
from aurify.errors import AurifyError, UsageError, nearest, out_of_memory
from aurify.text import printable

COMMANDS = (
    "quickstart",
    "check",
    "doctor",
    "grade",
    "import",
    "export",
    "sample",
    "train",
    "distill",
    "rank",
    "vote",
    "evaluate",
    "compare",
    "overlap",
    "report",
    "watch",
    "chat",
)
"""One module of this package each, in the order of the help page."""

_ParserError: type[Exception] = typer.BadParameter.__bases__[0]
"""What the parser raises for wrong usage; typer brings its own click or imports it, depending on its version."""


def build() -> typer.Typer:
    """The whole command line."""
    app = new_app()
    for name in COMMANDS:
        importlib.import_module(f"aurify.cli.{name}").register(app)
    return app


def new_app() -> typer.Typer:
    """A command line without commands."""
    app = typer.Typer(
        name="aurify",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # help is plain text: [default: 8] is not markup
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )

    @app.callback(invoke_without_command=True)
    def aurify(
        context: typer.Context,
        version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    ) -> None:
        """Fine-tune language models to reason, from questions with known answers."""
        if version:
            typer.echo(f"aurify {__version__}")
            raise typer.Exit
        if context.invoked_subcommand is None:
            typer.echo(context.get_help(), err=True)
            raise typer.Exit(UsageError.exit_status)

    return app


def main() -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 wrong usage."""
    show_inert()
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(exit_status(build))


def exit_status(build: Callable[[], typer.Typer], words: Sequence[str] | None = None) -> int:
    """Run the app that ``build`` returns; its exit status, every expected error written as one line.

    ``words`` are those of the command line, without the program's name; by default this process's own.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of kernels that a CPU does without
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")  # peft's use of transformers
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a lone surrogate must not end the work
    try:
        status = build()(words, prog_name="aurify", standalone_mode=False)
        sys.stdout.flush()
    except AurifyError as error:
        return _fail(str(error), error.exit_status)
    except _ParserError as error:
        return _fail(_usage(error), UsageError.exit_status)
    except (KeyboardInterrupt, typer.Abort) as error:
        return _fail(str(error) or "interrupted", AurifyError.exit_status)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return AurifyError.exit_status
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return _fail(f"out of memory: {str(error).partition(chr(10))[0] or 'the system has no more'}", 1)
    except OSError as error:
        return _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", AurifyError.exit_status)
    if status == 130:  # newer typer's word for Ctrl-C
        return _fail("interrupted", AurifyError.exit_status)
    return status or 0


def _terminated(number: int, frame: FrameType | None) -> None:
    """SIGTERM as Ctrl-C, so that files are closed, children are ended, and somebody is told."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt("stopped by SIGTERM")


def show_inert() -> None:
    """Have what libraries log or warn of shown, not obeyed, by a terminal: it may quote a file."""
    make, show = logging.getLogRecordFactory(), warnings.formatwarning

    def record(*args: Any, **more: Any) -> logging.LogRecord:
        made = make(*args, **more)
        made.msg, made.args = printable(made.getMessage(), newlines=True), None
        return made

    def warning(message: Warning | str, *args: Any, **more: Any) -> str:
        return show(printable(str(message), newlines=True), *args, **more)

    logging.setLogRecordFactory(record)
    warnings.formatwarning = warning
    # where bitsandbytes is installed, it tells every command, asked for or not, of a kernel that it did not find
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"aurify: {printable(message, 2000)}\n")
    return status


def _usage(error: Any) -> str:
    """A parser's error, naming the nearest known flag where one is unknown."""
    message: str = error.format_message()
    if hasattr(error, "possibilities") and hasattr(error, "option_name") and error.ctx is not None:
        known = [flag for parameter in error.ctx.command.params for flag in parameter.opts if flag.startswith("--")]
        message = f"unknown option {error.option_name}: {nearest(error.option_name, known)}"
    return message


if __name__ == "__main__":
    main()
