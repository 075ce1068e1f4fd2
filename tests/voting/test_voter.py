"""``aurify evaluate --vote``: the votes of an evaluation, from the real command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.voting.calibration import Calibration
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.pool import CandidatePool
from aurify.voting.ranker import Ranker
from aurify.voting.voter import Voter

Run = Callable[..., "CompletedProcess[str]"]


def rationale(text: str, answer: str | None, right: bool, model: str = "writer") -> Rationale:
    from aurify.answers import Verdict

    verdict = Verdict.RIGHT if right else Verdict.WRONG
    return Rationale("q", (), text, answer, verdict, "", "self", model, 0, 0, 0, "stop", None)


@pytest.fixture
def ranker(tmp_path: Path, pools: list[CandidatePool]) -> Callable[[bool], str]:
    pytest.importorskip("sklearn")

    def make(alone: bool) -> str:
        folder = tmp_path / f"ranker-{alone}"
        scorer = FastRanker.train(pools[:60], alone=alone, words=False, rounds=20)
        Ranker(scorer, "fast", Calibration(), ("writer",), {}).save(folder)
        return str(folder)

    return make


QUESTION = Question("q", "What is 3 plus 4? (1)", "7", "number")
SAMPLES = [
    rationale("Clearly it must be 8.", "8", False),
    rationale("Step by step: 3 + 4 = 7.", "7", True),
    rationale("Step by step: 3 + 4 = 7.", "7", True),
    rationale("Clearly it must be 8.", "8", False),
]
GROUPS = [0, 1, 1, 0]


def test_self_consistency_is_the_majority() -> None:
    found = Voter("sc", None, 1.0, "never", print).credits(QUESTION, SAMPLES, GROUPS)
    assert found == {"sc@1": 0.5, "sc@2": 0.5, "sc@4": 0.5}


@pytest.mark.parametrize("alone", [True, False])
def test_a_ranker_breaks_the_ties(ranker: Callable[[bool], str], alone: bool) -> None:
    said: list[str] = []
    voter = Voter("asc", ranker(alone), 1.0, "never", said.append)
    assert voter.credits(QUESTION, SAMPLES, GROUPS) == {"asc@1": 0.5, "asc@2": 1.0, "asc@4": 1.0}
    assert said == []
    strangers = [rationale("x", "7", True, "stranger")]
    for _ in range(2):
        voter.credits(QUESTION, strangers, [0])
    assert len(said) == 1
    assert "those of stranger" in said[0]


def test_the_real_command(run_aurify: Run, tmp_path: Path, ranker: Callable[[bool], str]) -> None:
    rows = [{"id": f"q{i}", "question": f"Is {i} + 1 = {i + 1}?", "answer": str(i + 1)} for i in range(3)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["evaluate", "--model", "nugget", "--data", "q.jsonl", "--max-new-tokens", 8]
    done = run_aurify(*words, "--samples", 4, "--vote", "asc", "--ranker", ranker(False), "--json", "n.json")
    assert done.returncode == 0, done.stderr
    assert "warning: the ranker was trained on samples of writer and judges those of nugget" in done.stderr
    assert "asc@4" in done.stdout
    found = json.loads((tmp_path / "n.json").read_text())
    assert (found["vote"], found["weight"]) == ("asc", 1.0)
    assert {"asc@1", "asc@2", "asc@4"} <= set(found["overall"])
    for flags, complaint in (
        (["--vote", "sc"], "--vote sc needs --samples"),
        (["--vote", "asc", "--samples", 2], "--vote asc needs --ranker"),
        (["--ranker", "r", "--samples", 2], "--ranker needs --vote"),
    ):
        done = run_aurify(*words, *flags)
        assert (done.returncode, complaint in done.stderr) == (2, True), done.stderr
