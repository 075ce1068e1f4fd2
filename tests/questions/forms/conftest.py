from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurify.questions import LoadedQuestions, read_questions

Load = Callable[..., LoadedQuestions]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Read rows as a file of questions; bad rows are kept in ``skipped``."""

    def run(*rows: dict[str, Any], **options: Any) -> LoadedQuestions:
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return read_questions(file, skip_bad=True, **options)

    return run
