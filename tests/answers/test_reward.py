"""Reward functions of TRL's form: told by their signature, called with columns, judged by a threshold."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from aurify.answers import Grader, answer_type
from aurify.answers.answer_type import Judging
from aurify.answers.custom import Comparison, word_of
from aurify.answers.grader import grader_of
from aurify.answers.reward import Reward
from aurify.collecting.settings import SampleSettings
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question, load_questions
from aurify.settings import resolve

MODULE = """
def compare(pred, gold):
    return pred == gold

def length(completions, **columns):
    return [len(one) / 10 for one in completions]

def matches(prompts, completions, answer, **kwargs):
    return [1.0 if f"<{a}>" in c else 0.0 for c, a in zip(completions, answer)]

def only_what_it_names(completions, answer):
    return [float(answer[0] in completions[0])]

def of_turns(completions, prompts, **kwargs):
    assert completions[0][0]["role"] == "assistant" and prompts[0][-1]["role"] == "user"
    return [float("yes" in completions[0][0]["content"])]

async def waits(completions, **kwargs):
    return [0.75]

def nothing(completions, **kwargs):
    return [None]

def as_a_dict(completions, **kwargs):
    return [{"score": 1, "acc": True}]

def a_bool(completions, **kwargs):
    return (True,)

def of_numpy(completions, **kwargs):
    import numpy
    return numpy.array([0.25], dtype=numpy.float32)

def no_score(completions, **kwargs):
    return [{"acc": 1.0}]

def a_dict_of_lists(completions, **kwargs):
    return {"score": [1.0]}

def digits(completions, **kwargs):
    return "1"

def leaves(completions, **kwargs):
    raise SystemExit(3)

def too_many(completions, **kwargs):
    return [1.0, 1.0]

def no_list(completions, **kwargs):
    return 1.0

def no_number(completions, **kwargs):
    return ["good"]

def not_finite(completions, **kwargs):
    return [float("nan")]

def raises(completions, **kwargs):
    raise KeyError("x")

def hangs(completions, **kwargs):
    while True:
        pass

def meets(completions, folder, **kwargs):
    import pathlib, time
    pathlib.Path(folder[0], completions[0]).touch()
    until = time.monotonic() + 20
    while len(list(pathlib.Path(folder[0]).iterdir())) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    return [float(time.monotonic() < until)]

def wants_ids(completions, completion_ids):
    return [1.0]

def by_keywords(**kwargs):
    return [float(len(kwargs["completions"]))]

def neither(one):
    return True
"""


@pytest.fixture(scope="module")
def rewards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rewards")
    (folder / "rewards_of_mine.py").write_text(MODULE)
    return folder


@pytest.fixture(autouse=True)
def in_the_folder(rewards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(rewards))


@pytest.fixture(scope="module")
def grader():
    with Grader(timeout=2) as found:
        yield found


def asked(tmp_path: Path, function: str, **row: object):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row) + "\n")
    return load_questions(file, answers=f"rewards_of_mine:{function}")


def test_the_signature_tells_a_reward_function_from_a_comparison() -> None:
    for name in ("length", "matches", "only_what_it_names", "waits", "by_keywords"):
        assert isinstance(answer_type(f"rewards_of_mine:{name}"), Reward)
    assert isinstance(answer_type("rewards_of_mine:compare"), Comparison)
    with pytest.raises(UsageError, match=r"neither a comparison .* nor a reward function"):
        answer_type("rewards_of_mine:neither")


@pytest.mark.parametrize(
    ("function", "text", "verdict", "reason", "score"),
    [
        ("length", "12345", "right", "reward 0.5, at least 0.5", 0.5),
        ("length", "1234", "wrong", "reward 0.4, below 0.5", 0.4),
        ("matches", "so <7>", "right", "reward 1, at least 0.5", 1.0),
        ("matches", "so 7", "wrong", "reward 0, below 0.5", 0.0),
        ("only_what_it_names", "7", "right", "reward 1, at least 0.5", 1.0),
        ("waits", "x", "right", "reward 0.75, at least 0.5", 0.75),
        ("by_keywords", "x", "right", "reward 1, at least 0.5", 1.0),
        ("nothing", "7", "left-out", "rewards_of_mine:nothing gave None", None),
        ("as_a_dict", "7", "right", "reward 1, at least 0.5", 1.0),
        ("a_bool", "7", "right", "reward 1, at least 0.5", 1.0),
        ("of_numpy", "7", "wrong", "reward 0.25, below 0.5", 0.25),
        ("no_score", "7", "unparsable", "returned [{'acc': 1.0}] (list): expected a finite number, or None", None),
        ("a_dict_of_lists", "7", "unparsable", "returned {'score': [1.0]} (dict): expected a list of one score", None),
        ("digits", "7", "unparsable", "returned '1' (str): expected a list of one score", None),
        ("leaves", "7", "unparsable", "raised SystemExit: 3", None),
        ("too_many", "7", "unparsable", "returned [1.0, 1.0] (list): expected a list of one score", None),
        ("no_list", "7", "unparsable", "returned 1.0 (float): expected a list of one score, for one completion", None),
        ("no_number", "7", "unparsable", "returned ['good'] (list): expected a finite number, or None", None),
        ("not_finite", "7", "unparsable", "returned [nan] (list): expected a finite number, or None", None),
        ("raises", "7", "unparsable", "raised KeyError: 'x' (rewards_of_mine.py, line 5", None),
        ("hangs", "7", "timeout", "no verdict within 2 s", None),
    ],
)
def test_the_score_decides(tmp_path, grader, function, text, verdict, reason, score) -> None:
    (question,) = asked(tmp_path, function, question="What?", answer="7", level=3)
    grade = grader.grade(text, question)
    assert (str(grade.verdict), grade.score) == (verdict, score)
    assert reason in grade.reason


def test_a_row_whose_prompt_is_a_conversation_gives_turns(tmp_path, grader) -> None:
    (question,) = asked(tmp_path, "of_turns", prompt=[{"role": "user", "content": "Well?"}])
    assert (question.text, question.answer) == ("Well?", "")
    assert grader.grade("oh yes", question).right
    assert not grader.grade("no", question).right


def test_a_column_that_is_asked_for_and_not_there_is_a_bad_row(tmp_path) -> None:
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: no column 'answer', which rewards_of_mine:matches asks for"):
        asked(tmp_path, "matches", question="What?")
    with pytest.raises(AurifyError, match="'completion_ids', which only TRL's trainer has"):
        asked(tmp_path, "wants_ids", question="What?")


def test_columns_are_part_of_what_a_verdict_is_remembered_by(tmp_path, grader) -> None:
    (seven,) = asked(tmp_path, "matches", id="q", question="What?", answer="7")
    (eight,) = asked(tmp_path, "matches", id="q", question="What?", answer="8")
    assert grader.grade("<7>", seven).right
    assert not grader.grade("<7>", eight).right


def test_nothing_is_compared_and_nothing_votes(grader) -> None:
    kind = answer_type("rewards_of_mine:length")
    assert isinstance(kind, Judging)
    assert not kind.compares
    assert not grader.readable("7", "rewards_of_mine:length")


WORDS = {"model": "nugget", "data": "d", "out": "o"}


@pytest.mark.parametrize(("more", "verdict"), [({}, "right"), ({"reward_threshold": "0.9"}, "wrong")])
def test_the_threshold_is_a_setting_of_reward_functions(more: dict[str, str], verdict: str) -> None:
    word = "rewards_of_mine:length"
    with grader_of(resolve(SampleSettings, {**WORDS, "answers": word, **more})) as grader:
        assert str(grader.grade("12345678", Question("q", "?", "", word)).verdict) == verdict


def test_so_is_its_time() -> None:
    word = "rewards_of_mine:hangs"
    with grader_of(resolve(SampleSettings, {**WORDS, "answers": word, "reward_timeout": "0.5"})) as grader:
        assert grader.grade("7", Question("q", "?", "", word)).reason == "no verdict within 0.5 s"


def test_several_rationales_are_judged_at_a_time(tmp_path: Path) -> None:
    word = "rewards_of_mine:meets"
    at_once = {"answers": word, "reward_workers": "3", "reward_timeout": "60"}
    (tmp_path / "met").mkdir()
    question = Question("q", "?", "", word, columns=json.dumps({"folder": str(tmp_path / "met")}))
    with grader_of(resolve(SampleSettings, {**WORDS, **at_once})) as grader:
        assert all(grade.right for grade in grader.grade_all([(text, question, False) for text in "abc"]))


def test_a_function_that_python_gave_judges_several_in_threads() -> None:
    meeting = threading.Barrier(3)

    def meets(completions, **columns):
        meeting.wait(20)
        return [1.0]

    word = word_of(meets)
    assert word is not None
    question = Question("q", "?", "", word)
    with grader_of(resolve(SampleSettings, {**WORDS, "answers": word, "reward_workers": 3})) as grader:
        assert all(grade.right for grade in grader.grade_all([(text, question, False) for text in "abc"]))


def test_of_other_types_it_means_nothing() -> None:
    with pytest.raises(UsageError, match="unknown setting 'reward_threshold'"):
        resolve(SampleSettings, {**WORDS, "answers": "math", "reward_threshold": "0.9"})
