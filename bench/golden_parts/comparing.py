"""What counts as equal, and what is said of it."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from golden_parts.ways import UNKNOWN

INTERVAL = {"low", "high"}
"""The ends of an interval, a function of two counts beside them: its formula may be another library's."""
RULE = """A run is equal where all that both recordings have of it is: weights, optimiser, checkpoint, the columns of
tables and chains, and the values of metrics, bit for bit; the ends of intervals, which follow from the counts beside
them, up to a relative 1e-12. A file that is missing AFTER differs. Columns and metrics that only one of the two has are
listed below, and so are runs of methods and settings that BEFORE does not know; they are not compared."""


class Finding(NamedTuple):
    """What is not as it was: ``kind`` is "differs", "gone" or "new"; ``twins`` are new names with the values gone."""

    kind: str
    place: tuple[str, ...]
    twins: frozenset[str] = frozenset()

    @property
    def artefact(self) -> str:
        """Which of the files of a run; of a comparison, of one of its runs."""
        return artefact(self.place[0])

    @property
    def name(self) -> str:
        return ".".join([self.artefact, *(step for step in self.place[1:] if step != "columns")])


def compare(before: Path, after: Path) -> int:
    """Print what is equal and what is not, by run and by artefact; 1 where something differs or is missing."""
    one, two = (json.loads(path.read_text(encoding="utf-8"))["runs"] for path in (before, after))
    print(RULE, end="\n\n")
    found: dict[str, list[Finding]] = {}
    missing, new = 0, 0
    for name in dict.fromkeys([*one, *two]):
        if is_new(one.get(name), two.get(name)):
            new += 1
            print(f"{name:24} only in AFTER: {one[name]['failed']}")
        elif lacking := what_lacks(one.get(name), two.get(name)):
            missing += 1
            print(f"{name:24} {lacking}")
        else:
            found[name] = list(differences(one[name], two[name]))
            print(f"{name:24} {said(found[name])}")
    print(f"\n{by_artefact(one, found)}")
    for kind in ("gone", "new"):
        print(f"{kind}: {'; '.join(only_one_has(kind, found)) or 'nothing'}")
    equal = sum(not differing(findings) for findings in found.values())
    count = len(found) + missing
    print(f"{equal} of {count} runs equal in all that both have" + (f"; {new} runs only in AFTER" if new else ""))
    return int(equal < count)


def is_new(one: dict[str, Any] | None, two: dict[str, Any] | None) -> bool:
    """Whether the run is one that the source before does not know, and the one after does."""
    before, after = (run or {} for run in (one, two))
    return before.get("failed", "").startswith(UNKNOWN) and bool(after) and "failed" not in after


def what_lacks(one: dict[str, Any] | None, two: dict[str, Any] | None) -> str:
    """Which of two recordings of a run there is not, or nothing."""
    for which, run in (("before", one), ("after", two)):
        if run is None or "failed" in run:
            return f"FAILED {which}: {run['failed']}" if run else f"not recorded {which}"
    return ""


def differences(one: Any, two: Any, place: tuple[str, ...] = ()) -> Iterator[Finding]:
    """All that is not equal in two parts of a recording, by ``RULE``; lines of metrics have one place together."""
    if isinstance(one, dict) and isinstance(two, dict):
        new = two.keys() - one.keys()
        for key in dict.fromkeys([*one, *two]):
            here = (*place, key)
            if key in new:
                yield Finding("new", here)
            elif key in two:
                yield from differences(one[key], two[key], here)
            else:
                twins = frozenset(other for other in new if two[other] == one[key])
                yield Finding("gone" if place else "differs", here, twins)
    elif isinstance(one, list) and isinstance(two, list):
        if len(one) != len(two):
            yield Finding("differs", (*place, "length"))
        for pair in zip(one, two, strict=False):
            yield from differences(*pair, place)
    elif not same(place, one, two):
        yield Finding("differs", place)


def same(place: Sequence[str], one: Any, two: Any) -> bool:
    if place and place[-1] in INTERVAL and isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-12)
    return type(one) is type(two) and bool(one == two)


def differing(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.kind == "differs"]


def said(findings: Sequence[Finding]) -> str:
    """One line of one run."""
    names = dict.fromkeys(finding.name for finding in differing(findings))
    return f"differs: {', '.join(names)}" if names else "equal"


def artefact(part: str) -> str:
    return part.rpartition(": ")[2]


def by_artefact(one: dict[str, Any], found: dict[str, list[Finding]]) -> str:
    """In how many of the runs that have an artefact it is equal."""
    having, equal = defaultdict[str, int](int), defaultdict[str, int](int)
    for run, findings in found.items():
        broken = {finding.artefact for finding in differing(findings)}
        for kind in dict.fromkeys(map(artefact, one[run])):
            having[kind] += 1
            equal[kind] += kind not in broken
    return "\n".join(f"{kind:24} equal in {equal[kind]} of {having[kind]} runs" for kind in having)


def only_one_has(kind: str, found: dict[str, list[Finding]]) -> list[str]:
    """Columns and metrics that one recording lacks; of one gone, which new one has its values wherever it is gone."""
    runs, twins = defaultdict[str, set[str]](set), dict[str, frozenset[str]]()
    for run, findings in found.items():
        for finding in findings:
            if finding.kind == kind:
                runs[finding.name].add(run)
                twins[finding.name] = twins.get(finding.name, finding.twins) & finding.twins
    values = {name: f", with the values of {' and '.join(sorted(same))}" for name, same in twins.items() if same}
    return [f"{name} ({len(runs[name])} runs{values.get(name, '')})" for name in sorted(runs)]
