"""Each idea has a name of its own, so that a public name of a module says which one is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "aurify"

SHARED = {
    "main": "what a module does as a program",
    "register": "what each module of cli/ gives the command line",
    "run": "the command of each module of cli/",
}
"""Names that are right for several modules, with what they mean in all of them."""


def names(tree: ast.Module) -> Iterable[tuple[str, str]]:
    """(name, what it is) of every public class, function and constant that a module defines at its top level.

    A type's short form (``Floats = NDArray[np.float64]``) and a type variable are told by how they are written, since
    those that are written alike are one idea; anything else is told by its name alone.
    """
    for node in tree.body:
        found: list[tuple[str, str]] = []
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found = [(node.name, "")]
        elif isinstance(node, ast.Assign):
            stored = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            found = [(name, _as_type(node.value)) for name in stored]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found = [(node.target.id, "")]
        yield from ((name, what) for name, what in found if not name.startswith("_"))


def _as_type(value: ast.expr) -> str:
    written = ast.unparse(value)
    return written if written.startswith(("NDArray[", "TypeVar(")) else ""


def of_two_ideas(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that several modules define, and the modules; the values of ``modules`` are their source."""
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for module, source in modules.items():
        for name, what in names(ast.parse(source)):
            places[name].append((module, what))
    return {
        name: [module for module, _ in where]
        for name, where in places.items()
        if len({module for module, _ in where}) > 1 and (not where[0][1] or len({what for _, what in where}) > 1)
    }


def test_a_public_name_is_of_one_idea_in_the_package() -> None:
    modules = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert sum(len(list(names(ast.parse(source)))) for source in modules.values()) > 1000
    found = of_two_ideas(modules)
    assert {name: where for name, where in found.items() if name not in SHARED} == {}
    assert set(SHARED) <= set(found), "a name that is no longer shared"
    commands = [where for name in ("register", "run") for where in found[name]]
    assert all(where.startswith("cli/") for where in commands)


def test_what_counts_as_a_name_of_two_ideas() -> None:
    assert of_two_ideas({"a": "PART = 1", "b": "PART: int = 2"}) == {"PART": ["a", "b"]}
    assert of_two_ideas({"a": "A, B = 1, 2", "b": "def B(): ...", "c": "class A: ..."}) == {
        "A": ["a", "c"],
        "B": ["a", "b"],
    }
    assert of_two_ideas({"a": "Row = tuple[str]", "b": "class Row: ...", "c": "if 1:\n    Row = 2"}) == {
        "Row": ["a", "b"]
    }
    assert of_two_ideas({"a": "_PART = 1\nA = 1\nA = 2", "b": "_PART = 2\nfrom a import A\ndef f():\n    A = 3"}) == {}
    assert of_two_ideas({"a": "Item = TypeVar('Item')", "b": "Item = TypeVar('Item')"}) == {}
    assert of_two_ideas({"a": "Ints = NDArray[np.int64]", "b": "Ints = NDArray[np.int32]"}) == {"Ints": ["a", "b"]}
