"""The rate that a model gets where none is given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoConfig, GPT2Config, LlamaConfig, PretrainedConfig

from aurify.models import load_model
from aurify.models.tuning import default_learning_rate, prepare


def sized(config: PretrainedConfig, parameters: int = 1) -> Any:
    """As much of a model as a rate looks at."""
    return SimpleNamespace(config=config, num_parameters=lambda: parameters)


@pytest.mark.parametrize(
    ("width", "rate"), [(576, 5.6e-4), (896, 4.5e-4), (2000, 3e-4), (4096, 2.1e-4), (8192, 1.5e-4)]
)
def test_of_lora_falls_with_the_width(width: int, rate: float) -> None:
    found = default_learning_rate("lora", sized(LlamaConfig(hidden_size=width, num_attention_heads=1)))
    assert found == pytest.approx(rate, rel=0.02)


def test_of_lora_whatever_a_family_calls_its_width() -> None:
    inside = AutoConfig.for_model("llava", text_config={"model_type": "llama", "hidden_size": 512})
    assert default_learning_rate("lora", sized(GPT2Config(n_embd=500))) == pytest.approx(6e-4)
    assert default_learning_rate("lora", sized(inside)) == pytest.approx(3e-4 * (2000 / 512) ** 0.5)
    assert default_learning_rate("lora", sized(PretrainedConfig())) == 3e-4


@pytest.mark.parametrize(("parameters", "rate"), [(10_000, 5e-4), (1_000_000, 5e-4), (500_000_000, 2.2e-5)])
def test_of_full_weights_falls_with_their_number(parameters: int, rate: float) -> None:
    assert default_learning_rate("full", sized(PretrainedConfig(), parameters)) == pytest.approx(rate, rel=0.02)


def test_a_prepared_model_has_it_and_one_that_goes_on_too(tiny_model_dir: Path) -> None:
    loaded = load_model(str(tiny_model_dir), trainable=True)
    expected = 3e-4 * (2000 / loaded.model.config.hidden_size) ** 0.5
    prepared = prepare(loaded.model, loaded.tokenizer, kind="lora")
    assert prepared.learning_rate == pytest.approx(expected)
    assert prepare(prepared.model, loaded.tokenizer).learning_rate == pytest.approx(expected)
