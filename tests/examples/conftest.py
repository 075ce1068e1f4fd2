from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import aurify
from aurify.nugget import generate

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def example() -> Callable[[str], ModuleType]:
    """Imports one of the examples by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def questions() -> list[Any]:
    return generate("web_of_lies", 24, seed=5)


@pytest.fixture(scope="session")
def source(questions: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose table holds right and wrong rationales of most questions."""
    out = tmp_path_factory.mktemp("runs") / "source"
    settings = {"steps": 1, "questions": 24, "samples": 5, "holdout": 0, "max_new_tokens": 90, "memory": "none"}
    return aurify.train("rloo", model="nugget", data=questions, out=out, **settings).out
