"""Which entries of registries a command line names, before its flags can be read, and what the help says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aurify.settings import Settings, spelling, without_none
from aurify.toml import tomllib

HELP = ("-h", "--help")


def chosen_words(kind: type[Settings], arguments: Sequence[str], positional: str = "") -> dict[str, str]:
    """The words given for the fields with a registry, by field: in the arguments, else in the file of ``--config``.

    What follows an unknown flag may be its value or not; of several that may be the positional argument, it is the
    first that names an entry.
    """
    flags, free = _split(arguments, _with_a_value(kind))
    file = _file(flags.get("--config", ""))
    found = {}
    for field, registry in kind.doors.items():
        given = free if field == positional else [flags[flag] for flag in [spelling(field)] if flag in flags]
        for word in [*given, str(file.get(field, ""))]:
            if registry.knows(word):
                found[field] = word
                break
    return found


def entries_help(kind: type[Settings], words: Mapping[str, str], text: str) -> str:
    """The command's help text, and below it what its registries hold, or what was chosen from them."""
    paragraphs = [text]
    for field, registry in kind.doors.items():
        if field in words:
            paragraphs.append(f"{spelling(field, field).title()} {words[field]}. {registry.summary(words[field])}")
            continue
        rows = list(registry.summaries())
        width = max(len(word) for word, _ in rows) + 2
        listed = "\n".join(f"  {word:<{width}}{summary}" for word, summary in rows)
        paragraphs.append(f"\b\n{registry.kind.capitalize()}s:\n{listed}")
    return "\n\n".join(paragraphs)


def _with_a_value(kind: type[Settings]) -> set[str]:
    """The flags that take a value."""
    fields = kind.with_all_own().model_fields
    return {"--config", *(spelling(name) for name, info in fields.items() if without_none(info.annotation) is not bool)}


def _split(arguments: Sequence[str], with_a_value: set[str]) -> tuple[dict[str, str], list[str]]:
    """The values of flags, and the words that belong to no known flag."""
    flags: dict[str, str] = {}
    free: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            free += rest
        elif not word.startswith("-"):
            free.append(word)
        elif "=" in word:
            flag, _, value = word.partition("=")
            flags[flag] = value
        elif word in with_a_value:
            flags[word] = next(rest, "")
    return flags, free


def _file(path: str) -> dict[str, Any]:
    """A file's keys; none where it cannot be read, which is complained of later."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
