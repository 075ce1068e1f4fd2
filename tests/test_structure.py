"""Rooms import in one direction, and nothing outside the package reaches for its private names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "aurify"

ORDER = (
    # what everything stands on
    *(
        "on_demand",
        "text",
        "errors",
        "other_names",
        "seeds",
        "clock",
        "progress",
        "pulse",
        "garbage",
        "bounded",
        "files",
        "held_back",
        "lock",
        "toml",
        "parsing",
        "registry",
        "settings",
        "unused",
    ),
    "sandbox",
    # what is asked and answered, by whom
    *("answers", "questions", "asking", "nugget", "models", "sampling", "rationales"),
    # what is learned
    *("methods", "statistics", "running", "training", "distillation"),
    # what is done with it, and with what others wrote
    *("collecting", "voting", "evaluation", "comparison", "doctor", "report"),
    # how it is called
    *("api", "__init__", "cli", "__main__"),
)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of ours that runs; those that serve type annotations alone do not."""
    skipped = {id(node) for branch in ast.walk(tree) if _for_types(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"aurify.{one.name}" for one in node.names] if node.module == "aurify" else [node.module]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        else:
            continue
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("aurify."))


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def against_the_order(room: str, tree: ast.Module) -> list[tuple[int, str]]:
    return [
        (line, other)
        for line, other in imported(tree)
        if other in ORDER and other != room and ORDER.index(other) > ORDER.index(room)
    ]


def test_every_room_stands_in_the_order():
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms == set(ORDER)


def test_rooms_import_only_what_stands_before_them():
    wrong = [
        f"{file.relative_to(SOURCE)}:{line} imports {other}"
        for file in sorted(SOURCE.rglob("*.py"))
        for line, other in against_the_order(file.relative_to(SOURCE).with_suffix("").parts[0], parsed(file))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from aurify.training.em import Visit", ["training"]),
        ("def f():\n    import aurify.training.em", ["training"]),
        ("from aurify import cli", ["cli"]),
        ("if TYPE_CHECKING:\n    from aurify.training.em import Visit", []),
        ("from aurify.answers import Grader\nfrom aurify.models import load_model\nimport aurifying.training", []),
    ],
)
def test_an_import_against_the_order_is_found(source, found):
    assert [other for _, other in against_the_order("models", ast.parse(source))] == found


def private_names(tree: ast.Module) -> set[str]:
    """Every function, class, variable and attribute that begins with one underscore."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return {name for name in found if re.match("_[a-zA-Z]", name)}


def reached(tree: ast.Module, names: set[str]) -> list[tuple[int, str]]:
    """(line, name) wherever one of the names is taken from another object or module, or patched by its name."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, one.name) for one in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value.rpartition(".")[2]))
    return [(line, name) for line, name in found if name in names]


def test_nothing_outside_the_package_reaches_for_its_private_names():
    names = set().union(*(private_names(parsed(file)) for file in SOURCE.rglob("*.py")))
    assert len(names) > 100
    root = SOURCE.parents[1]
    assert not [
        f"{file.relative_to(root)}:{line} {name}"
        for folder in ("tests", "bench", "examples")
        for file in sorted((root / folder).rglob("*.py"))
        for line, name in reached(parsed(file), names)
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("from aurify.models.heap import _trim", [1]),
        ("monkeypatch.setattr(heap, '_trim', None)", [1]),
        ("monkeypatch.setattr('aurify.models.heap._trim', None)", [1]),
        ("found = sampler.engine()\nfound._trim()", [2]),
        ("self._trim = 1\nassert row._asdict()\ntrim = heap.trim", []),
    ],
)
def test_a_reach_for_a_private_name_is_found(source, lines):
    assert [line for line, _ in reached(ast.parse(source), {"_trim"})] == lines
