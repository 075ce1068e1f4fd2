"""Rooms import in one direction: each only those that stand before it here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "aurify"

ORDER = (
    # what everything stands on
    *("text", "errors", "seeds", "clock", "bounded", "files", "lock", "toml", "registry", "settings"),
    # what is asked and answered, by whom
    *("answers", "questions", "asking", "nugget", "models", "sampling", "rationales"),
    # what is learned
    *("methods", "statistics", "running", "training", "distillation"),
    # what is done with it, and with what others wrote
    *("collecting", "voting", "evaluation", "comparison", "doctor"),
    # how it is called
    *("api", "__init__", "cli", "__main__"),
)


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
        for line, other in against_the_order(
            file.relative_to(SOURCE).with_suffix("").parts[0], ast.parse(file.read_text())
        )
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
