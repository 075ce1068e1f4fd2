"""Turns a settings class into a command: flags, a TOML file with the same words, and a dry run."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand

from aurify.cli.entries import HELP as _HELP
from aurify.cli.entries import chosen_words, entries_help
from aurify.cli.examples import example_line
from aurify.questions.load import refuse_missing_data
from aurify.settings import Settings, SettingsT, resolve, spelling, without_none


def add_command(
    app: typer.Typer, name: str, kind: type[SettingsT], run: Callable[[SettingsT], None], *, positional: str = ""
) -> None:
    """Add ``run`` to the app as the command ``name``.

    The field named ``positional`` is its argument; one that holds several values takes several arguments. Where a field
    is a word of a registry, the command knows the own settings of every entry, and shows those of the chosen ones.
    """
    if not kind.doors:
        app.command(name, epilog=example_line(name))(_command(kind, kind, run, positional, inspect.getdoc(run) or ""))
        return

    def whole(args: list[str], asks: bool) -> Any:
        """The command with the settings of the entries that these words choose."""
        words = chosen_words(kind, args, positional)
        shown = kind.opened(words) if asks and words else kind.with_all_own(words)
        inner = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
            context_settings={"help_option_names": list(_HELP), "max_content_width": 120},
        )  # fmt: skip
        text = entries_help(kind, words, inspect.getdoc(run) or "") if asks else ""
        inner.command(name, epilog=example_line(name))(_command(kind, shown, run, positional, text))
        return typer.main.get_command(inner)

    def command(context: typer.Context) -> Any:
        asks = any(word in _HELP for word in context.args)
        return whole(context.args, asks)(context.args, prog_name=context.command_path, standalone_mode=False)

    class Opening(TyperCommand):
        """A command that learns its flags from its words; a shell that completes them asks here."""

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            return whole(ctx.args, False).shell_complete(ctx, incomplete)

    command.__doc__ = inspect.getdoc(run)
    raw = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(name, cls=Opening, add_help_option=False, context_settings=raw)(command)


def _command(
    kind: type[SettingsT], shown: type[Settings], run: Callable[[SettingsT], None], positional: str, text: str
) -> Callable[..., None]:
    """What typer makes a command of: a parameter a field of ``shown``; first what must be given, then entries' own."""

    def command(**given: Any) -> None:
        config, dry_run = given.pop("config"), given.pop("dry_run")
        flags = {key: value for key, value in given.items() if value not in (None, [])}
        settings = resolve(kind, flags, config, positional=positional)
        if dry_run:
            sys.stdout.write(settings.to_toml())
        else:
            for source in (getattr(settings, field, None) for field in ("data", "eval_data")):
                if isinstance(source, str) and source:
                    refuse_missing_data(source)  # the command finds out too, but imports torch first
            run(settings)

    def place(field: str) -> tuple[bool, ...]:
        return field != positional, not shown.model_fields[field].is_required(), field in kind.model_fields

    fields = sorted(shown.model_fields, key=place)
    parameters = [_parameter(shown, field, field == positional) for field in fields]
    config_option = typer.Option("--config", help="A TOML file whose keys are the same words; flags win.")
    dry_option = typer.Option("--dry-run", help="Print the resolved configuration and stop.")
    parameters += [
        _keyword("config", Annotated[Path | None, config_option], None),
        _keyword("dry_run", Annotated[bool, dry_option], False),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    command.__doc__ = text
    return command


def _parameter(kind: type[Settings], field: str, positional: bool) -> inspect.Parameter:
    info = kind.model_fields[field]
    text = info.description or ""
    default = info.get_default(call_default_factory=True)
    if not info.is_required() and default is not False and default not in (None, "", [], ()):
        text += f" [default: {default}]"
    plain = without_none(info.annotation)
    repeated = get_origin(plain) in (list, tuple, set, frozenset)
    if positional:
        argument = typer.Argument(help=text, show_default=False, metavar=spelling(field, field))
        return _keyword(field, Annotated[list[str] | None if repeated else str | None, argument], None)
    flag = spelling(field)
    if plain is bool:
        switch = typer.Option(f"{flag}/--no-{flag[2:]}", help=text, show_default=False)
        return _keyword(field, Annotated[bool | None, switch], None)
    option = typer.Option(flag, help=text, show_default=False, metavar=_metavar(plain))
    # Text for pydantic, so that a flag's value and a file's are read, and complained of, by the same rules.
    return _keyword(field, Annotated[list[str] | None if repeated else str | None, option], None)


def _metavar(plain: Any) -> str:
    if get_origin(plain) is Literal:
        return "|".join(map(str, get_args(plain)))
    if get_origin(plain) in (list, tuple, set, frozenset):
        plain = get_args(plain)[0]
    return {int: "INTEGER", float: "NUMBER", Path: "PATH"}.get(plain, "TEXT")


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
