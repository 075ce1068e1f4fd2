"""The bench of the neural ranker on MATH: which problems it takes, and a small run that is not repeated."""

from __future__ import annotations

import argparse
import gzip
import sys
from itertools import islice
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import neural_math
from dust_data import rows

from aurify.voting.pool import Candidate, CandidatePool


def pool(number: int) -> CandidatePool:
    candidates = tuple(Candidate(f"{i}", "1", 0, i > 0 or number % 2 > 0) for i in range(8))
    return CandidatePool(f"q{number}", f"question {number}", candidates)


def test_problems_that_judge_do_not_depend_on_how_many_train() -> None:
    pools = [pool(number) for number in range(60)]
    few, more = (
        neural_math.divide(pools, argparse.Namespace(judged=8, calibrated=5, samples=2, problems=problems))
        for problems in (3, 12)
    )
    assert few[1:] == more[1:]
    assert few[0] == more[0][:3]
    assert [len(part) for part in more] == [12, 47, 5, 8]
    assert all(len(one.candidates) == 2 for part in more[2:] for one in part)
    names = [{one.question_id for one in part} for part in more[1:]]
    assert not names[0] & names[1] | names[0] & names[2] | names[1] & names[2]
    assert all(len({one.right for one in one_pool.candidates}) == 2 for one_pool in more[0])


def test_a_small_run_is_scored_and_not_repeated(
    tmp_path: Path, shared_data: Path, tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = shared_data / "math_teacher" / "gpt-3.5-turbo.jsonl.gz"
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        some = list(islice(lines, 40))
    with gzip.open(tmp_path / source.name, "wt", encoding="utf-8") as file:
        file.writelines(some)
    words = [
        "neural_math.py", tmp_path, "--encoder", tiny_model_dir, "--out", tmp_path / "out", "--cache", tmp_path,
        "--problems", 4, "--calibrated", 8, "--judged", 12, "--max-tokens", 48, "--lora-rank", 2, "--questions", 2,
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    neural_math.main()
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in table[2:]] == [
        "| fast, same problems", "| fast, all other problems", "| neural"
    ]  # fmt: skip
    scores = rows(tmp_path / "out" / "scores.jsonl")
    assert len(scores) == 3 * (8 + 12)
    neural_math.main()
    assert rows(tmp_path / "out" / "scores.jsonl") == scores
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")] == table
