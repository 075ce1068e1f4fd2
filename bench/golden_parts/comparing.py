"""What counts as equal, and what is said of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from golden_parts.ways import UNKNOWN

INTERVAL = {"low", "high"}
"""The ends of an interval, a function of two counts beside them: its formula may be another library's."""
RULE = """Of the metrics, every value that BEFORE has must be equal in AFTER, bit for bit; the ends of intervals, which
follow from the counts beside them, up to a relative 1e-12. What only AFTER measures, and runs of methods and settings
that BEFORE does not know, are listed, not compared."""


def compare(before: Path, after: Path) -> int:
    """Print what is equal and what is not, run by run; 1 where something differs or is missing."""
    one, two = (json.loads(path.read_text(encoding="utf-8"))["runs"] for path in (before, after))
    print(RULE, end="\n\n")
    equal, added, new = 0, set[str](), 0
    names = list(dict.fromkeys([*one, *two]))
    for name in names:
        if is_new(one.get(name), two.get(name)):
            new += 1
            print(f"{name:24} only in AFTER: {one[name]['failed']}")
            continue
        said = difference(one.get(name), two.get(name), added)
        equal += not said
        print(f"{name:24} {said or f'equal ({len(one[name])} parts)'}")
    if added:
        print(f"\nmeasured only in {after}: {', '.join(sorted(added))}")
    print(f"{equal} of {len(names) - new} runs equal" + (f", {new} only in AFTER" if new else ""))
    return int(equal < len(names) - new)


def is_new(one: dict[str, Any] | None, two: dict[str, Any] | None) -> bool:
    """Whether the run is one that the source before does not know, and the one after does."""
    before, after = (run or {} for run in (one, two))
    return before.get("failed", "").startswith(UNKNOWN) and bool(after) and "failed" not in after


def difference(one: dict[str, Any] | None, two: dict[str, Any] | None, added: set[str]) -> str:
    """What is not equal in two records of a run, or nothing. ``added`` takes the metrics that only the second has."""
    for which, run in (("before", one), ("after", two)):
        if run is None or "failed" in run:
            return f"FAILED {which}: {run['failed']}" if run else f"not recorded {which}"
    assert one is not None
    assert two is not None
    parts = dict.fromkeys([*one, *two])
    different = [part for part in parts if part not in one or part not in two or not same(one[part], two[part], added)]
    return f"differs: {different}" if different else ""


def same(one: Any, two: Any, added: set[str]) -> bool:
    """Whether two parts are equal by ``RULE``."""
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(same(*pair, added) for pair in zip(one, two, strict=True))
    if isinstance(one, dict) and isinstance(two, dict):
        added.update(two.keys() - one.keys())
        return all(key in two and same_value(key, one[key], two[key], added) for key in one)
    return type(one) is type(two) and bool(one == two)


def same_value(key: str, one: Any, two: Any, added: set[str]) -> bool:
    if key in INTERVAL and isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-12)
    return same(one, two, added)
