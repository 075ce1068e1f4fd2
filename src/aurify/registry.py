"""Open doors: what a word of ours names, what an installed distribution adds, and what ``module:Name`` names.

An entry is a frozen dataclass. Those of its fields that are made by ``setting`` are settings of the commands that take
the word: each is a flag, a TOML key and a line of config.toml.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

from pydantic import Field
from pydantic.fields import FieldInfo

from aurify.errors import UsageError, nearest
from aurify.other_names import method_elsewhere

T = TypeVar("T")
V = TypeVar("V")

_SETTING = "setting"
_MAY_CHANGE = "may_change"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def setting(default: V, description: str, *, may_change: bool = False, **limits: Any) -> V:
    """A field of an entry that a user may set.

    Args:
        default: its value where the user gives none.
        description: one line for the help.
        may_change: whether a resumed run may have another value, since it does not change what comes out.
        limits: pydantic's, such as ``ge=1``.
    """
    more = {**limits, "json_schema_extra": {_MAY_CHANGE: True}} if may_change else limits
    found: V = dataclasses.field(default=default, metadata={_SETTING: (description, more)})
    return found


def may_change(field: FieldInfo) -> bool:
    """Whether this setting was made so (see ``setting``)."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(_MAY_CHANGE))


class Alias(NamedTuple):
    """A word for what another word names already."""

    of: str
    because: str
    """Half a line, read after "WORD is OF here: "."""


class Registry(Generic[T]):
    """Entries by word; none is imported before it is asked for.

    Args:
        kind: what an entry is, for messages: "method".
        base: the class of which every entry is a subclass, as ``module:Name``.
        entries: ``module:Name`` by word.
        aliases: further words for some of them.
        group: the group of entry points in which other distributions name theirs. Our own words come first.
    """

    def __init__(
        self,
        kind: str,
        base: str,
        entries: Mapping[str, str],
        *,
        group: str,
        aliases: Mapping[str, Alias] | None = None,
    ) -> None:
        self.kind, self.group = kind, group
        self.entries, self.aliases = entries, aliases or {}
        self._base = base
        self._given: ContextVar[Mapping[str, Any]] = ContextVar(kind, default=_NOTHING)

    def words(self) -> list[str]:
        """The words of the package's own entries, then those of other distributions; without aliases."""
        return [*self.entries, *self._installed()]

    @contextmanager
    def given(self, entry: object) -> Iterator[str]:
        """A word that names this very class meanwhile: what its module has by its name may be another, or nothing.

        Raises:
            UsageError: it is no class.
        """
        if not isinstance(entry, type):
            raise UsageError(
                f"{self.kind}: found a {type(entry).__name__}: expected a word or a class (its settings are keywords)"
            )
        word = f"{entry.__module__}:{entry.__qualname__}"
        token = self._given.set({**self._given.get(), word: entry})
        try:
            yield word
        finally:
            self._given.reset(token)

    def load(self, word: str) -> type[T]:
        """The entry that a word names: its own, an alias, an installed one, or ``module:Name``.

        Raises:
            ValueError: it names none; half a line says why.
        """
        word = self.aliases[word].of if word in self.aliases else word
        if word in (given := self._given.get()):
            found = given[word]
        elif word in self.entries:
            found = _import(self.entries[word])
        elif word in self._installed():
            found = self._load_installed(word)
        elif ":" in word:
            found = _import_own(word)
        else:
            raise ValueError(self._unknown(word))
        return self._checked(found)

    def knows(self, word: str) -> bool:
        """Whether the word names an entry that can be loaded."""
        try:
            self.load(word)
        except ValueError:
            return False
        return True

    def own(self, word: str) -> dict[str, tuple[Any, FieldInfo]]:
        """The settings that belong to an entry: type and field by name.

        Raises:
            ValueError: the word names no entry.
        """
        entry: Any = self.load(word)
        try:
            types = get_type_hints(entry, include_extras=True)
        except NameError as error:
            raise ValueError(f"the type of one of its settings is not known when it runs: {error}") from None
        return {
            field.name: (types[field.name], Field(field.default, description=told[0], **told[1]))
            for field in dataclasses.fields(entry)
            if (told := field.metadata.get(_SETTING))
        }

    def defaults(self, word: str) -> dict[str, Any]:
        """The default of every field that is no setting of the entry's own."""
        entry: Any = self.load(word)
        fields = [field for field in dataclasses.fields(entry) if _SETTING not in field.metadata]
        return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}

    def owners(self, name: str) -> dict[str, FieldInfo]:
        """The words of the entries that have a setting of this name, and the setting of each."""
        found = {}
        for word in self.words():
            try:
                own = self.own(word)
            except ValueError:  # somebody else's, and broken: it is told when it is chosen
                continue
            if name in own:
                found[word] = own[name][1]
        return found

    def build(self, word: str, settings: object, *shared: str) -> T:
        """The entry with its settings as they are in ``settings``, and those of the ``shared`` ones that are given.

        Raises:
            UsageError: the entry refuses its settings.
            ValueError: it cannot be made.
        """
        entry: Any = self.load(word)
        values = {name: getattr(settings, name, None) for name in (*self.own(word), *shared)}
        try:
            built: T = entry(**{name: value for name, value in values.items() if value is not None})
        except TypeError as error:
            raise ValueError(f"it cannot be made: {error}") from None
        return built

    def note(self, word: str) -> str:
        """What a user who chose an alias should know, in one line; empty for any other word."""
        alias = self.aliases.get(word)
        return f"{word} is {alias.of} here: {alias.because}" if alias else ""

    def summary(self, word: str) -> str:
        """The first line of the entry's docstring; of an alias, what it is the same as."""
        return self.note(word) or (inspect.getdoc(self.load(word)) or "").partition("\n")[0]

    def summaries(self) -> Iterator[tuple[str, str]]:
        """Every word, aliases last, with its summary."""
        for word in [*self.words(), *self.aliases]:
            try:
                yield word, self.summary(word)
            except ValueError as error:
                yield word, f"cannot be loaded: {error}"

    def _installed(self) -> dict[str, metadata.EntryPoint]:
        taken = self.entries.keys() | self.aliases.keys()
        points = _entry_points(self.group, tuple(sys.path))
        return {point.name: point for point in points if point.name not in taken}

    def _load_installed(self, word: str) -> Any:
        """What another distribution names so; ValueError where it cannot be loaded."""
        point = self._installed()[word]
        try:
            return point.load()
        except Exception as error:
            whose = f"{self.group} entry point {point.value}"
            raise ValueError(f"loading the {whose} raised {type(error).__name__}: {error}") from error

    def _unknown(self, word: str) -> str:
        if told := method_elsewhere(word, self.words()):
            return told
        guess = nearest(word, [*self.words(), *self.aliases])
        known = "" if guess.startswith("known") else f" (known: {', '.join(self.words())})"
        return f"{guess}{known}; one of your own is module:Class"

    def _checked(self, found: Any) -> type[T]:
        base = _import(self._base)
        name = self._base.replace(":", ".")
        if not (isinstance(found, type) and issubclass(found, base)):
            raise ValueError(f"it is no {self.kind}, which is a subclass of {name}")
        if not dataclasses.is_dataclass(found):
            raise ValueError(f"it is no dataclass, as a {self.kind} must be: put @dataclass(frozen=True) before it")
        entry: Any = found
        return entry  # type: ignore[no-any-return]  # of this base, as just seen


@cache
def _entry_points(group: str, _path: tuple[str, ...]) -> metadata.EntryPoints:
    """What the distributions on this path name in a group; to find it, a file of each of them is read."""
    return metadata.entry_points(group=group)


def _import(spec: str) -> Any:
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


def _import_own(spec: str) -> Any:
    """What a user's ``module:Name`` names; the module may lie in the current folder."""
    module, _, name = spec.partition(":")
    if not module or not name:
        raise ValueError("expected module:Class")
    if os.getcwd() not in sys.path:  # last, so that nothing in the current folder can stand in for a library
        sys.path.append(os.getcwd())
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise ValueError(f"{error} (it is looked for in the current folder, too)") from None
    except Exception as error:
        raise ValueError(f"importing '{module}' raised {type(error).__name__}: {error}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            classes = [key for key, value in vars(found).items() if isinstance(value, type)]
            raise ValueError(f"'{module}' has no '{part}': {nearest(part, classes) if classes else 'nor any class'}")
        found = getattr(found, part)
    return found
