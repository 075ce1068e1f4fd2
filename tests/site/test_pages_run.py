"""What the documentation tells a reader to type works, page after page in one folder, as a reader would do it."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_steps import page_steps, take

ROOT = Path(__file__).parents[2]
FIRST = "docs/tutorial.md"
GUIDES = [
    path.relative_to(ROOT).as_posix()
    for room in ("guides", "concepts")
    for path in sorted((ROOT / "docs" / room).glob("*.md"))
    if list(page_steps(path.read_text(encoding="utf-8")))
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of somebody who has done the tutorial, and what was printed to them."""
    folder = tmp_path_factory.mktemp("reader")
    return folder, do(FIRST, folder)


def do(page: str, folder: Path) -> str:
    """Take every step of a page in a folder; what was printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        printed = []
        for step in page_steps((ROOT / page).read_text(encoding="utf-8").replace("MODEL", "nugget")):
            try:
                printed.append(take(step, folder))
            except (AssertionError, Exception) as error:
                pytest.fail(f"{page}:{step.line}: {step.text.strip()}: {error!r}")
        return "".join(printed)


def test_the_tutorial_runs_and_leaves_what_it_promises(reader):
    folder, printed = reader
    assert "questions     16 from questions.jsonl" in printed
    assert {path.name for path in (folder / "runs").iterdir()} >= {"trice", "star"}
    assert (folder / "runs" / "trice" / "report.html").is_file()


@pytest.mark.parametrize("page", [*GUIDES, "docs/index.md", "docs/your_model.md"])
def test_a_page_runs_in_the_folder_of_the_tutorial(page, reader, capsys):
    do(page, reader[0])


def test_steps_are_commands_python_and_files_and_not_what_needs_more():
    page = "Say `aurify x`.\n\n    aurify check a.jsonl \\\n        --limit 3    # why\n"
    page += "    aurify vote x   # needs a key\n    some output\n"
    page += "\n```python\n# my.py\nx = 1\n```\n\n```python\ny = 2\n```\n\n```text\naurify no\n```\n"
    page += "\n    make install\n"
    steps = [(step.kind, step.text, step.name) for step in page_steps(page)]
    assert steps == [
        ("command", "aurify check a.jsonl --limit 3", ""),
        ("file", "# my.py\nx = 1\n", "my.py"),
        ("python", "y = 2\n", ""),
    ]
