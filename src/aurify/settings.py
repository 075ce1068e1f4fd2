"""Settings declared once: a pydantic model whose fields are a command's flags, its TOML keys and its config.toml.

``resolve`` turns what a user gave, in a file and in flags, into such a model, and every mistake into one line. Where a
field is a word of a registry (``doors``), the entry's own settings are fields beside it, and no other entry's are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from aurify.errors import UsageError, nearest
from aurify.other_names import method_elsewhere, unknown_setting
from aurify.parsing import parse_toml
from aurify.registry import Registry
from aurify.text import printable

if TYPE_CHECKING:
    from typing_extensions import Self

from aurify.toml import tomllib

MAX_RANK = 65536
"""Of low-rank matrices, and of other widths: no layer that anybody adapts is wider."""
_SHOWN = 200
"""Characters of a value in a message: from Python it may be anything, as a whole model."""
NUMBERS_HELP = "Write the numbers to this file as JSON; - is standard output."
"""The description of ``--json`` (``cli/numbers.py``)."""


class Settings(BaseModel):
    """Base of every command's settings: immutable, and unknown keys are errors.

    A class with ``doors`` makes instances of a subclass of its own for each choice of words, with the settings of what
    these name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    doors: ClassVar[Mapping[str, Registry[Any]]] = {}
    """By field, the registry of which its value is a word."""
    general: ClassVar[type[Settings] | None] = None
    """Of a class made for some words, the one that it was made from."""

    def __new__(cls, /, **values: Any) -> Self:
        return super().__new__(cls if cls.general else cls.opened(values))

    @classmethod
    def opened(cls, values: Mapping[str, Any]) -> type[Self]:
        """The class with the own settings of what the values name; what cannot be loaded is left out."""
        root = cls.general or cls
        if not root.doors:
            return cls
        words = [(field, str(word)) for field, word in _words(root, values)]
        known = [(field, word, root.doors[field].load(word)) for field, word in words if root.doors[field].knows(word)]
        return _opened(root, tuple(known))  # type: ignore[return-value]  # a subclass of the same general class

    @classmethod
    def with_all_own(cls, *chosen: Mapping[str, Any]) -> type[Self]:
        """The class with the own settings of every registered entry, and of those that the values choose."""
        root = cls.general or cls
        entries = [(field, str(word)) for values in chosen for field, word in _words(root, values)]
        entries += [(field, word) for field, registry in root.doors.items() for word in registry.words()]
        fields: dict[str, tuple[Any, FieldInfo]] = {}
        owners: dict[str, list[str]] = {}
        for field, word in dict.fromkeys(entries):
            for name, typed in _own_or_none(root, field, word).items():
                if name not in root.model_fields:
                    fields.setdefault(name, typed)
                    owners.setdefault(name, []).append(word)
        for name, (kind, info) in fields.items():
            told = f"{info.description} [{', '.join(owners[name])}]"
            fields[name] = kind, FieldInfo.merge_field_infos(info, description=told)
        return _made(root, fields)  # type: ignore[return-value]  # a subclass of the same general class

    @field_validator("*")
    @classmethod
    def _of_64_bits(cls, value: Any) -> Any:
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError("expected a number of at most 63 bits")
        return value

    @field_validator("*")
    @classmethod
    def _at_home(cls, value: Any) -> Any:
        """A path in the user's folder, where no shell has written it out (``--out=~/run``, Python, TOML)."""
        return _written_out(value)

    @field_validator("*")
    @classmethod
    def _known_word(cls, value: Any, info: ValidationInfo) -> Any:
        root = cls.general or cls
        if info.field_name in root.doors and value is not None:
            _own(root, str(info.field_name), str(value))
        return value

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
    kind = kind.general or kind  # type: ignore[assignment]  # of which the one given is a subclass
    flags = {field: _paths_as_text(value) for field, value in flags.items()}
    values = {**(_read_toml(kind, config, flags) if config else {}), **flags}
    try:
        return kind(**_own_only(kind, values))
    except ValidationError as error:
        problem = error.errors()[0]
        raise UsageError(_explain(kind.opened(values), problem, lambda key: spelling(key, positional))) from None


def _written_out(value: Any) -> Any:
    """``~/x`` as the path that it is, in lists too."""
    if isinstance(value, str):
        return os.path.expanduser(value) if value.startswith("~/") else value
    if isinstance(value, Path):
        return Path(_written_out(str(value)))
    return type(value)(map(_written_out, value)) if isinstance(value, list | tuple) else value


def _paths_as_text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_paths_as_text(one) for one in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def as_written(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """What an earlier version wrote of such settings, as this one would write it; as it is where it cannot be read."""
    if not issubclass(kind, Settings):
        return values
    try:
        written: dict[str, Any] = tomllib.loads(resolve(kind, values).to_toml())
    except UsageError:
        return values
    return written


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
        return unknown_setting(key, [*map(word, kind.model_fields)])
    if problem["type"] == "literal_error":
        choices = [str(choice) for choice in get_args(without_none(kind.model_fields[key].annotation))]
        guess = nearest(str(problem["input"]), choices)
        message = guess if guess.startswith("known") else f"{guess} (known: {', '.join(choices)})"
        if key == "method":
            message = method_elsewhere(str(problem["input"]), choices) or message
    else:
        flag, value = spelling(key), problem["input"]
        message = message.removeprefix(f"{flag} '{value}': ").removeprefix(f"{flag} {value}: ")
        message = message[:1].lower() + message[1:]
    return f"{spell(key)} {printable(repr(problem['input']), _SHOWN)}: {message}"


def _read_toml(kind: type[Settings], path: Path, flags: dict[str, Any]) -> dict[str, Any]:
    """The file's settings, each of a known name and of the right type; what is missing, flags may give."""
    try:
        text = path.expanduser().read_text(encoding="utf-8")
        content = parse_toml(text)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    merged = {**{key.replace("-", "_"): value for key, value in content.items()}, **flags}
    kind = kind.opened(merged)
    fields = {word(field): field for field in kind.model_fields}
    names = [key.replace("-", "_") for key in content]
    values = {fields.get(name, name): value for name, value in zip(names, content.values(), strict=True)}
    if len(values) < len(content):
        raise UsageError(f"{path}: a setting is given twice, once with '-' and once with '_'")
    try:
        kind.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        for problem in error.errors():
            foreign = problem["type"] == "extra_forbidden" and _foreign(kind, str(problem["loc"][0]))
            if problem["loc"] and problem["type"] != "missing" and not foreign:
                where = f"{path}:{_line(text, str(problem['loc'][0]))}"
                raise UsageError(f"{where}: {_explain(kind, problem, word)}") from None
    return values


def _words(root: type[Settings], values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields with a registry, and the word of each."""
    for field in root.doors:
        chosen = values.get(field, root.model_fields[field].default)
        if isinstance(chosen, str) and chosen:
            yield field, chosen


def _own(root: type[Settings], field: str, chosen: str) -> dict[str, Any]:
    """The own settings of what a word names, and what its general settings are where nobody gives them.

    Raises:
        ValueError: the word names nothing, or a setting of its own has the name of a general one.
    """
    registry = root.doors[field]
    own: dict[str, Any] = dict(registry.own(chosen))
    for name in own:
        if name in root.model_fields or name in ("config", "dry_run", "help"):
            raise ValueError(f"its setting '{name}' has the name of one that the command has already: rename it")
    for name, default in registry.defaults(chosen).items():
        info = root.model_fields.get(name)
        if info is not None and info.default is None:
            described = FieldInfo.merge_field_infos(info, description=f"{info.description} [{default}]")
            own[name] = (info.annotation, described)
    return own


def _own_or_none(root: type[Settings], field: str, chosen: str) -> dict[str, Any]:
    try:
        return _own(root, field, chosen)
    except ValueError:
        return {}


def _made(root: type[Settings], fields: dict[str, Any]) -> type[Settings]:
    made: type[Settings] = create_model(root.__name__, __base__=root, __module__=root.__module__, **fields)
    made.general = root
    return made


@cache
def _opened(root: type[Settings], entries: tuple[tuple[str, str, type[Any]], ...]) -> type[Settings]:
    """Made once for each choice; the entries' classes count, since a word of the user's may name another by now."""
    fields: dict[str, Any] = {}
    for field, chosen, _ in entries:
        fields |= _own_or_none(root, field, chosen)
    return _made(root, fields)


def _own_only(kind: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    """The values without settings of entries that were not chosen, where these have the value that they have anyway.

    Raises:
        UsageError: one has another value.
    """
    root = kind.general or kind
    kept = dict(values)
    for field, chosen in _words(root, values):
        if not root.doors[field].knows(str(chosen)):
            continue  # complained of later
        for name in values.keys() - kind.opened(values).model_fields.keys():
            if owners := root.doors[field].owners(name):
                if not all(_same(info, values[name]) for info in owners.values()):
                    only = " and ".join(owners)
                    raise UsageError(f"{spelling(name)} means nothing for {chosen}, only for {only}")
                del kept[name]
    return kept


def _foreign(kind: type[Settings], name: str) -> bool:
    """Whether a setting belongs to entries that were not chosen."""
    return any(registry.owners(name) for registry in (kind.general or kind).doors.values())


def _same(info: FieldInfo, value: Any) -> bool:
    """Whether a value, perhaps as text, is the default."""
    try:
        return bool(TypeAdapter(type(info.default)).validate_python(value) == info.default)
    except ValidationError:
        return False


def _line(text: str, key: str) -> int:
    """The line of a top-level key, the first where it cannot be told."""
    spelled = re.escape(word(key)).replace("_", "[-_]")
    found = re.search(rf"^\s*\[?\s*[\"']?{spelled}_*\b", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1
