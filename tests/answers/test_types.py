from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from distribution import installed

from aurify.answers import ANSWER_TYPES, answer_type
from aurify.answers.custom import Comparison
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable
from aurify.answers.reward import Reward
from aurify.collecting.settings import SampleSettings
from aurify.errors import UsageError
from aurify.settings import resolve

EQUAL = {"number": ("1,450", "1450.0"), "choice": ("b)", "(B)"), "text": ("Yes.", "yes"), "math": ("1/2", "0.5")}
OTHER = {"number": "1451", "choice": "(C)", "text": "no", "math": "0.25"}


COMPARING = [word for word in ANSWER_TYPES.entries if answer_type(word).compares]


@pytest.mark.parametrize("word", COMPARING)
def test_every_type_reads_and_compares(word: str) -> None:
    kind = answer_type(word)
    assert (kind.word, bool(kind.about)) == (word, True)
    ours, theirs, other = (kind.read(text, {}) for text in (*EQUAL[word], OTHER[word]))
    assert kind.same(ours, theirs)
    assert not kind.same(ours, other)
    with pytest.raises(Unreadable):
        kind.read("", {})


def test_a_function_of_the_users_is_a_type_that_a_worker_compares() -> None:
    kind = answer_type("operator:eq")
    assert kind.same("a", "b") == Job("custom", "a", "b", "operator:eq")
    assert kind.in_worker
    assert kind.read(" a ", {}) == "a"
    with pytest.raises(Unreadable):
        kind.read(" ", {})


ROMAN = """
from aurify.answers.answer_type import AnswerType

ROMAN = AnswerType(
    "roman", "Roman numerals", lambda text, _: text.strip(" .").upper(), lambda a, b: "same" if a == b else None
)
"""


def test_a_distribution_brings_a_type_under_a_word(run_aurify, tmp_path):
    """The first command begins with the interpreter, as a user's does."""
    site = installed(tmp_path / "site", "aurify.answers", {"roman": "ours:ROMAN", "lost": "gone:TYPE"}, {"ours": ROMAN})
    env = {"PYTHONPATH": os.pathsep.join([*os.environ.get("PYTHONPATH", "").split(os.pathsep), str(site)])}
    preds = {"So the answer is xiv.": "right", "So the answer is XV.": "wrong"}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"gold": "XIV", "pred": pred}) + "\n" for pred in preds))
    done = run_aurify("grade", "rows.jsonl", "--answers", "roman", env=env)
    assert done.returncode == 0, done.stderr
    assert [json.loads(row)["verdict"] for row in done.stdout.splitlines()] == list(preds.values())
    lost = run_aurify("grade", "rows.jsonl", "--answers", "lost", path=[site])
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "aurify.answers entry point gone:TYPE raised ModuleNotFoundError" in lost.stderr
    for words in (("grade", "--help"), ("train", "trice", "--help")):
        helped = run_aurify(*words, path=[site])
        assert helped.returncode == 0, helped.stderr
    (tmp_path / "questions.jsonl").write_text('{"question": "1 plus 1?", "answer": 2}\n')
    train = ("train", "trice", "--model", "nugget", "--data", "questions.jsonl", "--holdout", 0, "--dry-run")
    planned = run_aurify(*train, path=[site])
    assert planned.returncode == 0, planned.stderr


@pytest.mark.parametrize("word", ["numbers", "mine:", ":same", ""])
def test_an_unknown_word_names_the_nearest(word: str) -> None:
    with pytest.raises(UsageError, match=r"--answers .*(did you mean|known: number)"):
        answer_type(word)


def test_so_it_does_among_settings() -> None:
    with pytest.raises(UsageError, match=r"--answers .*did you mean 'number'"):
        resolve(SampleSettings, {"model": "nugget", "data": "d", "out": "o", "answers": "numbers"})


def test_a_function_is_imported_where_it_is_checked() -> None:
    with pytest.raises(UsageError, match="no_such_module"):
        answer_type("no_such_module:same")


def test_a_function_that_no_worker_could_import_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("made_by_hand")
    for module, name in ((sys.modules["__main__"], "__main__"), (made, "made_by_hand")):
        monkeypatch.setattr(module, "same", lambda pred, gold: pred == gold, raising=False)
        monkeypatch.setitem(sys.modules, name, module)
        with pytest.raises(UsageError, match=f"--answers {name}:same: .*put it in a file") as error:
            answer_type(f"{name}:same")
        assert "\n" not in str(error.value)
    assert answer_type("operator:eq").word == "operator:eq"  # of no file, and imported anywhere


def test_a_function_that_is_another_after_a_reload_is_judged_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited.py"
    file.write_text("def own(pred, gold): return True\n")
    assert isinstance(answer_type("edited:own"), Comparison)
    file.write_text("def own(completions, **columns): return [1.0]\n")
    importlib.reload(sys.modules["edited"])
    assert isinstance(answer_type("edited:own"), Reward)
    assert answer_type("edited:own") is answer_type("edited:own")
