"""A base in 4 bits under LoRA: the same numbers as of its weights written out, in less memory."""

from __future__ import annotations

import copy
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, prepare
from aurify.models import quantized as module
from aurify.models.logprobs import token_logprobs
from aurify.models.quantized import check_trainable
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

needs_bitsandbytes = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")


@pytest.fixture(scope="module")
def tuned() -> Any:
    loaded = load_model("nugget", quantize="4bit")
    return prepare(loaded.model, loaded.tokenizer)


def written_out(model: Any) -> Any:
    """The model with ordinary layers that hold what the 4 bits stand for."""
    import bitsandbytes.nn as bnb
    from bitsandbytes.functional import dequantize_4bit

    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, bnb.Linear4bit):
                weight = dequantize_4bit(child.weight.data, child.weight.quant_state).float()
                layer = nn.Linear(weight.shape[1], weight.shape[0], bias=child.bias is not None)
                layer.weight = nn.Parameter(weight, requires_grad=False)
                if child.bias is not None:
                    layer.bias = nn.Parameter(child.bias.data.float(), requires_grad=False)
                setattr(parent, name, layer)
    return model


@needs_bitsandbytes
def test_lora_is_put_onto_four_bits(tuned: Any) -> None:
    kinds = {type(layer).__name__ for layer in tuned.model.modules()}
    assert tuned.kind == "lora"
    assert "Linear4bit" in kinds
    assert {parameter.dtype for parameter in tuned.model.parameters() if parameter.requires_grad} == {torch.float32}


@needs_bitsandbytes
def test_on_a_cpu_it_says_that_it_brings_nothing() -> None:
    said: list[str] = []
    load_model("nugget", quantize="4bit", say=said.append)
    assert any("they are for GPUs" in line for line in said)
    said.clear()
    load_model("nugget", say=said.append)
    assert not said


@needs_bitsandbytes
@pytest.mark.filterwarnings("ignore:.*bitsandbytes")
def test_scores_and_gradients_are_those_of_the_weights_it_stands_for(tuned: Any) -> None:
    torch.manual_seed(0)
    for name, parameter in tuned.model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.02)
    plain = written_out(tuned.model)
    sequences = [((5, 6, 7, 8), (9, 10, 11)), ((5, 6), (12,)), ((5, 6, 7), (13, 14, 15, 16))]
    found = []
    for model in (tuned.model, plain):
        with torch.no_grad():  # as a sampler does in between
            token_logprobs(model, sequences, pad_token_id=0)
        model.zero_grad(set_to_none=True)
        rows = token_logprobs(model, sequences, pad_token_id=0)
        torch.cat(rows).sum().backward()
        gradients = {
            name.replace("base_layer.", ""): parameter.grad
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }
        found.append((torch.cat(rows).detach(), gradients))
    (scores, gradients), (exact, exact_gradients) = found
    torch.testing.assert_close(scores, exact, atol=1e-3, rtol=0)
    assert gradients.keys() == exact_gradients.keys()
    for name, gradient in gradients.items():
        error = (gradient - exact_gradients[name]).norm() / exact_gradients[name].norm()
        assert error < 1e-3, name


def stored(model: Any, *, trainable: bool, dequantize: bool = False) -> Any:
    """The model as if its weights were stored quantised, in whichever form."""
    config = SimpleNamespace(quant_method=SimpleNamespace(value="fp4"), dequantize=dequantize)
    model.is_quantized = True
    model.hf_quantizer = SimpleNamespace(quantization_config=config, is_trainable=trainable)
    return model


def test_weights_stored_quantised_are_trained_by_lora_alone_and_not_where_no_gradient_passes() -> None:
    model, tokenizer = load_model("nugget")
    check_trainable(model, "m")
    check_trainable(stored(model, trainable=False, dequantize=True), "m")  # written out as it was loaded
    with pytest.raises(
        UsageError, match=r"--model m: its weights are stored quantised \(fp4\), in a form that no grad"
    ):
        check_trainable(stored(model, trainable=False), "m")
    check_trainable(stored(model, trainable=True), "m")
    with pytest.raises(UsageError, match=r"--tuning full: the weights of --model are stored quantised \(fp4\): take"):
        prepare(model, tokenizer, kind="full")
    assert prepare(model, tokenizer).kind == "lora"


@needs_bitsandbytes
def test_a_folder_of_four_bits_is_trained_by_lora(tmp_path: Path) -> None:
    loaded = load_model("nugget", quantize="4bit")
    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    model, tokenizer = load_model(str(tmp_path), trainable=True)
    assert prepare(model, tokenizer).kind == "lora"
    with pytest.raises(UsageError, match=r"stored quantised \(bitsandbytes\)"):
        prepare(load_model(str(tmp_path)).model, tokenizer, kind="full")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'aurify\[quantize\]'"):
        load_model("nugget", quantize="4bit")


@pytest.mark.parametrize("tuning", ["full", "prompt"])
def test_only_for_lora(tuning: str) -> None:
    words = {"method": "trice", "model": "nugget", "data": "d", "quantize": "4bit", "tuning": tuning}
    with pytest.raises(AurifyError, match="--quantize 4bit is for LoRA"):
        resolve(TrainSettings, words)
