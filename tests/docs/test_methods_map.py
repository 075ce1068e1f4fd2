"""docs/methods-map.md: every line has a proof, and every alias a line."""

from __future__ import annotations

import re
from pathlib import Path

from aurify.methods import METHODS

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (.+?) \| (.*?) \| .+ \| `(test_\w+\.py)`: `(test_\w+)` \|$",
    (ROOT / "docs" / "methods-map.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_every_line_names_a_test_that_is_there():
    lines = (ROOT / "docs" / "methods-map.md").read_text(encoding="utf-8").splitlines()
    assert len(ROWS) == sum(line.startswith("| ") for line in lines) - 2 > 15
    for _, _, file, test in ROWS:
        assert f"def {test}(" in (ROOT / "tests" / "claims" / file).read_text(encoding="utf-8")


def test_every_alias_has_a_line_that_says_what_it_is_of():
    told = {name.strip("`"): beside.strip("`") for name, beside, _, _ in ROWS}
    assert {word: told.get(word) for word in METHODS.aliases} == {
        word: alias.of for word, alias in METHODS.aliases.items()
    }
