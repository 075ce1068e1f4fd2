"""A grader as a command's settings ask for it."""

from __future__ import annotations

import pytest

from aurify.answers.chosen import grader_of
from aurify.collecting.settings import SampleSettings
from aurify.errors import UsageError
from aurify.questions import Question
from aurify.settings import resolve

LENGTH = "def length(completions, **columns):\n    return [len(one) / 10 for one in completions]\n"
WORDS = {"model": "nugget", "data": "d", "out": "o"}


@pytest.fixture(autouse=True)
def rewards(tmp_path, monkeypatch):
    (tmp_path / "lengths_of_mine.py").write_text(LENGTH)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(("threshold", "verdict"), [(None, "right"), ("0.9", "wrong")])
def test_the_threshold_is_a_setting_of_reward_functions(threshold, verdict):
    word = "lengths_of_mine:length"
    settings = resolve(
        SampleSettings, {**WORDS, "answers": word, **({"reward_threshold": threshold} if threshold else {})}
    )
    with grader_of(settings) as grader:
        assert str(grader.grade("12345678", Question("q", "?", "", word)).verdict) == verdict


def test_of_other_types_it_means_nothing():
    with pytest.raises(UsageError, match="unknown setting 'reward_threshold'"):
        resolve(SampleSettings, {**WORDS, "answers": "math", "reward_threshold": "0.9"})


def test_an_unknown_type_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"--answers .*did you mean 'number'"):
        resolve(SampleSettings, {**WORDS, "answers": "numbers"})
