"""A line in any module finds its test: by its path, or by the table of tests/README.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE, TESTS = ROOT / "src" / "aurify", ROOT / "tests"


@cache
def modules() -> dict[str, Path]:
    """Every module that defines something, by its path inside the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        if any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in body):
            found[path.relative_to(PACKAGE).as_posix()] = path
    return found


def by_path(module: str) -> Path:
    """The test that mirrors a module's path."""
    folder, _, name = module.rpartition("/")
    return TESTS / folder / f"test_{name}"


@cache
def table() -> list[tuple[str, str]]:
    """The rows of tests/README.md in order: a module, or a pattern of modules, and its test."""
    text = (TESTS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \| `(.+?)` \|$", text, re.MULTILINE)
    return [(pattern, test) for patterns, test in rows for pattern in re.findall(r"`(.+?)`", patterns)]


def find_test(module: str) -> Path | None:
    """The test that a module's line finds."""
    if by_path(module).is_file():
        return by_path(module)
    return next((TESTS / test for pattern, test in table() if fnmatch(module, pattern)), None)


@cache
def imports(path: Path) -> frozenset[Path]:
    """The package's files that a file imports, at its top or inside a function; packages with what they re-export."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = re.findall(r"aurify\.[\w.]+", node.value)  # a module named in a table, or run in another process
        else:
            continue
        for name in names:
            place = (ROOT / "src").joinpath(*name.split("."))
            found |= {
                file
                for file in (place.with_suffix(".py"), place / "__init__.py", place / "__main__.py")
                if file.is_file()
            }
    return frozenset(found)


@cache
def reached(test: Path) -> frozenset[Path]:
    """What a test can run: all that it imports, and, where it runs the command line, the commands that it names."""
    text = test.read_text(encoding="utf-8")
    start = set(imports(test))
    if re.search(r"run_aurify|exit_status|\"-m\", \"aurify|fixture", text) or "def grade" in text or "attempt(" in text:
        commands = (PACKAGE / "cli").glob("*.py")
        start |= {path for path in commands if re.search(rf"[\"' ]{path.stem}[\"' ,]", text)}
    for helper in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE):
        start |= {
            path for folder in ("support", "claims") for path in [TESTS / folder / f"{helper}.py"] if path.is_file()
        }
    for folder in test.parents:
        if (folder / "conftest.py").is_file() and folder != TESTS and TESTS in folder.parents:
            start.add(folder / "conftest.py")
    seen: set[Path] = set()
    while start:
        path = start.pop()
        if path not in seen:
            seen.add(path)
            start |= imports(path)
    return frozenset(seen)


def test_every_module_has_a_test_by_its_path_or_by_the_table():
    assert not [module for module in modules() if find_test(module) is None]


def test_the_table_names_tests_that_are_there_and_modules_without_one_of_their_own():
    for pattern, test in table():
        assert (TESTS / test).is_file(), test
        if "*" not in pattern:
            assert pattern in modules(), pattern
            assert not by_path(pattern).is_file(), f"{pattern} has a test at its path"


def without_effect(rows: list[tuple[str, str]], names: Iterable[str]) -> list[str]:
    """The patterns of rows that are the first to fit no module: there is none, or earlier rows take all of them."""
    used = {next((pattern for pattern, _ in rows if fnmatch(name, pattern)), None) for name in names}
    return [pattern for pattern, _ in rows if pattern not in used]


def test_every_row_of_the_table_is_the_first_to_fit_some_module():
    assert not without_effect(table(), [module for module in modules() if not by_path(module).is_file()])


def test_a_row_without_effect_is_found():
    rows = [("a/one.py", "t"), ("a/*", "t"), ("a/two.py", "t"), ("b/*", "t")]
    assert without_effect(rows, ["a/one.py", "a/two.py"]) == ["a/two.py", "b/*"]
    assert without_effect(rows, ["a/one.py"]) == ["a/*", "a/two.py", "b/*"]
    assert without_effect(rows[:2], ["a/one.py", "a/two.py"]) == []


def test_the_test_of_a_module_reaches_it():
    lost = [module for module, path in modules().items() if (test := find_test(module)) and path not in reached(test)]
    assert not lost
