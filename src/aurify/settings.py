"""Settings declared once: a pydantic model whose fields are a command's flags, its TOML keys and its config.toml.

``resolve`` turns what a user gave, in a file and in flags, into such a model, and every mistake into one line.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import tomli_w
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
        values = self.model_dump(mode="json", exclude_none=True)
        return tomli_w.dumps({word(field): value for field, value in values.items()})


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
        raise UsageError(_explain(kind, error.errors()[0], lambda key: spelling(key, positional))) from None


def word(field: str) -> str:
    """A field as a file spells it: ``json_``, which may not be named as pydantic's own ``json`` is, as ``json``."""
    return field.rstrip("_")


def spelling(field: str, positional: str = "") -> str:
    """A field as the command line spells it."""
    return word(field).upper() if field == positional else "--" + word(field).replace("_", "-")


def without_none(annotation: Any) -> Any:
    """``X`` for an annotation ``X | None``, any other as it is."""
    inner = [part for part in get_args(annotation) if part is not type(None)]
    return inner[0] if len(inner) == 1 and type(None) in get_args(annotation) else annotation


def _explain(kind: type[Settings], problem: ErrorDetails, spell: Callable[[str], str]) -> str:
    """One line for a validation error."""
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:  # of several settings together, which the message names
        return message
    key = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{spell(key)} is needed: {kind.model_fields[key].description or 'it has no default'}"
    if problem["type"] == "extra_forbidden":
        return f"unknown setting '{key}': {nearest(key, map(word, kind.model_fields))}"
    if problem["type"] == "literal_error":
        choices = [str(choice) for choice in get_args(without_none(kind.model_fields[key].annotation))]
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
    fields = {word(field): field for field in kind.model_fields}
    names = [key.replace("-", "_") for key in content]
    values = {fields.get(name, name): value for name, value in zip(names, content.values(), strict=True)}
    if len(values) < len(content):
        raise UsageError(f"{path}: a setting is given twice, once with '-' and once with '_'")
    try:
        kind.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        for problem in error.errors():
            if problem["loc"] and problem["type"] != "missing":
                where = f"{path}:{_line(text, str(problem['loc'][0]))}"
                raise UsageError(f"{where}: {_explain(kind, problem, word)}") from None
    return values


def _line(text: str, key: str) -> int:
    """The line of a top-level key, the first where it cannot be told."""
    spelled = re.escape(word(key)).replace("_", "[-_]")
    found = re.search(rf"^\s*\[?\s*[\"']?{spelled}_*\b", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1
