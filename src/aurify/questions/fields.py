"""The fields of a row: names without regard to case, dotted paths, and structures that are written as JSON text."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aurify.errors import nearest
from aurify.parsing import parse_json
from aurify.questions.gold import as_text
from aurify.questions.rows import RowError, json_type, show

_PYTHON = re.compile(r"\s*\[?\s*\{\s*'")
_WORDS = re.compile(r"[\W_]+")
_OF_IT = {"id", "no", "nr", "number", "type", "index", "date", "author", "level", "source"}
_LONGEST = 200_000
ID_FIELDS = ("id", "unique_id", "qid", "question_id", "custom_id", "uuid")


class Fields(Mapping[str, Any]):
    """What a row holds, by lower-case name; of two names that differ by case alone the first counts.

    ``final_answer`` also finds a field that people wrote ``Final Answer`` or ``final-answer``.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.original = values
        self._values: dict[str, Any] = {}
        self._spelled: dict[str, str] = {}
        for name, value in values.items():
            self._values.setdefault(str(name).lower(), value)
        for name in self._values:
            self._spelled.setdefault(_spelling(name), name)

    def __getitem__(self, name: str) -> Any:
        return self._values[name if name in self._values else self._spelled[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def filled(self, names: Sequence[str]) -> str | None:
        """The first of these names whose field holds something."""
        return next((name for name in names if self.get(name) not in (None, "", [])), None)

    def named(self, names: Sequence[str], what: str) -> str:
        """The first of these names whose field holds something, else the first that is there at all.

        Raises:
            RowError: none is.
        """
        found = self.filled(names) or next((name for name in names if name in self), None)
        if found is not None:
            return found
        have = ", ".join(show(name, 30) for name in list(self.original)[:12]) or "no field at all"
        like = [str(name).strip() for name in self.original if _tells(str(name), what)]
        meant = (
            f"did you mean --{what}-field {shlex.quote(like[0])}?"
            if len(like) == 1
            else f"--{what}-field names another"
        )
        raise RowError(f"no {what}: expected a field named {', '.join(names)}, found {have}; {meant}")

    def at(self, path: str) -> Any:
        """The value at a dotted path, such as ``reward_model.ground_truth`` or ``messages.0.content``.

        A field whose whole name is the path comes first. JSON text on the way is read.

        Raises:
            RowError: there is no such value.
        """
        if path in self.original or path.lower() in self:
            return self.original.get(path, self.get(path.lower()))
        if (spelled := self._spelled.get(_spelling(path))) is not None:
            return self[spelled]
        value: Any = self.original
        walked: list[str] = []
        for step in path.split("."):
            value = structure(value)
            if isinstance(value, Mapping) and (step in value or step.lower() in Fields(value)):
                value = value[step] if step in value else Fields(value)[step.lower()]
            elif is_list(value) and _place(step, value) is not None:
                value = value[int(step)]
            else:
                where = f" in '{'.'.join(walked)}', which is {json_type(value)}" if walked else ""
                known = [str(name) for name in value] if isinstance(value, Mapping) else []
                hint = f": {nearest(step, known)}" if known else ""
                raise RowError(f"no field '{step}'{where}{hint}")
            walked.append(step)
        return value

    def replaced(self, values: Mapping[str, Any], dropped: Sequence[str] = ()) -> Fields:
        """The same with other values, and without some names."""
        kept = {name: value for name, value in self.original.items() if _spelling(str(name)) not in {*values, *dropped}}
        return Fields({**values, **kept})


def _tells(name: str, what: str) -> bool:
    """Whether a name has ``what`` among its words, and none that makes it a number or a kind of that."""
    words = _WORDS.split(name.lower())
    return what in words and not _OF_IT.intersection(words)


def _spelling(name: str) -> str:
    """A lower-case name as data sets spell it, with an underscore where people write a space or a hyphen."""
    return "_".join(name.lower().replace("-", " ").split())


def structure(value: Any) -> Any:
    """The object or list that a JSON text spells, or the object or list of objects of a Python literal.

    Any other value as it is. A list of JSON counts only where it holds texts or objects: ``[1, 2]`` is an answer, and
    may be an interval.
    """
    found = json_structure(value)
    if not isinstance(found, str) or not _PYTHON.match(found) or len(found) > _LONGEST:
        return found
    try:
        spelled = ast.literal_eval(found.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return found
    objects = spelled if isinstance(spelled, list) and spelled else [spelled]
    return spelled if all(isinstance(one, dict) for one in objects) else found


def json_structure(value: Any) -> Any:
    """``structure`` of JSON alone."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    try:
        found = parse_json(value)
    except (ValueError, RecursionError):
        return value
    spelled = isinstance(found, dict) or (
        isinstance(found, list) and bool(found) and all(isinstance(one, (str, dict)) for one in found)
    )
    return found if spelled else value


def is_list(value: Any) -> bool:
    """Whether a value is a list, or another sequence of values."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def given_id(fields: Mapping[str, Any]) -> str | None:
    """The row's own id.

    Raises:
        RowError: it is neither text nor a whole number.
    """
    for name in ID_FIELDS:
        value = fields.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise RowError(f"'{name}' is {json_type(value)}: expected text or a whole number")
        return as_text(value, name)
    return None


def _place(step: str, values: Sequence[Any]) -> int | None:
    """The place that a step of a path names, counted from 0, or from the end as -1."""
    digits = step.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        return None
    return int(step) if -len(values) <= int(step) < len(values) else None
