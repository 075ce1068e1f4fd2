"""The fast ranker finds a planted signal, survives its folder, and says when it cannot be trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aurify.errors import AurifyError
from aurify.voting.calibration import Calibration
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.measures import pair_accuracies
from aurify.voting.pool import Candidate, CandidatePool
from aurify.voting.ranker import Ranker, load_ranker
from aurify.voting.report import measure_ranker
from aurify.voting.trees import TRUSTED_TYPES, Trees

pytest.importorskip("sklearn")


def pairs(ranker: FastRanker, pools: list[CandidatePool]) -> float:
    right = [np.array([bool(c.right) for c in pool.candidates]) for pool in pools]
    return float(pair_accuracies(ranker.scores(pools), right).mean())


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_it_learns_and_comes_back_from_disk(
    pools: list[CandidatePool], tmp_path: Path, alone: bool, words: bool
) -> None:
    ranker = FastRanker.train(pools[:140], alone=alone, words=words, rounds=40)
    assert pairs(ranker, pools[140:]) > 0.75
    ranker.save(tmp_path)
    again = FastRanker.load(tmp_path)
    assert again.alone == alone
    for ours, theirs in zip(ranker.scores(pools[140:]), again.scores(pools[140:]), strict=True):
        assert (ours == theirs).all()
    assert FastRanker.train(pools[:140], alone=alone, words=words, rounds=40).scores(pools[:3])[0].tolist() == (
        ranker.scores(pools[:3])[0].tolist()
    )


def test_alone_means_that_rivals_do_not_matter(pools: list[CandidatePool]) -> None:
    one = pools[150]
    few = replace(one, candidates=one.candidates[:3])
    alone = FastRanker.train(pools[:100], alone=True, words=False, rounds=20)
    together = FastRanker.train(pools[:100], words=False, rounds=20)
    assert alone.scores([few])[0].tolist() == alone.scores([one])[0][:3].tolist()
    assert together.scores([few])[0].tolist() != together.scores([one])[0][:3].tolist()
    assert alone.scores([]) == []


def test_unjudged_candidates_are_scored_and_not_learned_from(pools: list[CandidatePool]) -> None:
    half = [
        replace(pool, candidates=tuple(replace(c, right=None) if i % 2 else c for i, c in enumerate(pool.candidates)))
        for pool in pools[:100]
    ]
    ranker = FastRanker.train(half, words=False, rounds=20)
    assert pairs(ranker, pools[140:]) > 0.7


@pytest.mark.parametrize(
    ("right", "complaint"), [(True, "are all right"), (False, "are all wrong"), (None, "are none")]
)
def test_all_of_one_kind_is_an_error(right: bool | None, complaint: str) -> None:
    with pytest.raises(AurifyError, match=complaint):
        FastRanker.train([CandidatePool("q", "q", (Candidate("a", "1", 0, right),))])


def test_a_folder_that_is_none_or_is_damaged(pools: list[CandidatePool], tmp_path: Path) -> None:
    with pytest.raises(AurifyError, match=r"no ranker.json there"):
        load_ranker(tmp_path)
    scorer = FastRanker.train(pools[:50], words=False, rounds=5)
    ranker = Ranker(scorer, "fast", Calibration(2.0, -1.0), ("writer",), {"questions": 3})
    ranker.save(tmp_path / "ranker")
    again = load_ranker(tmp_path / "ranker")
    assert (again.kind, again.calibration, again.models, again.report) == (
        "fast", Calibration(2.0, -1.0), ("writer",), {"questions": 3},
    )  # fmt: skip
    for name in ("ranker.safetensors", "trees.skops"):
        file = tmp_path / "ranker" / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-9])
        with pytest.raises(AurifyError, match="damaged"):
            load_ranker(tmp_path / "ranker")
        with pytest.raises(AurifyError, match="damaged"):
            FastRanker.load(tmp_path / "ranker")
        file.write_bytes(whole)
    assert FastRanker.load(tmp_path / "ranker").scores(pools[:2])[0].tolist() == scorer.scores(pools[:2])[0].tolist()


def test_a_file_of_trees_runs_nothing_and_is_checked_against_its_own_scores(tmp_path: Path) -> None:
    from skops.io import dump, load

    random = np.random.default_rng(0)
    features = random.normal(size=(300, 4))
    trees = Trees.train(features, features[:, 0] > 0, seed=0, rounds=5)
    path = tmp_path / "trees.skops"
    dump({"trees": np.random.default_rng, "probe": features[:2], "scores": features[:2, 0]}, path)
    with pytest.raises(AurifyError, match="holds what no ranker holds"):
        Trees.load(path)
    trees.save(path)
    stored = load(path, trusted=TRUSTED_TYPES)
    dump({**stored, "scores": stored["scores"] + 1}, path)
    with pytest.raises(AurifyError, match="scores otherwise than the one it was trained with"):
        Trees.load(path)
    path.write_bytes(b"no archive")
    with pytest.raises(AurifyError, match="damaged"):
        Trees.load(path)


def test_samples_of_another_model_are_warned_of(pools: list[CandidatePool]) -> None:
    ranker = Ranker(FastRanker.train(pools[:50], words=False, rounds=5), "fast", Calibration(), ("writer",), {})
    assert ranker.warning(pools) is None
    other = replace(pools[0], candidates=(replace(pools[0].candidates[0], model="stranger"),))
    assert "trained on samples of writer and judges those of stranger" in str(ranker.warning([other]))
    unknown = replace(pools[0], candidates=(replace(pools[0].candidates[0], model=""),))
    assert ranker.warning([unknown]) is None


def test_a_folder_is_the_same_model_however_it_is_written(
    pools: list[CandidatePool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs" / "mine" / "model").mkdir(parents=True)
    (tmp_path / "runs" / "other" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    scorer = FastRanker.train(pools[:50], words=False, rounds=5)
    ranker = Ranker(scorer, "fast", Calibration(), ("base", "runs/mine/model"), {})
    for name, known in ((str(tmp_path / "runs/mine/model/"), True), ("base", True), ("runs/other/model", False)):
        one = replace(pools[0], candidates=(replace(pools[0].candidates[0], model=name),))
        assert (ranker.warning([one]) is None) == known, name


def test_the_report_of_a_good_ranker(pools: list[CandidatePool]) -> None:
    ranker = Ranker(FastRanker.train(pools[:120], words=False, rounds=40), "fast", Calibration(), (), {})
    found = measure_ranker(ranker, pools[120:], weight=2.0, seed=0)
    assert found["questions"] == 80
    pairs = found["pair_accuracy"]
    assert 0.75 < pairs["low"] <= pairs["accuracy"] <= pairs["high"]
    assert list(found["votes"]) == ["1", "2", "4", "8"]
    assert found["votes"]["1"]["over_sc"]["asc"]["gain"] == 0
    top = found["votes"]["8"]
    assert top["single"]["accuracy"] < top["sc"]["accuracy"] <= top["oracle"]["accuracy"]
    two = found["votes"]["2"]["over_sc"]["asc"]
    assert 0 < two["low"] < two["gain"]  # ties are broken by a ranker that knows something
