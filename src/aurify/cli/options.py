"""Turns a settings class into a command: flags, a TOML file with the same words, and a dry run.

A command's settings are declared once, as a pydantic model. Its field names are the flags (``eval_every`` is
``--eval-every``), the keys of the TOML file and the keys of the resolved ``config.toml``.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import tomli_w
import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from aurify.errors import UsageError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Settings(BaseModel):
    """Base of every command's settings: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_toml(self) -> str:
        """The resolved settings, without those that are unset (TOML has no null)."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


SettingsT = TypeVar("SettingsT", bound=Settings)


def resolve(
    kind: type[SettingsT], flags: dict[str, Any], config: Path | None = None, *, positional: str = ""
) -> SettingsT:
    """Settings from a TOML file and flags, flags winning.

    A flag's value is text and is read as the field's type; a value in the file must have that type.

    Raises:
        UsageError: an unknown key, a missing setting or an invalid value, in one line that says where.
    """
    values = {**(_read_toml(kind, config) if config else {}), **flags}
    try:
        return kind(**values)
    except ValidationError as error:
        raise UsageError(_explain(kind, error.errors()[0], lambda key: _spelling(key, positional))) from None


def add_command(
    app: typer.Typer, name: str, kind: type[SettingsT], run: Callable[[SettingsT], None], *, positional: str = ""
) -> None:
    """Add ``run`` to the app as the command ``name``; the field named ``positional`` is its argument."""

    def command(**given: Any) -> None:
        config, dry_run = given.pop("config"), given.pop("dry_run")
        flags = {key: value for key, value in given.items() if value not in (None, [])}
        settings = resolve(kind, flags, config, positional=positional)
        if dry_run:
            sys.stdout.write(settings.to_toml())
        else:
            run(settings)

    parameters = [_parameter(kind, field, field == positional) for field in kind.model_fields]
    config_option = typer.Option("--config", help="A TOML file whose keys are the same words; flags win.")
    dry_option = typer.Option("--dry-run", help="Print the resolved configuration and stop.")
    parameters += [
        _keyword("config", Annotated[Path | None, config_option], None),
        _keyword("dry_run", Annotated[bool, dry_option], False),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    command.__doc__ = inspect.getdoc(run)
    app.command(name)(command)


def _parameter(kind: type[Settings], field: str, positional: bool) -> inspect.Parameter:
    info = kind.model_fields[field]
    text = info.description or ""
    default = info.get_default(call_default_factory=True)
    if not info.is_required() and default is not False and default not in (None, "", [], ()):
        text += f" [default: {default}]"
    plain = _without_none(info.annotation)
    if positional:
        argument = typer.Argument(help=text, show_default=False, metavar=_spelling(field, field))
        return _keyword(field, Annotated[str | None, argument], None)
    flag = _spelling(field)
    if plain is bool:
        switch = typer.Option(f"{flag}/--no-{flag[2:]}", help=text, show_default=False)
        return _keyword(field, Annotated[bool | None, switch], None)
    repeated = get_origin(plain) in (list, tuple, set, frozenset)
    option = typer.Option(flag, help=text, show_default=False, metavar=_metavar(plain))
    # Text for pydantic, so that a flag's value and a file's are read, and complained of, by the same rules.
    return _keyword(field, Annotated[list[str] | None if repeated else str | None, option], None)


def _without_none(annotation: Any) -> Any:
    inner = [part for part in get_args(annotation) if part is not type(None)]
    return inner[0] if len(inner) == 1 and type(None) in get_args(annotation) else annotation


def _metavar(plain: Any) -> str:
    if get_origin(plain) is Literal:
        return "|".join(map(str, get_args(plain)))
    if get_origin(plain) in (list, tuple, set, frozenset):
        plain = get_args(plain)[0]
    return {int: "INTEGER", float: "NUMBER", Path: "PATH"}.get(plain, "TEXT")


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _spelling(field: str, positional: str = "") -> str:
    """A field as the command line spells it."""
    return field.upper() if field == positional else "--" + field.replace("_", "-")


def _explain(kind: type[Settings], problem: ErrorDetails, spell: Callable[[str], str]) -> str:
    """One line for a validation error."""
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:  # of several settings together, which the message names
        return message
    key = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{spell(key)} is needed: {kind.model_fields[key].description or 'it has no default'}"
    if problem["type"] == "extra_forbidden":
        return f"unknown setting '{key}': {nearest(key, kind.model_fields)}"
    if problem["type"] == "literal_error":
        choices = [str(choice) for choice in get_args(_without_none(kind.model_fields[key].annotation))]
        guess = nearest(str(problem["input"]), choices)
        message = guess if guess.startswith("known") else f"{guess} (known: {', '.join(choices)})"
    else:
        message = message[:1].lower() + message[1:]
    return f"{spell(key)} {problem['input']!r}: {message}"


def _read_toml(kind: type[Settings], path: Path) -> dict[str, Any]:
    """The file's settings, each of a known name and of the right type; what is missing, flags may give."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    values = {key.replace("-", "_"): value for key, value in content.items()}
    if len(values) < len(content):
        raise UsageError(f"{path}: a setting is given twice, once with '-' and once with '_'")
    try:
        kind.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        for problem in error.errors():
            if problem["loc"] and problem["type"] != "missing":
                where = f"{path}:{_line(text, str(problem['loc'][0]))}"
                raise UsageError(f"{where}: {_explain(kind, problem, str)}") from None
    return values


def _line(text: str, key: str) -> int:
    """The line of a top-level key, the first where it cannot be told."""
    spelled = re.escape(key).replace("_", "[-_]")
    found = re.search(rf"^\s*\[?\s*[\"']?{spelled}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1
