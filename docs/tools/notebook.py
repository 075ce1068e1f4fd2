"""The tutorial as a notebook: `python docs/tools/notebook.py` writes docs/tutorial.ipynb from docs/tutorial.md.

A block of commands becomes a cell of code, everything else text; a test holds that the two files tell the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
PAGE, NOTEBOOK = DOCS / "tutorial.md", DOCS / "tutorial.ipynb"
ELSEWHERE = ("make install", ". .venv/bin/activate")
"""Not for a notebook, whose kernel stands in the environment already."""


def notebook(page: str) -> str:
    """The notebook's file, with cells in the page's order and without outputs."""
    cells: list[dict[str, Any]] = []
    text: list[str] = []
    commands: list[str] = []

    def close(kind: str, lines: list[str]) -> None:
        source = "\n".join(lines).strip("\n")
        if source:
            cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, "source": source}
            cells.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
        lines.clear()

    fenced = False
    for line in page.splitlines():
        fenced ^= line.startswith("```")
        command = line[4:] if line.startswith("    ") and not fenced else ""
        if command and command not in ELSEWHERE:
            close("markdown", text)
            commands.append("!" + re.sub(r"\s+# .*", "", command))
        elif line or not commands:
            close("code", commands)
            text.append(line)
    close("code", commands)
    close("markdown", text)
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(notebook(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
