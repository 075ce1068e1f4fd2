"""``aurify chat``: both models of a run, asked from a pipe and at a terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import aurify
from aurify.cli import chat
from aurify.cli.app import build, exit_status
from aurify.evaluation.beside import BesideEachOther, beside_each_other
from aurify.nugget import generate
from aurify.questions import Question


class Typing(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step, large enough to change what the model says."""
    out = tmp_path_factory.mktemp("chat") / "run"
    questions = generate("object_counting", 10, seed=3)
    aurify.train(
        "trice", model="nugget", data=questions, out=out, steps=1, lr=5e-3, memory="none", holdout=0.2,
        baseline="batch",
    )  # fmt: skip
    return out


def ask(run: Path, typed: str, capfd: pytest.CaptureFixture[str], monkeypatch: Any, *words: str) -> tuple[str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert exit_status(build, ["chat", str(run), *words]) == 0
    return capfd.readouterr()


def test_a_question_of_the_run_has_a_verdict_by_its_text_and_by_its_id_and_any_other_has_none(run, capfd, monkeypatch):
    question = generate("object_counting", 1, seed=3)[0]
    other = "I have a lamp and a chair. How many objects do I have?"
    out, said = ask(run, f"{question.text}\n\n{question.id}\n{other}\n", capfd, monkeypatch)
    by_text, by_id, free = out.strip().split("\n\n")
    assert by_text == by_id
    assert by_text.startswith(("before: right (", "before: wrong ("))
    assert "\nafter: " in by_text
    assert free.startswith("before\n")
    assert "\nafter\n" in free
    assert "prompt: plain" in said


def test_what_holds_for_both_models_is_said_once(run, capfd, monkeypatch):
    monkeypatch.setattr("aurify.models.device.device_line", lambda device: "device: a fast one")
    assert ask(run, "", capfd, monkeypatch)[1].count("device: a fast one") == 1


def test_what_is_said_is_what_the_models_say_and_greedy_says_it_again(run):
    typed = "I have a lamp and a chair. How many objects do I have?"
    with beside_each_other(str(run)) as pair:
        first, again = pair.ask(typed), pair.ask(typed)
        drawn = [pair.ask(typed, temperature=1.0)[1].text for _ in range(4)]
    assert [one.text for one in first] == [one.text for one in again]
    assert first[0].model == "nugget"
    assert first[1].model == str(run / "model")
    assert len(set(drawn)) > 1


def test_samples_differ_by_their_seed_and_not_by_anything_else(run, capfd, monkeypatch):
    typed = "I have a lamp, two pigs and a chair. How many objects do I have?\n" * 3
    zero, again, one = (ask(run, typed, capfd, monkeypatch, "--sample", "--seed", s)[0] for s in ("0", "0", "1"))
    assert zero == again != one


def test_a_seed_of_nothing_is_said(run, capfd, monkeypatch):
    assert "--seed: the most likely answer has no seed" in ask(run, "", capfd, monkeypatch, "--seed", "3")[1]
    assert "--seed" not in ask(run, "", capfd, monkeypatch, "--seed", "3", "--sample")[1]


def test_at_a_terminal_it_asks_for_lines_until_the_end_of_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Typing("one\n\n two \n"))
    assert list(chat.questions()) == ["one", "two"]
    assert "Ctrl-D" in capsys.readouterr().err


def test_columns_where_there_is_room_else_one_below_the_other():
    left, right = "before: wrong (no)\n" + "word " * 20, "after\nshort"
    wide = chat.side_by_side(left, right, width=80).splitlines()
    assert max(map(len, wide)) <= 80
    assert wide[0] == f"{'before: wrong (no)':<38} | after"
    assert wide[1].endswith("| short")
    assert chat.side_by_side(left, right, width=60) == f"{left}\n{right}\n"


def test_a_question_is_found_however_its_white_space_is_typed():
    question = Question("q", "a\nb c", "1", "number")
    assert BesideEachOther({"a b c": question}, []).question(" a\n b\tc ") is question


@pytest.mark.parametrize(
    ("made", "told"), [(False, "no folder of a run"), (True, "has no model yet")], ids=["nothing there", "not ended"]
)
def test_a_folder_without_both_models_is_one_line(made, told, tmp_path, capfd, monkeypatch):
    if made:
        (tmp_path / "config.toml").write_text('model = "nugget"\n')
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    assert exit_status(build, ["chat", str(tmp_path)]) == 1
    out, error = capfd.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert told in error
