"""The neural ranker on the tests' tiny model: its losses, what it pools, that it learns, and its folder."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from peft.tuners.lora import Linear as LoraLinear

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, prepare
from aurify.models.lora import add_lora
from aurify.models.lora_layer import PlainLoraLinear
from aurify.voting.measures import calibration_error, pair_accuracies
from aurify.voting.neural_ranker import NeuralRanker, NeuralSettings, losses
from aurify.voting.neural_training import train_neural
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
    logits = torch.tensor([0.0, 50.0, -50.0, np.log(1 / 3)], dtype=torch.float64)  # s = 1/2, 1, 0, 1/4
    right, wrong = torch.ones(4, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)
    assert losses(logits, right, "pair", 3.0).tolist() == pytest.approx([0.5**3, 0, 1, 0.75**3], abs=1e-12)
    assert losses(logits, wrong, "pair", 2.0).tolist() == pytest.approx([0.25, 1, 0, 0.25**2], abs=1e-12)
    assert losses(logits[3:], right[3:], "pointwise", 3.0).tolist() == pytest.approx([-np.log(0.25)])
    assert losses(logits[3:], wrong[3:], "pointwise", 3.0).tolist() == pytest.approx([-np.log(0.75)])


@pytest.mark.parametrize("loss", ["pair", "pointwise"])
def test_a_gradient_does_not_depend_on_how_much_is_computed_at_once(
    tiny_model_dir: Path, make_pools: Make, loss: str
) -> None:
    rows = [((pool.question, c.text), bool(c.right)) for pool in make_pools(3, samples=4) for c in pool.candidates]
    found = []
    for budget in (10_000, 1):
        ranker = NeuralRanker.begin(settings(tiny_model_dir, loss=loss, token_budget=budget))
        total = ranker.accumulate([row for row, _ in rows], [right for _, right in rows])
        found.append((total, torch.cat([p.grad.flatten() for p in ranker.trained.values() if p.grad is not None])))
    (whole, whole_gradient), (parts, parts_gradient) = found
    assert whole == pytest.approx(parts, rel=1e-5)
    assert float(whole_gradient.norm()) > 0
    torch.testing.assert_close(whole_gradient, parts_gradient, rtol=1e-3, atol=1e-5)


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    tiny_model_dir: Path, tmp_path: Path, make_pools: Make
) -> None:
    pools, folder = make_pools(20, samples=4), tmp_path / "checkpoints"
    asked = settings(tiny_model_dir, epochs=2, lora_rank=2)
    told: list[tuple[int, int]] = []
    through = train_neural(pools, asked, tell=lambda done, all_: told.append((done, all_)))
    assert told[-1][0] == told[-1][1]

    def stop(done: int, all_: int) -> None:
        if done >= all_ / 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(AurifyError, match=r"stopped after step \d+ of \d+ and saved; go on"):
        train_neural(pools, asked, tell=stop, folder=folder)
    said: list[str] = []
    again = train_neural(pools, asked, say=said.append, folder=folder, resume=True, save_every=1)
    assert said[0].startswith("goes on after step ")
    (sorted(folder.glob("step-*"))[-1] / "weights.safetensors").write_bytes(b"")
    after_damage = train_neural(pools, asked, say=(said := []).append, folder=folder, resume=True)
    assert said[0].startswith("checkpoint left out: ")
    assert said[1].startswith("goes on after step ")
    for name, value in through.trained.items():
        torch.testing.assert_close(value, again.trained[name], rtol=0, atol=0)
        torch.testing.assert_close(value, after_damage.trained[name], rtol=0, atol=0)
    with pytest.raises(UsageError, match=r"other settings or data \(learning_rate\)"):
        train_neural(pools, replace(asked, learning_rate=1e-4), folder=folder, resume=True)


def test_frozen_weights_may_be_bfloat16_and_trained_ones_not(
    tiny_model_dir: Path, tmp_path: Path, make_pools: Make
) -> None:
    pools = make_pools(6, samples=4)
    ranker = train_neural(pools, settings(tiny_model_dir, epochs=1, lora_rank=2, dtype="bfloat16"))
    assert {p.dtype for p in ranker.encoder.parameters() if not p.requires_grad} == {torch.bfloat16}
    assert {p.dtype for p in ranker.trained.values()} == {torch.float32}
    ranker.save(tmp_path)
    for ours, theirs in zip(ranker.scores(pools), NeuralRanker.load(tmp_path).scores(pools), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)
    with pytest.raises(UsageError, match="--dtype bfloat16 is for frozen weights"):
        train_neural(pools, settings(tiny_model_dir, dtype="bfloat16"))


def test_bfloat16_and_the_light_layers_change_the_gradient_by_rounding_alone(
    tiny_model_dir: Path, make_pools: Make
) -> None:
    rows, right = [], []
    for pool in make_pools(6, samples=4):
        for candidate in pool.candidates:
            rows.append((pool.question, candidate.text))
            right.append(bool(candidate.right))
    found = {}
    for name, dtype in (("plain", "float32"), ("light", "float32"), ("lowered", "bfloat16")):
        ranker = NeuralRanker.begin(settings(tiny_model_dir, lora_rank=2, dtype=dtype))
        assert any(type(module) is PlainLoraLinear for module in ranker.encoder.modules())
        if name == "plain":
            for module in ranker.encoder.modules():
                if type(module) is PlainLoraLinear:
                    module.__class__ = LoraLinear
        loss = ranker.accumulate(rows, right)
        found[name] = (loss, torch.cat([p.grad.flatten() for p in ranker.trained.values() if p.grad is not None]))
    assert found["light"][0] == pytest.approx(found["plain"][0], rel=1e-5)
    torch.testing.assert_close(found["light"][1], found["plain"][1], rtol=1e-4, atol=1e-6)
    apart = float((found["lowered"][1] - found["plain"][1]).norm() / found["plain"][1].norm())
    assert 0 < apart < 0.05


@pytest.mark.parametrize("changes", [{"loss": "pair"}, {"loss": "pointwise"}, {"lora_rank": 4, "learning_rate": 1e-2}])
def test_it_learns_and_comes_back_from_disk(
    tiny_model_dir: Path, tmp_path: Path, make_pools: Make, changes: dict[str, object]
) -> None:
    pools = make_pools(70, samples=4)
    said: list[str] = []
    ranker = train_neural(pools[:50], settings(tiny_model_dir, **changes), say=said.append)
    assert len(said) == 12
    assert pairs(ranker, pools[50:]) > 0.65  # careful rationales are right four times of five
    ranker.save(tmp_path)
    again = NeuralRanker.load(tmp_path)
    for ours, theirs in zip(ranker.scores(pools[50:53]), again.scores(pools[50:53]), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)
    assert not list(tmp_path.rglob("*.bin")) + list(tmp_path.rglob("*.pt"))  # no pickle


@pytest.mark.parametrize("rates", [(0.08, 0.02), (0.16, 0.04), (0.96, 0.8), (0.98, 0.92)])
def test_scores_mean_what_they_say_whatever_share_is_right(
    tiny_model_dir: Path, make_pools: Make, rates: tuple[float, float]
) -> None:
    """It is trained on pairs, half of them right; here 5, 10, 88 and 95 % are."""
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
    ranker = train_neural(pools, settings(tiny_model_dir, epochs=1))
    at_once = np.concatenate(ranker.scores(pools))
    ranker.budget.tokens = 1
    one_by_one = np.concatenate([ranker.scores([pool])[0] for pool in pools])
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
    ranker = train_neural(make_pools(4), settings(Path("adapter"), **changes))
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
    ranker = train_neural(make_pools(2, samples=4), settings(Path("nugget"), epochs=1, lora_rank=2))
    assert ranker.settings.model == "nugget"


def test_nat_models_and_soft_prompts_are_no_base(tiny_model_dir: Path, tmp_path: Path, make_pools: Make) -> None:
    (tmp_path / "nat").mkdir()
    (tmp_path / "nat" / "nat.json").write_text("{}")
    with pytest.raises(UsageError, match="a NAT model is no ranker's base"):
        train_neural(make_pools(4), settings(tmp_path / "nat"))
    loaded = load_model(str(tiny_model_dir))
    prepare(loaded.model, loaded.tokenizer, kind="prompt", prompt_tokens=2).model.save_pretrained(tmp_path / "soft")
    with pytest.raises(UsageError, match="a soft prompt is no ranker's base"):
        train_neural(make_pools(4), settings(tmp_path / "soft"))


def test_what_cannot_be_trained(tiny_model_dir: Path, tmp_path: Path, make_pools: Make) -> None:
    alike = [CandidatePool("q", "q", (Candidate("a", "1", 0, True), Candidate("b", "1", 0, True)))]
    with pytest.raises(AurifyError, match="both a right and a wrong rationale: there is none"):
        train_neural(alike, settings(tiny_model_dir))
    with pytest.raises(AurifyError, match="cannot be loaded"):
        train_neural(make_pools(4), settings(tmp_path / "nowhere"))
    with pytest.raises(AurifyError, match="cannot be loaded as a ranker"):
        NeuralRanker.load(tmp_path)
