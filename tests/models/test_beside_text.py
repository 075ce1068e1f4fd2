"""Models that take images too are tuned on text: their image parts stay as they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.beside_text import layers_beside_text, parts_beside_text, said_of_parts
from aurify.models.logprobs import token_logprobs
from aurify.models.lora import add_lora
from aurify.models.precision import count_parameters
from aurify.sampling import LocalSampler, Prompt

TEXT = {
    "vocab_size": 259, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 128, "eos_token_id": 257, "pad_token_id": 258,
    "bos_token_id": 256,
}  # fmt: skip
IMAGES = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
    "patch_size": 14,
}  # fmt: skip


def build(name: str) -> Any:
    import transformers as hf

    torch.manual_seed(0)
    if name == "gemma3":
        config: Any = hf.Gemma3Config(
            text_config={**TEXT, "layer_types": ["sliding_attention", "full_attention"], "sliding_window": 64},
            vision_config=IMAGES, mm_tokens_per_image=4, image_token_index=3, boi_token_index=4, eoi_token_index=5,
        )  # fmt: skip
        return hf.Gemma3ForConditionalGeneration(config).eval()
    vision = {**IMAGES, "model_type": "pixtral", "head_dim": 8}
    config = hf.Mistral3Config(text_config={**TEXT, "model_type": "mistral"}, vision_config=vision)
    return hf.Mistral3ForConditionalGeneration(config).eval()


@pytest.fixture(params=["gemma3", "mistral3"])  # a language model to transformers, and none
def folder(request: pytest.FixtureRequest, tiny_model_dir: Path, tmp_path: Path) -> Path:
    place = tmp_path / request.param
    shutil.copytree(tiny_model_dir, place, ignore=shutil.ignore_patterns("*.safetensors", "*config.json"))
    shutil.copy(tiny_model_dir / "tokenizer_config.json", place)
    build(request.param).save_pretrained(place)
    return place


def test_it_is_loaded_said_counted_sampled_and_scored(folder: Path) -> None:
    said: list[str] = []
    loaded = load_model(folder, say=said.append)
    (line,) = said
    assert line.startswith("left as it is, since text does not run it: model.vision_tower, model.multi_modal_projector")
    assert count_parameters(str(folder)) == sum(p.numel() for p in loaded.model.parameters())
    prompt = (10, 20, 30)
    [drawn] = LocalSampler(loaded.model, loaded.tokenizer).sample([Prompt(prompt, (1, 2))], max_new_tokens=6)
    for one in drawn:
        with torch.no_grad():
            rows = loaded.model(input_ids=torch.tensor([[*prompt, *one.token_ids]])).logits[0].log_softmax(-1)
            (scored,) = token_logprobs(loaded.model, [(prompt, one.token_ids)], pad_token_id=0)
        alone = [float(rows[2 + i, token]) for i, token in enumerate(one.token_ids)]
        assert one.token_logprobs == pytest.approx(alone, abs=1e-4)
        assert scored.tolist() == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("how", ["full", "lora", "lora q_proj", "distill"])
def test_what_text_does_not_run_is_not_trained(how: str, folder: Path) -> None:
    loaded = load_model(folder)
    kind, _, target = how.partition(" ")
    if kind == "distill":
        model = add_lora(loaded.model, rank=2, alpha=4, targets=["q_proj", "v_proj"], adapter="default", seed=0)
    else:
        targets = [target] if target else []
        model = prepare(loaded.model, loaded.tokenizer, kind=kind, lora_rank=2, lora_targets=targets).model  # type: ignore[arg-type]  # a word
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert any("language_model" in name for name in trained)
    assert not any("vision" in name or "projector" in name for name in trained)
    if kind == "lora":
        assert not any("vision" in name for name, module in model.named_modules() if "lora_A" in name)
    model(input_ids=torch.tensor([[10, 20, 30]])).logits.sum().backward()
    got = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert got == trained, "text runs all that is trained"


def test_where_the_language_model_comes_alone_it_is_said(tiny_model_dir: Path, tmp_path: Path) -> None:
    import transformers as hf

    heads = dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads"), 2)
    widths = dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), 8)
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 24, "num_heads": 2, "out_hidden_size": 32,
        "num_position_embeddings": 16,
    }  # fmt: skip
    config = hf.Qwen3_5Config(text_config={**TEXT, **heads, **widths}, vision_config=vision)
    shutil.copytree(tiny_model_dir, tmp_path / "q", ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    hf.Qwen3_5ForConditionalGeneration(config).save_pretrained(tmp_path / "q")
    said: list[str] = []
    model = load_model(tmp_path / "q", say=said.append).model
    assert said == [
        "the language model alone is loaded, as transformers has it: what is saved whole has no part for images"
    ]
    assert not any("visual" in name for name, _ in model.named_parameters())


def test_a_model_of_text_alone_has_no_such_parts(tiny_model_dir: Path) -> None:
    model = load_model(tiny_model_dir).model
    assert (parts_beside_text(model), layers_beside_text(model), said_of_parts(model, model.config)) == ([], [], "")


def test_what_no_class_takes_is_one_line(tiny_model_dir: Path, tmp_path: Path) -> None:
    import transformers as hf

    shutil.copytree(tiny_model_dir, tmp_path / "clip", ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    hf.CLIPConfig().save_pretrained(tmp_path / "clip")
    with pytest.raises(AurifyError, match=r"Unrecognized configuration class .*CLIPConfig.* AutoModelForCausalLM"):
        count_parameters(str(tmp_path / "clip"))
