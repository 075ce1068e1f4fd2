"""The documentation as a site: it builds without a warning, its links hold, and it fetches nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str):
    """A script of docs/tools as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site."""
    for needed in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: pip install 'aurify[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_link_anchor_and_picture_of_the_site_is_there_and_nothing_is_fetched(site):
    found, outside = tool("links").faults(site)
    assert found == []
    assert outside > 0


def test_formulas_commands_and_docstrings_are_in_the_pages(site):
    assert "<math" in (site / "concepts" / "nat.html").read_text(encoding="utf-8")
    assert 'id="aurify-evaluate"' in (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert 'id="aurify.train"' in (site / "reference" / "python.html").read_text(encoding="utf-8")


def test_a_link_that_leads_nowhere_and_one_that_fetches_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="x"></h1><a href="b.html">b</a> <a href="#y">y</a> <a href="#x">x</a> <a href="https://e.org">e</a>'
        '<script src="https://e.org/s.js"></script>'
    )
    assert tool("links").faults(tmp_path) == (
        ["a.html: b.html: no such file", "a.html: #y: no such anchor", "a.html: loads https://e.org/s.js"],
        2,
    )


def test_the_notebook_is_the_tutorial():
    notebook = tool("notebook")
    page = notebook.PAGE.read_text(encoding="utf-8")
    assert notebook.NOTEBOOK.read_text(encoding="utf-8") == notebook.notebook(page), "python docs/tools/notebook.py"
    small = notebook.notebook("Hi\n\n    make install\n    aurify check a  # why\n\nEnd\n")
    assert small.count('"!aurify check a"') == 1


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_can_be_read_aloud(picture):
    root = ElementTree.parse(picture).getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert all(root.findtext(f"{name}{part}") for part in ("title", "desc"))


def test_lists_stand_apart_from_the_paragraph_before_them():
    """Forges show a list that follows a paragraph's line; the site would run it into the paragraph."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        before, fenced = "", False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            fenced ^= line.startswith("```")
            begins = line.startswith(("- ", "1. ")) and not fenced
            assert not begins or before.startswith(("- ", "  ", "1. ")) or not before, f"{path.name}:{number}"
            before = line
