"""The pilot asks the same questions in every way, and no more of them than there is time for."""

from __future__ import annotations

import pytest

from aurify.answers import Grader
from aurify.doctor.pilot import Pilot, affordable
from aurify.doctor.settings import DoctorSettings
from aurify.models import load_model
from aurify.models.prompting import PromptForm
from aurify.nugget import generate, path

QUESTIONS = generate("object_counting", 6, seed=5)


def pilot(**settings):
    told = DoctorSettings(model="nugget", data="unused", samples=2, **settings)
    model, tokenizer = load_model(str(path()))
    said, progress = [], []

    def tell(done, asked, right=None):
        progress.append((done, asked, right))

    found = Pilot(told, QUESTIONS, model, tokenizer, Grader(), tell, said.append)
    form = PromptForm("plain", reason="", max_new_tokens=settings.get("max_new_tokens"))
    return found, list(found.trials(form)), said, progress


@pytest.mark.parametrize(
    ("wanted", "asked", "seconds", "allowed", "expected"),
    [
        (16, 4, 10.0, 300.0, 16),
        (16, 4, 75.0, 300.0, 16),
        (16, 4, 80.0, 300.0, 15),
        (16, 4, 150.0, 300.0, 8),
        (16, 4, 900.0, 300.0, 4),
        (2, 2, 0.0, 300.0, 2),
    ],
)
def test_as_many_questions_as_there_is_time_for_and_the_ones_asked_already(wanted, asked, seconds, allowed, expected):
    assert affordable(wanted, asked, seconds, allowed) == expected


def test_a_slow_model_is_asked_the_first_questions_in_one_way() -> None:
    found, trials, said, _ = pilot(max_time="0.001s", max_new_tokens=16)
    assert [len(trial.rows) for trial in trials] == [4]
    assert found.questions == QUESTIONS[:4]
    assert said == ["4 of 6 questions are asked, for time (--max-time 0.001s)"]
    assert found.untried[-1] == "the answer told (guide)"
    assert "a longer limit" in found.untried


def test_all_are_asked_in_all_ways_where_there_is_time_and_the_first_ones_ahead_change_nothing() -> None:
    found, trials, said, progress = pilot(max_time="1h", max_new_tokens=16)
    _, alone, _, _ = pilot(max_time="0.001s", max_new_tokens=16)
    assert (found.questions, found.untried, said) == (QUESTIONS, [], [])
    assert {len(trial.rows) for trial in trials} == {6}
    assert [row[0].question_id for row in trials[0].rows] == [question.id for question in QUESTIONS]
    assert list(trials[0].rows[:4]) == list(alone[0].rows)
    assert progress[-1][0] == progress[-1][1]
    assert [done for done, _, _ in progress] == sorted(done for done, _, _ in progress)
    assert all(right <= done <= asked for done, asked, right in progress)
    assert progress[-1][2] > 0


def test_under_a_longer_limit_cut_rationales_go_on_and_whole_ones_stay() -> None:
    _, trials, _, _ = pilot(max_time="1h", max_new_tokens=40)
    first, longer = trials[0], next(trial for trial in trials if trial.name == "a limit of 80 tokens")
    kinds = set()
    for before, after in zip(first.all, longer.all, strict=True):
        cut = before.finish_reason == "length"
        kinds.add(cut)
        assert after.question_id == before.question_id
        if not cut:
            assert after == before
            continue
        assert after.token_ids[:40] == before.token_ids
        assert 40 < len(after.token_ids) <= 80
        assert after.text.startswith(before.text)
    assert kinds == {True, False}
    continued = [after.token_ids[40:] for before, after in zip(first.all, longer.all, strict=True) if before != after]
    assert len(set(continued)) > 1
    assert longer.seconds > first.seconds
