"""Settings of votes and rankers that mean nothing beside others are said."""

from __future__ import annotations

import pytest

from aurify.settings import resolve
from aurify.voting.settings import RankSettings, VoteSettings


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"weight": 2.0}, ["--weight: there are no scores without --ranker"]),
        ({"weight": 2.0, "ranker": "r"}, []),
        ({"sure": 0.9}, ["--sure: no setting that --stop never looks at"]),
        ({"sure": 0.9, "stop": "beta"}, []),
        ({"answer_field": "a", "skip_bad": True}, []),
        ({"answer_field": "a", "skip_bad": True, "data": "d"}, []),
    ],
)
def test_of_a_vote(given, lines):
    assert resolve(VoteSettings, {"file": "f", **given}).unused == lines


def test_a_table_holds_no_questions(tmp_path):
    (tmp_path / "step-00000001.parquet").touch()
    given = {"file": str(tmp_path), "answer_field": "a", "skip_bad": True}
    line = "--answer-field, --skip-bad: a table holds no questions: name them with --data"
    assert resolve(VoteSettings, given).unused == [line]
    assert resolve(VoteSettings, {**given, "data": "d"}).unused == []


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"power": 2.0, "words": True}, ["--power: no setting of a fast ranker"]),
        ({"ranker": "neural", "power": 2.0}, []),
        (
            {"ranker": "neural", "power": 2.0, "loss": "pointwise"},
            ["--power: no setting that --loss pointwise looks at"],
        ),
        ({"ranker": "neural", "alone": True}, ["--alone: no setting of a neural ranker"]),
    ],
)
def test_of_a_ranker(given, lines):
    assert resolve(RankSettings, {"from_": "f", "data": "d", "out": "o", **given}).unused == lines
