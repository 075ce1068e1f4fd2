"""The entry point: collects the commands, and turns every expected error into one line and an exit status."""

from __future__ import annotations

import gc
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
from typer.core import TyperGroup

from aurify import __version__
from aurify.cli.streams import STANDARD_OUTPUT, drop_output, settle_streams
from aurify.errors import AurifyError, UsageError, nearest, out_of_memory
from aurify.held_back import stop_signals
from aurify.other_names import in_its_place, meant_by
from aurify.text import printable

COMMANDS = {
    "quickstart": "Teach the embedded model to reason, without a download.",
    "check": "Read a question file, and say what is wrong with it.",
    "doctor": "Try a model on a few questions, and say what it needs.",
    "grade": "Compare predictions with gold answers, each with its reason.",
    "import": "Make a rationale table of samples that somebody else collected.",
    "export": "Write rationales for other trainers, or upload a run to the hub.",
    "sample": "Draw rationales of a model, judge them, and keep them all.",
    "train": "Fine-tune a model on questions with known answers.",
    "distill": "Fine-tune a model on right and wrong rationales that are there.",
    "rank": "Train a ranker that tells right rationales from wrong ones.",
    "vote": "Vote on the samples of each question.",
    "evaluate": "Measure a model on questions with known answers.",
    "compare": "Compare runs, methods or files of verdicts.",
    "overlap": "Count the questions that two models answer rightly.",
    "report": "Make one page of a run, or of several, for a browser.",
    "watch": "Show a run in a browser while it goes on.",
    "chat": "Ask the models before and after a run, side by side.",
}
"""One module of this package each, in the order of the help page, and what that says of it."""

_ParserError: type[Exception] = typer.BadParameter.__bases__[0]
"""What the parser raises for wrong usage; typer brings its own click or imports it, depending on its version."""


class OnDemand(TyperGroup):
    """``COMMANDS``, of which the one that is called is imported, and no other."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names; a shell that completes one asks for them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name.

        Raises:
            UsageError: there is no such command.
        """
        if cmd_name not in COMMANDS:
            raise UsageError(f"no command '{cmd_name}': {nearest(cmd_name, COMMANDS)}")
        if cmd_name not in self.commands:
            alone = new_app()
            importlib.import_module(f"aurify.cli.{cmd_name}").register(alone)
            self.commands |= typer.main.get_command(alone).commands  # type: ignore[attr-defined]  # a group's
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of the help page, for which none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def build() -> typer.Typer:
    """The whole command line."""
    return new_app(OnDemand)


def new_app(commands: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """A command line; by default without commands."""
    app = typer.Typer(
        name="aurify",
        cls=commands,
        add_completion=commands is not TyperGroup,
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
    settle_streams()
    show_inert()
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch looks once, at its first tensor (see models.heap)
    for number in stop_signals() - {signal.SIGINT}:  # which Python makes a KeyboardInterrupt
        signal.signal(number, _terminated)
    status = exit_status(build)
    gc.freeze()  # what torch and transformers made goes with the process: to look through it for cycles takes a second
    sys.exit(status)


def exit_status(build: Callable[[], typer.Typer], words: Sequence[str] | None = None) -> int:
    """Run the app that ``build`` returns; its exit status, every expected error written as one line.

    ``words`` are those of the command line, without the program's name; by default this process's own.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells every command of a kernel it lacks
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
        drop_output()
        return AurifyError.exit_status
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return _fail(f"out of memory: {str(error).partition(chr(10))[0] or 'the system has no more'}", 1)
    except OSError as error:
        if error.filename == STANDARD_OUTPUT:
            drop_output()
        return _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", AurifyError.exit_status)
    if status == 130:  # newer typer's word for Ctrl-C
        return _fail("interrupted", AurifyError.exit_status)
    return status or 0


def _terminated(number: int, frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP as Ctrl-C, so that files are closed, children are ended, and somebody is told."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")


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


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"aurify: {printable(message, 2000)}\n")
    return status


def _usage(error: Any) -> str:
    """A parser's error, naming the nearest known flag where one is unknown."""
    message: str = error.format_message()
    if hasattr(error, "possibilities") and hasattr(error, "option_name") and error.ctx is not None:
        known = [flag for parameter in error.ctx.command.params for flag in parameter.opts if flag.startswith("--")]
        meant = meant_by(error.option_name, known)
        listed = f"{error.ctx.command_path} --help lists those that it has"
        hint = f"did you mean '{meant}'?" if meant else in_its_place(error.option_name, known) or listed
        message = f"unknown option {error.option_name}: {hint}"
    return message


if __name__ == "__main__":
    main()
