"""Which dtype a model gets where nothing is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig

from aurify.errors import AurifyError
from aurify.models import precision
from aurify.models.precision import bfloat16_speedup, count_parameters, settle_dtype
from aurify.running.precision import with_dtype
from aurify.training.settings import TrainSettings


@pytest.fixture
def large(tmp_path: Path) -> str:
    """A folder with the configuration of a model of 67 million weights, and none of them."""
    LlamaConfig(
        vocab_size=1000, hidden_size=1024, intermediate_size=4096, num_hidden_layers=4, num_attention_heads=8,
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(tmp_path / "large")  # fmt: skip
    return str(tmp_path / "large")


@pytest.fixture(params=[1.2, 3.0], ids=["slow", "fast"])
def speedup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda: request.param)
    return float(request.param)


def test_parameters_are_counted_without_weights(large: str) -> None:
    assert count_parameters(large) == 4 * (4 * 1024**2 + 3 * 1024 * 4096 + 2 * 1024) + 1024 + 2 * 1000 * 1024
    assert count_parameters("nugget") == 1_000_576


def test_small_models_are_float32_whatever_the_device(speedup: float) -> None:
    said: list[str] = []
    assert settle_dtype("auto", "nugget", say=said.append) == "float32"
    assert said == []


def test_large_models_by_what_the_device_is_fast_in(large: str, speedup: float) -> None:
    said: list[str] = []
    assert settle_dtype("auto", large, say=said.append) == ("float32" if speedup < 1.5 else "bfloat16")
    assert settle_dtype("auto", large, full=True, say=said.append) == ("float32" if speedup < 1.5 else "mixed")
    assert all(f"{speedup:.1f} times" in line for line in said)
    assert len(said) == 2


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "mixed"])
def test_what_is_said_stays(large: str, dtype: str, speedup: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settle_dtype(dtype, large, say=pytest.fail) == dtype
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda: 0.25)
    assert settle_dtype(dtype, "nugget", say=pytest.fail) == dtype
    said: list[str] = []
    assert settle_dtype(dtype, large, say=said.append) == dtype
    slow = f"dtype: {dtype}, whose products take 4.0 times as long as those of --dtype float32 here"
    assert said == ([] if dtype == "float32" else [slow])


def test_a_run_goes_on_in_the_dtype_it_began_with(large: str, tmp_path: Path, speedup: float) -> None:
    settings = TrainSettings(method="trice", model=large, data="questions.jsonl", out=str(tmp_path / "run"))
    began = settings.model_copy(update={"dtype": "mixed"})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text(began.to_toml())
    assert with_dtype(settings, pytest.fail).dtype == "mixed"


def test_no_such_model() -> None:
    with pytest.raises(AurifyError, match="--model /nowhere"):
        count_parameters("/nowhere")


def test_the_measure_is_a_ratio_of_times() -> None:
    assert 0.01 < bfloat16_speedup() < 1000
    assert bfloat16_speedup() == bfloat16_speedup()  # measured once
    assert torch.get_default_dtype() == torch.float32
