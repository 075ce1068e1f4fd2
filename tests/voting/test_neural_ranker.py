"""The neural ranker on the tests' tiny model: its losses, what it pools, that it learns, and its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, prepare
from aurify.models.lora import add_lora
from aurify.voting.measures import calibration_error, pair_accuracies
from aurify.voting.neural_ranker import NeuralRanker, NeuralSettings, pair_loss, pointwise_loss
from aurify.voting.pool import Candidate, CandidatePool
from aurify.voting.settings import RankSettings
from aurify.voting.train import train_ranker

Make = Callable[..., list[CandidatePool]]


def settings(model: Path, **changes: object) -> NeuralSettings:
    given = {"model": str(model), "learning_rate": 3e-3, "epochs": 12, "max_tokens": 96, **changes}
    return NeuralSettings(**given)  # type: ignore[arg-type]


def pairs(ranker: NeuralRanker, pools: list[CandidatePool]) -> float:
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


@pytest.mark.parametrize("rates", [(0.16, 0.04), (0.96, 0.8)])
def test_scores_mean_what_they_say_whatever_share_is_right(
    tiny_model_dir: Path, make_pools: Make, rates: tuple[float, float]
) -> None:
    """It is trained on pairs, half of them right; here 10 and 88 % are."""
    pools = make_pools(700, samples=4, rates=rates)
    asked = RankSettings(
        from_="",
        data="",
        out="",
        ranker="neural",
        model=str(tiny_model_dir),
        lr=3e-3,
        epochs=2,
        max_tokens=96,
        samples=4,
    )
    ranker = train_ranker(asked, pools[:150], pools[150:350])
    right = np.array([bool(c.right) for pool in pools[350:] for c in pool.candidates])
    raw = np.concatenate(ranker.scorer.scores(pools[350:]))
    assert calibration_error(np.concatenate(ranker.scores(pools[350:])), right) <= 0.05
    assert calibration_error(raw, right) > 0.15


def test_a_score_depends_on_its_own_row_alone(tiny_model_dir: Path, make_pools: Make) -> None:
    pools = make_pools(6, samples=4)
    ranker = NeuralRanker.train(pools, settings(tiny_model_dir, epochs=1))
    at_once = np.concatenate(ranker.scores(pools))
    one_by_one = np.concatenate([ranker.scores([pool], batch=1)[0] for pool in pools])
    assert np.allclose(at_once, one_by_one, atol=1e-5)  # padding changes nothing
    assert ranker.scores([]) == []
    hostile = CandidatePool("q", "x" * 500, (Candidate("", None, None), Candidate("y" * 500, None, None)))
    assert np.isfinite(ranker.scores([hostile])[0]).all()


@pytest.fixture
def adapter(tiny_model_dir: Path, tmp_path: Path) -> Path:
    """A LoRA adapter of the tiny model, every weight drawn."""
    model = add_lora(load_model(str(tiny_model_dir)).model, rank=2, alpha=4)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


@pytest.mark.parametrize("lora_rank", [0, 2])
def test_an_adapter_is_a_base_with_its_weights_merged_and_is_found_from_elsewhere(
    adapter: Path, make_pools: Make, monkeypatch: pytest.MonkeyPatch, lora_rank: int
) -> None:
    monkeypatch.chdir(adapter.parent)
    changes = {"learning_rate": 1e-12, "epochs": 1, "lora_rank": lora_rank}
    ranker = NeuralRanker.train(make_pools(4), settings(Path("adapter"), **changes))
    ids = torch.arange(9)[None]
    with torch.no_grad():
        whole = load_model(str(adapter)).model(ids, output_hidden_states=True).hidden_states[-1]
        body = ranker.encoder(input_ids=ids).last_hidden_state
    torch.testing.assert_close(body, whole, atol=1e-4, rtol=1e-4)
    ranker.save(adapter.parent / "ranker")
    (adapter.parent / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    again = NeuralRanker.load(adapter.parent / "ranker")
    for ours, theirs in zip(ranker.scores(make_pools(2)), again.scores(make_pools(2)), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)


def test_the_embedded_model_keeps_its_word(tmp_path: Path, make_pools: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nugget").mkdir()
    monkeypatch.chdir(tmp_path)
    ranker = NeuralRanker.train(make_pools(2, samples=4), settings(Path("nugget"), epochs=1, lora_rank=2))
    assert ranker.settings.model == "nugget"


def test_nat_models_and_soft_prompts_are_no_base(tiny_model_dir: Path, tmp_path: Path, make_pools: Make) -> None:
    (tmp_path / "nat").mkdir()
    (tmp_path / "nat" / "nat.json").write_text("{}")
    with pytest.raises(UsageError, match="a NAT model is no ranker's base"):
        NeuralRanker.train(make_pools(4), settings(tmp_path / "nat"))
    loaded = load_model(str(tiny_model_dir))
    prepare(loaded.model, loaded.tokenizer, kind="prompt", prompt_tokens=2).model.save_pretrained(tmp_path / "soft")
    with pytest.raises(UsageError, match="a soft prompt is no ranker's base"):
        NeuralRanker.train(make_pools(4), settings(tmp_path / "soft"))


def test_what_cannot_be_trained(tiny_model_dir: Path, tmp_path: Path, make_pools: Make) -> None:
    alike = [CandidatePool("q", "q", (Candidate("a", "1", 0, True), Candidate("b", "1", 0, True)))]
    with pytest.raises(AurifyError, match="both a right and a wrong rationale: there is none"):
        NeuralRanker.train(alike, settings(tiny_model_dir))
    with pytest.raises(AurifyError, match="cannot be loaded"):
        NeuralRanker.train(make_pools(4), settings(tmp_path / "nowhere"))
    with pytest.raises(AurifyError, match="cannot be loaded as a ranker"):
        NeuralRanker.load(tmp_path)
