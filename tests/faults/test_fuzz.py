"""bench/fuzz.py in short: everything that reads takes mutated inputs, or refuses them in a line."""

from __future__ import annotations

import random
import sys
from importlib import import_module
from pathlib import Path

import pytest

from aurify.parsing import parse_json, parse_toml
from aurify.toml import tomllib

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
fuzz = import_module("fuzz")
sys.path.pop(0)

NAMES = [
    "questions, JSON Lines", "questions, JSON", "questions, CSV", "questions, Parquet", "answers, all types",
    "samples, JSON Lines", "rationale table", "memory of a checkpoint", "metrics", "configuration, train",
    "configuration, distill", "configuration of a run", "an adapter's configuration", "the record of a prompt",
]  # fmt: skip


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return fuzz.targets(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("name", NAMES)
def test_mutated_inputs_are_taken_or_refused_in_a_line(name, targets):
    assert set(targets) == set(NAMES)
    found = fuzz.fuzz(targets[name], random.Random(name), inputs=40)
    assert found.inputs == 40
    assert found.faults == []


def test_a_fault_is_seen():
    def fragile(content: bytes) -> None:
        if b"[[[" in content:
            raise RecursionError("too deep")

    found = fuzz.fuzz(fuzz.Target([b"seed"], fragile), random.Random(0), inputs=300)
    assert any("RecursionError" in fault for fault in found.faults)


def test_what_cannot_be_parsed_is_one_kind_of_error():
    for text in ("a = " + "[" * 5000, "a = " + "9" * 5000, "a", "a.b = {c = " + "{d = " * 3000):
        with pytest.raises(tomllib.TOMLDecodeError):
            parse_toml(text)
    for text in ("[" * 100_000, "9" * 5000, "{", ""):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
    assert parse_toml("a = [1, [2]]") == {"a": [1, [2]]}
    assert parse_json('{"a": [1]}') == {"a": [1]}
