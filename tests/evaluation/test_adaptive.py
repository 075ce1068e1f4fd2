"""Stopping while sampling is the retrospective rule on the samples of a fixed number."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurify.answers import Grader, group_answers
from aurify.errors import UsageError
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.nugget import generate
from aurify.rationales import Rationale, read_rationales
from aurify.settings import resolve
from aurify.voting.stopping import spend

QUESTIONS = generate("web_of_lies", 16, seed=3)
MOST = 7


def evaluated(out: Path, **more: object) -> tuple[dict[str, float], dict[str, list[Rationale]]]:
    settings = {"model": "nugget", "data": "", "samples": MOST, "max_new_tokens": 80, "vote": "sc", "out": str(out)}
    found = run_evaluation(resolve(EvaluateSettings, {**settings, **more}), questions=QUESTIONS)
    pools: dict[str, list[Rationale]] = {}
    for row in sorted(read_rationales(out / "samples"), key=lambda row: row.sample_index):
        pools.setdefault(row.question_id, []).append(row)
    return {name: score.accuracy for name, score in found.overall.scores.items()}, pools


@pytest.mark.parametrize(("rule", "sure"), [("certain", 0.95), ("beta", 0.8)])
def test_the_samples_drawn_are_those_that_the_rule_asks_for(rule: str, sure: float, tmp_path: Path) -> None:
    whole, all_samples = evaluated(tmp_path / "whole")
    stopped, drawn = evaluated(tmp_path / "stopped", stop=rule, sure=sure)
    with Grader() as grader:
        for question in QUESTIONS:
            pool = all_samples[question.id]
            groups = group_answers([row.predicted for row in pool], question.answer_type, grader)
            wanted = spend(groups, rule=rule, threshold=sure).samples
            ours = drawn[question.id]
            assert [row.token_ids for row in ours] == [row.token_ids for row in pool[:wanted]]
            assert [row.sample_index for row in ours] == list(range(wanted))
    assert sum(map(len, drawn.values())) < MOST * len(QUESTIONS)
    if rule == "certain":
        assert stopped[f"sc@<={MOST}"] == pytest.approx(whole[f"sc@{MOST}"])
    assert set(stopped) == {"greedy", f"sc@<={MOST}"}


@pytest.mark.parametrize(
    "settings",
    [{"stop": "beta", "samples": 4}, {"stop": "beta", "samples": 4, "vote": "sc", "from_": "table"},
     {"stop": "certain", "samples": 4, "vote": "best", "ranker": "r"}],
)  # fmt: skip
def test_stopping_that_cannot_be(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--stop"):
        resolve(EvaluateSettings, {"model": "nugget", "data": "d", **settings})
