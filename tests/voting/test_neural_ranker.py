"""The neural ranker on the tests' tiny model: its losses, what it pools, that it learns, and its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from aurify.errors import AurifyError
from aurify.voting.measures import pair_accuracies
from aurify.voting.neural_ranker import NeuralRanker, NeuralSettings, pair_loss, pointwise_loss
from aurify.voting.pool import Candidate, Pool

Make = Callable[..., list[Pool]]


def settings(model: Path, **changes: object) -> NeuralSettings:
    given = {"model": str(model), "learning_rate": 3e-3, "epochs": 12, "max_tokens": 96, **changes}
    return NeuralSettings(**given)  # type: ignore[arg-type]


def pairs(ranker: NeuralRanker, pools: list[Pool]) -> float:
    right = [np.array([bool(c.right) for c in pool.candidates]) for pool in pools]
    return float(pair_accuracies(ranker.scores(pools), right).mean())


def test_losses_by_hand() -> None:
    half, sure = torch.zeros(1), torch.tensor([50.0])
    assert float(pair_loss(half, half, 3.0)) == pytest.approx(2 * 0.5**3)
    assert float(pair_loss(sure, -sure, 3.0)) == pytest.approx(0, abs=1e-12)
    assert float(pair_loss(-sure, sure, 3.0)) == pytest.approx(2)
    quarter = torch.tensor([np.log(1 / 3)], dtype=torch.float64)  # s = 1/4
    assert float(pair_loss(quarter, quarter, 2.0)) == pytest.approx(0.75**2 + 0.25**2)
    found = pointwise_loss(torch.cat([quarter, quarter]), torch.tensor([True, False]))
    assert float(found) == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2)


@pytest.mark.parametrize("changes", [{"loss": "pair"}, {"loss": "pointwise"}, {"lora_rank": 4, "learning_rate": 1e-2}])
def test_it_learns_and_comes_back_from_disk(
    tiny_model_dir: Path, tmp_path: Path, make_pools: Make, changes: dict[str, object]
) -> None:
    pools = make_pools(70, samples=4)
    said: list[str] = []
    ranker = NeuralRanker.train(pools[:50], settings(tiny_model_dir, **changes), said.append)
    assert len(said) == 12
    assert pairs(ranker, pools[50:]) > 0.65  # careful rationales are right four times of five
    ranker.save(tmp_path)
    again = NeuralRanker.load(tmp_path)
    for ours, theirs in zip(ranker.scores(pools[50:53]), again.scores(pools[50:53]), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)
    assert not list(tmp_path.rglob("*.bin")) + list(tmp_path.rglob("*.pt"))  # no pickle


def test_a_score_depends_on_its_own_row_alone(tiny_model_dir: Path, make_pools: Make) -> None:
    pools = make_pools(6, samples=4)
    ranker = NeuralRanker.train(pools, settings(tiny_model_dir, epochs=1))
    at_once = np.concatenate(ranker.scores(pools))
    one_by_one = np.concatenate([ranker.scores([pool], batch=1)[0] for pool in pools])
    assert np.allclose(at_once, one_by_one, atol=1e-5)  # padding changes nothing
    assert ranker.scores([]) == []
    hostile = Pool("q", "x" * 500, (Candidate("", None, None), Candidate("y" * 500, None, None)))
    assert np.isfinite(ranker.scores([hostile])[0]).all()


def test_what_cannot_be_trained(tiny_model_dir: Path, tmp_path: Path, make_pools: Make) -> None:
    alike = [Pool("q", "q", (Candidate("a", "1", 0, True), Candidate("b", "1", 0, True)))]
    with pytest.raises(AurifyError, match="both a right and a wrong rationale: there is none"):
        NeuralRanker.train(alike, settings(tiny_model_dir))
    with pytest.raises(AurifyError, match="cannot be loaded"):
        NeuralRanker.train(make_pools(4), settings(tmp_path / "nowhere"))
    with pytest.raises(AurifyError, match="cannot be loaded as a ranker"):
        NeuralRanker.load(tmp_path)
