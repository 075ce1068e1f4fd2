from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aurify.questions import Question
from aurify.questions.fingerprint import changes, fingerprint, of_files

ONE, TWO, THREE = (Question(str(n), f"{n} + {n}?", str(2 * n), "number", where=f"f.jsonl:{n}") for n in (1, 2, 3))
BEFORE = fingerprint({"training questions": [ONE, TWO], "held-out questions": [THREE]})


def test_the_same_questions_from_another_place_are_the_same() -> None:
    moved = [replace(one, where=f"g.jsonl:{one.id}") for one in (ONE, TWO)]
    assert changes(BEFORE, fingerprint({"training questions": moved, "held-out questions": [THREE]})) is None


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ([ONE], "1 gone (2)"),
        ([ONE, TWO, replace(ONE, id="9")], "1 new (9)"),
        ([ONE, replace(TWO, answer="5")], "1 changed (2)"),
        ([ONE, replace(TWO, text="2 and 2?")], "1 changed (2)"),
        ([ONE, replace(TWO, accepted=("four",))], "1 changed (2)"),
        ([TWO, ONE], "the order is another"),
        ([], "2 gone (1, 2)"),
        ([*(replace(ONE, id=f"n{n}") for n in range(5))], "2 gone (1, 2), 5 new (n0, n1, n2, ...)"),
    ],
)
def test_what_changed_is_said(train: list[Question], told: str) -> None:
    now = fingerprint({"training questions": train, "held-out questions": [THREE]})
    assert changes(BEFORE, now) == f"training questions: {told}"


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "examples.txt"
    file.write_text("Q: a\nA: b")
    before = of_files([str(file), None, "Q: given\nA: as text", str(tmp_path / "none")])
    assert list(before) == [str(file)]
    file.write_text("Q: a\nA: c")
    assert changes({"files": before}, {"files": of_files([str(file)])}) == f"files: 1 changed ({file})"


def test_a_file_that_was_moved_is_the_same(tmp_path: Path) -> None:
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    for folder, text in ((here, "weights"), (there, "weights"), (other, "others")):
        folder.mkdir()
        (folder / "model.safetensors").write_text(text)
    before = {"model": of_files([str(here)])}
    assert changes(before, {"model": of_files([str(there)])}) is None
    assert changes(before, {"model": of_files([str(other)])}) == f"model: 1 gone ({here}), 1 new ({other})"
    assert changes(before, {"model": {}}) == f"model: 1 gone ({here})"
    assert changes({"model": {}}, before) == f"model: 1 new ({here})"
    both, swapped = [str(here), str(other)], [str(other), str(there)]
    assert changes({"model": of_files(both)}, {"model": of_files(swapped)})


def test_a_question_under_another_id_is_another() -> None:
    now = fingerprint({"training questions": [ONE, replace(TWO, id="9")], "held-out questions": [THREE]})
    assert changes(BEFORE, now) == "training questions: 1 gone (2), 1 new (9)"
