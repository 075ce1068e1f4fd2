from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.models import load_model, prepare, trainable_parameters
from aurify.models.load import load_tokenizer, resolve_name
from aurify.questions import PromptTemplate


def test_the_nugget_of_an_installation_that_is_gone(tmp_path):
    assert resolve_name("/elsewhere/aurify/nugget/model") == resolve_name("nugget")
    there = tmp_path / "aurify" / "nugget" / "model"
    there.mkdir(parents=True)
    assert resolve_name(str(there)) == str(there)


def test_the_nugget_by_its_word():
    model, tokenizer = load_model("nugget")
    assert not model.training
    assert model.dtype == torch.float32
    assert tokenizer.pad_token_id is not None


def test_threads_load_at_once_and_leave_transformers_as_it_was():
    together = Barrier(3)

    def load(_):
        together.wait()
        return load_model("nugget").model

    for _ in range(3):
        with ThreadPoolExecutor(3) as threads:
            for model in threads.map(load, range(3)):
                assert model.lm_head.weight is model.get_input_embeddings().weight
    assert load_model("nugget").model.get_input_embeddings() is not None


def test_a_folder_that_is_not_there_or_not_a_model_is_one_line(tmp_path):
    for name in (tmp_path / "missing", tmp_path):
        with pytest.raises(AurifyError, match=r"--model .*") as error:
            load_model(str(name))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["./nowhere", "../nowhere", "/nowhere/model", "runs/one/model", "nowhere/"])
def test_a_name_that_is_a_folders_alone_is_not_asked_of_the_hub(name):
    with pytest.raises(AurifyError, match="cannot be loaded: there is no such folder"):
        load_model(name)


@pytest.mark.parametrize("name", ["nowhere", "some-one/nowhere-2.5_b"])
def test_a_name_that_may_be_the_hubs_is_asked_of_it(name):
    with pytest.raises(AurifyError, match=r"cannot be loaded: (?!there is no such folder)"):
        load_model(name)


def test_damaged_weights_are_one_line(tiny_model_dir, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_model_dir.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(AurifyError, match="cannot be loaded"):
        load_model(str(folder))


def test_pickled_weights_are_never_loaded(tiny_model_dir, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_model_dir.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    torch.save(load_model(str(tiny_model_dir)).model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(AurifyError, match="cannot be loaded"):
        load_model(str(folder))


@pytest.mark.parametrize(("kind", "count"), [("full", None), ("lora", None), ("prompt", 1)])
def test_tuning_kinds_train_their_own_parameters_only(tiny_model_dir, kind, count):
    loaded = load_model(str(tiny_model_dir))
    total = sum(1 for _ in loaded.model.parameters())
    tuned = prepare(*loaded, kind=kind)
    names = trainable_parameters(tuned.model)
    assert tuned.kind == kind
    if kind == "full":
        assert len(names) == total
    else:
        assert len(names) == (count or len(names))
        assert all("lora" in name or "prompt_encoder" in name for name in names)


def test_a_soft_prompt_starts_from_a_text(tiny_model_dir):
    loaded = load_model(str(tiny_model_dir))
    ids = loaded.tokenizer("Let me count.", add_special_tokens=False)["input_ids"]
    expected = loaded.model.get_input_embeddings().weight[ids].detach().clone()
    tuned = prepare(*loaded, kind="prompt", prompt_text="Let me count.")
    torch.testing.assert_close(next(iter(trainable_parameters(tuned.model).values())).detach(), expected)
    assert tuned.learning_rate == 1.0


def test_an_adapter_is_loaded_over_its_base_and_trained_further(tiny_model_dir, tmp_path):
    loaded = load_model(str(tiny_model_dir))
    adapter = prepare(*loaded, kind="lora", lora_rank=2).model
    with torch.no_grad():
        for parameter in trainable_parameters(adapter).values():
            parameter.add_(0.1)
    adapter.save_pretrained(tmp_path)
    again = load_model(str(tmp_path), trainable=True)
    tuned = prepare(*again)
    assert tuned.kind == "lora"
    for name, parameter in trainable_parameters(adapter).items():
        assert torch.equal(parameter, trainable_parameters(tuned.model)[name])
    with pytest.raises(UsageError, match="lora adapter already"):
        prepare(*again, kind="full")


def test_lora_starts_as_the_base_model_and_is_seeded(tiny_model_dir):
    ids = torch.tensor([[5, 6, 7, 8]])
    base = load_model(str(tiny_model_dir)).model(ids).logits
    before = torch.get_rng_state()
    one = prepare(*load_model(str(tiny_model_dir)), kind="lora", seed=3).model
    assert torch.equal(torch.get_rng_state(), before), "nobody else's draws are changed"
    two = prepare(*load_model(str(tiny_model_dir)), kind="lora", seed=3).model
    assert torch.equal(one(ids).logits, base)
    for name, parameter in trainable_parameters(one).items():
        assert torch.equal(parameter, trainable_parameters(two)[name])


def test_an_adapter_without_its_base_is_one_line(tmp_path):
    gone = tmp_path / "gone"
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(gone)}))
    with pytest.raises(AurifyError, match=f"its base {gone} cannot be loaded: there is no such folder"):
        load_model(str(tmp_path))


def test_an_adapter_is_found_from_another_folder_than_its_base_was(tiny_model_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny_model_dir.parent)
    loaded = load_model(tiny_model_dir.name)
    n_base = loaded.model.num_parameters()
    tuned = prepare(loaded.model, loaded.tokenizer, kind="lora", lora_rank=2, seed=0)
    tuned.model.save_pretrained(tmp_path / "adapter")
    monkeypatch.chdir(tmp_path)
    assert load_model("adapter").model.num_parameters() > n_base


def test_a_dtype_may_be_torchs_own_and_what_is_none_or_no_device_is_one_line(tiny_model_dir):
    for dtype in (torch.bfloat16, "bfloat16"):
        assert load_model(tiny_model_dir, dtype=dtype).model.dtype == torch.bfloat16
    with pytest.raises(UsageError, match="dtype int8: known: float32, bfloat16, float16"):
        load_model(tiny_model_dir, dtype=torch.int8)
    for device in ("cuda:99", "nowhere"):
        with pytest.raises(UsageError, match=f"device {device}: "):
            load_model(tiny_model_dir, device=device)


def test_a_tokenizer_knows_what_ends_a_turn_of_its_model(tiny_model_dir: Path, tmp_path: Path) -> None:
    """Of the tokens behind a reply the generation config's is the end, not the tokenizer's EOS nor the first."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_dir, folder)
    template = "{% for m in messages %}{{ m.content }}<bos><pad>{% endfor %}"
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    tokenizer = load_tokenizer(str(folder))
    pad, bos = tokenizer.pad_token_id, tokenizer.bos_token_id
    assert PromptTemplate.named("chat", tokenizer).ending(tokenizer) == (bos,)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [tokenizer.eos_token_id, pad]}))
    for known in (load_tokenizer(str(folder)), load_model(str(folder)).tokenizer):
        assert PromptTemplate.named("chat", known).ending(known) == (bos, pad)
