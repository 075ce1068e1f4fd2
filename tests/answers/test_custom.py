"""Which function a word names, and which word a function gets."""

from __future__ import annotations

import code
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aurify.answers.custom import is_given, load_custom, word_of
from aurify.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path / "nothing"))  # what is added to the path goes with the test
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_a_file_is_named_by_its_path_wherever_it_lies(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name / "code.py").write_text(f"def where(pred, gold): return '{name}'\n")
    assert [load_custom(f"{name}/code.py:where")("", "") for name in ("a", "b")] == ["a", "b"]
    assert load_custom("a/code.py:where") is load_custom(f"{folder}/b/../a/code.py:where"), "imported once"
    assert load_custom("code:interact") is code.interact, "the library's module is still that"


def test_a_file_finds_its_neighbours(folder: Path) -> None:
    (folder / "a" / "neighbour_of_a_reward.py").write_text("SEVEN = 7\n")
    (folder / "a" / "reward.py").write_text(
        "from neighbour_of_a_reward import SEVEN\n"
        "class Judge:\n    @staticmethod\n    def seven(pred, gold): return SEVEN\n"
    )
    assert load_custom("a/reward.py:Judge.seven")("", "") == 7


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        ("a/reward.py:score", None, "there is no file a/reward.py"),
        ("a:score", "def score(): ...\n", "the module 'a' has no function 'score'"),
        ("a/reward:score", "def score(): ...\n", "No module named 'a/reward': a file is a/reward.py:score"),
        ("a/reward.py:scor", "def score(): ...\n", "has no function 'scor': did you mean 'score'?"),
        ("a/reward.py:score", "score = 5\n", "'score' is not a function"),
        ("a/reward.py:score", "1 / 0\n", "importing 'a/reward.py' raised ZeroDivisionError: division by zero"),
        ("a/reward.py:score", "import re\nre.nothing\n", "importing 'a/reward.py' raised AttributeError: module 're'"),
        ("a/reward.py:score", "import no_such_module\n", "No module named 'no_such_module'"),
        ("a/reward.py:score", "def score(:\n", "importing 'a/reward.py' raised SyntaxError"),
    ],
)
def test_what_is_not_there_is_one_line(folder: Path, word: str, text: str | None, said: str) -> None:
    if text is not None:
        (folder / "a" / "reward.py").write_text(text)
    with pytest.raises(UsageError) as error:
        load_custom(word)
    assert str(error.value).startswith(f"--answers {word}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def score(completions: list[str], **columns: Any) -> list[float]:
    return [1.0]


class Judge:
    def __call__(self, completions: list[str]) -> list[float]:
        return [1.0]

    def method(self, completions: list[str]) -> list[float]:
        return [0.5]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (score, "score"),
        ([score], "score"),
        (partial(score, weight=2), "score"),
        (Judge(), "Judge"),
        (Judge().method, "Judge.method"),
        (lambda completions: [1.0], "<lambda>"),
    ],
)
def test_a_function_that_python_gives_has_a_word(given: Any, name: str) -> None:
    word = word_of(given)
    assert word == f"{__name__}:{name}"
    assert is_given(word)
    assert load_custom(word) == (given[0] if isinstance(given, list) else given)


def made(value: float) -> Callable[..., list[float]]:
    def inner(completions: list[str]) -> list[float]:
        return [value]

    return inner


def test_the_last_that_was_given_is_meant() -> None:
    first, second = word_of(made(1.0)), word_of(made(2.0))
    assert first == second
    assert load_custom(second)([""]) == [2.0]
    with pytest.raises(UsageError, match="by this name nobody finds a function: give it"):
        load_custom(f"{__name__}:another.<locals>.inner")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([score, made(1.0)], r"found a list: one function .* may call others: def both\(completions"),
        ((), "found a tuple: one function"),
        ({"score": score}, "found a dict: one function"),
        (5, "found a int: expected a word or a function"),
    ],
)
def test_what_is_no_function_is_one_line(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=f"^answers: {said}"):
        word_of(given)
