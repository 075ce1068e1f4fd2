"""Turns a settings class into a command: flags, a TOML file with the same words, and a dry run.

A command's settings are declared once, as a pydantic model. Its field names are the flags (``eval_every`` is
``--eval-every``), the keys of the TOML file and the keys of the resolved ``config.toml``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tomli_w
import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticUndefined

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


def resolve(kind: type[SettingsT], flags: dict[str, Any], config: Path | None = None) -> SettingsT:
    """Settings from a TOML file and flags, flags winning. Every mistake is one line.

    Raises:
        UsageError: an unknown key (naming the nearest known one), a missing one, or an invalid value.
    """
    values = {**(_read_toml(config) if config else {}), **flags}
    for key in values:
        if key not in kind.model_fields:
            where = f"{config}: " if config else ""
            raise UsageError(f"{where}unknown setting '{key}': {nearest(key, kind.model_fields)}")
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "missing":
            raise UsageError(f"'{_flag(name)}' is needed: {kind.model_fields[name].description}") from None
        message = str(first["msg"]).removeprefix("Value error, ")
        prefix = f"{_flag(name)} {first['input']!r}: " if name else ""
        raise UsageError(f"{prefix}{message}") from None


def add_command(
    app: typer.Typer, name: str, kind: type[SettingsT], run: Callable[[SettingsT], None], *, positional: str = ""
) -> None:
    """Add ``run`` to the app as the command ``name``; the field named ``positional`` is its argument."""

    def command(**given: Any) -> None:
        config, dry_run = given.pop("config"), given.pop("dry_run")
        settings = resolve(kind, {key: value for key, value in given.items() if value not in (None, [])}, config)
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
    if info.default not in (PydanticUndefined, None, ""):
        text += f" [default: {info.default}]"
    flag_type = _flag_type(info.annotation)
    if positional:
        return _keyword(field, Annotated[flag_type, typer.Argument(help=text, show_default=False)], None)
    names = [_flag(field)]
    if flag_type == (bool | None):
        names = [f"{_flag(field)}/--no-{_flag(field)[2:]}"]
    return _keyword(field, Annotated[flag_type, typer.Option(*names, help=text, show_default=False)], None)


def _flag_type(annotation: Any) -> Any:
    """What typer shall parse: numbers and switches as such, lists by repetition, the rest as text for pydantic."""
    inner = [part for part in getattr(annotation, "__args__", ()) if part is not type(None)]
    if getattr(annotation, "__origin__", None) in (list, tuple):
        return list[str] | None
    plain = inner[0] if len(inner) == 1 and type(None) in annotation.__args__ else annotation
    return plain | None if plain in (int, float, bool) else str | None


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    return {key.replace("-", "_"): value for key, value in content.items()}
