"""GGUF files: written here as llama.cpp's converter does, loaded, trained, saved, and found again by an adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model
from aurify.models.gguf import gguf_source
from aurify.models.load import base_name, eos_of, load_tokenizer
from aurify.nugget import generate
from aurify.sampling.vllm.source import read_source
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed (the extra gguf)")

WIDTH, LAYERS, HEADS, INNER = 64, 2, 2, 96


def write_gguf(path: Path, quantised: bool = True) -> dict[str, np.ndarray[Any, Any]]:
    """A random Qwen2 of two layers with a byte-level tokenizer; the weights by their names in the file."""
    from tokenizers import pre_tokenizers

    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġa", "<eos>", "<pad>"]
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types([3 if word in ("<eos>", "<pad>") else 1 for word in words])
    writer.add_token_merges(["Ġ a"])
    writer.add_eos_token_id(len(words) - 2)
    writer.add_bos_token_id(len(words) - 2)
    writer.add_pad_token_id(len(words) - 1)
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(words), WIDTH), "output.weight": (len(words), WIDTH), "output_norm.weight": (WIDTH,),
    }  # fmt: skip
    for layer in range(LAYERS):
        own = {
            "attn_norm.weight": (WIDTH,), "ffn_norm.weight": (WIDTH,), "attn_q.weight": (WIDTH, WIDTH),
            "attn_k.weight": (WIDTH // HEADS, WIDTH), "attn_v.weight": (WIDTH // HEADS, WIDTH),
            "attn_q.bias": (WIDTH,), "attn_k.bias": (WIDTH // HEADS,), "attn_v.bias": (WIDTH // HEADS,),
            "attn_output.weight": (WIDTH, WIDTH), "ffn_gate.weight": (INNER, WIDTH), "ffn_up.weight": (INNER, WIDTH),
            "ffn_down.weight": (WIDTH, INNER),
        }  # fmt: skip
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in own.items()}
    weights = {name: 0.2 * random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    kind = gguf.GGMLQuantizationType.Q8_0
    for name, weight in weights.items():
        if quantised and weight.ndim == 2:
            packed = gguf.quants.quantize(weight, kind)
            weights[name] = gguf.quants.dequantize(packed, kind)
            writer.add_tensor(name, packed, raw_dtype=kind)
        else:
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.Q8_0.gguf"
    np.savez(path.with_suffix(".npz"), **write_gguf(path))
    return path


def test_a_file_is_an_ordinary_model_with_the_unpacked_weights(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    model, tokenizer = load_model(str(file), say=said.append)
    assert len(said) == 1
    assert "unpacked from GGUF to float32" in said[0]
    wanted = np.load(file.with_suffix(".npz"))
    found = model.state_dict()
    torch.testing.assert_close(found["model.embed_tokens.weight"].numpy(), wanted["token_embd.weight"])
    torch.testing.assert_close(found["model.layers.1.mlp.down_proj.weight"].numpy(), wanted["blk.1.ffn_down.weight"])
    torch.testing.assert_close(found["model.layers.0.self_attn.q_proj.weight"].numpy(), wanted["blk.0.attn_q.weight"])
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    text = "What is 1 + 1?\n"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.eos_token == "<eos>"
    assert load_tokenizer(str(file)).eos_token_id in eos_of(str(file), tokenizer)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert "quantization_config" not in json.loads((tmp_path / "config.json").read_text())
    again = load_model(str(tmp_path))
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    assert torch.equal(again.model(ids).logits, model(ids).logits)
    assert {p.dtype for p in load_model(str(file), dtype="bfloat16").model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_it_trains_and_what_comes_out_is_ordinary(file: Path, tmp_path: Path, tuning: str) -> None:
    """Direct tuning on the answers, so that every step has something to learn from."""
    questions = generate("object_counting", 6, seed=2)
    settings = TrainSettings(
        method="direct", model=str(file), data="q.jsonl", out=str(tmp_path / "run"), steps=2, questions=3, lr=1e-2,
        tuning=tuning, max_new_tokens=4,
    )  # fmt: skip
    run = run_training(settings, questions=questions[:4], held_out=questions[4:])
    assert base_name(str(run.model)) == (str(file.resolve()) if tuning == "lora" else str(run.model))
    said: list[str] = []
    model, tokenizer = load_model(str(run.model), say=said.append)
    assert len(said) == (tuning == "lora"), "the base is unpacked again, and said so"
    ids = torch.tensor([tokenizer("What is 1?")["input_ids"]])
    assert not torch.allclose(model(ids).logits, load_model(str(file)).model(ids).logits)


def test_what_cannot_be_loaded_is_one_line(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AurifyError, match="no such file; one of the hub is written hub/name"):
        load_model(str(tmp_path / "none.gguf"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, or not")
    with pytest.raises(AurifyError, match=r"broken\.gguf: cannot be loaded") as error:
        load_model(str(tmp_path / "broken.gguf"))
    assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="in a GGUF file, which vLLM is not given"):
        read_source(str(file))
    monkeypatch.setattr("aurify.models.gguf.find_spec", lambda name: None)
    with pytest.raises(AurifyError, match=r"needs the package gguf: pip install 'aurify\[gguf\]'"):
        load_model(str(file))


def test_which_names_are_ggufs(file: Path, tmp_path: Path) -> None:
    assert gguf_source(str(file)) == {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    assert gguf_source("hub/name:model.Q4_K_M.gguf") == {
        "pretrained_model_name_or_path": "hub/name", "gguf_file": "model.Q4_K_M.gguf",
    }  # fmt: skip
    (tmp_path / "folder.gguf").mkdir()
    for name in ("hub/name", "nugget", str(tmp_path / "folder.gguf"), "hub/name-gguf"):
        assert gguf_source(name) is None


def test_a_real_file(real_models: Path) -> None:
    """SmolLM2 in four bits, and the folder that was made of it."""
    file = real_models / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not file.is_file():
        pytest.skip(f"no {file.name} in {real_models}")
    model, tokenizer = load_model(str(file))
    folder = load_model(str(real_models / "smollm2-135m-instruct"))
    for name, weight in folder.model.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert tokenizer.chat_template == folder.tokenizer.chat_template
    assert tokenizer.eos_token_id == folder.tokenizer.eos_token_id
