"""A model's folder, or a ranker's, that would run code: it is refused without a question, and the code is not run."""

from __future__ import annotations

import gc
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.load import load_tokenizer
from aurify.models.untrusted import reading
from aurify.sampling.vllm.source import WeightsSource
from aurify.sampling.vllm.source import tokenizer_of as load_served_tokenizer
from aurify.voting.neural_ranker import NeuralRanker

SOURCE = Path(__file__).parents[2] / "src" / "aurify"


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def ran(tmp_path):
    """What foreign code makes when it is run."""
    return tmp_path / "ran"


@pytest.fixture
def foreign(tiny_model_dir, tmp_path, ran):
    """A model folder whose configuration and tokenizer name classes in a file beside them."""
    folder = tmp_path / "foreign"
    shutil.copytree(tiny_model_dir, folder)
    (folder / "code.py").write_text(
        f"import os\nos.mkdir({str(ran)!r})\n"
        "from transformers import LlamaConfig as C, LlamaForCausalLM as M, PreTrainedTokenizerFast as T\n"
    )
    change(folder / "config.json", model_type="foreign", auto_map={
        "AutoConfig": "code.C", "AutoModelForCausalLM": "code.M", "AutoModel": "code.M"
    })  # fmt: skip
    change(
        folder / "tokenizer_config.json", tokenizer_class="Foreign", auto_map={"AutoTokenizer": ["code.T", "code.T"]}
    )
    return folder


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def adapter_of(base: Path, folder: Path, **changed: Any) -> Path:
    prepare(*load_model(str(base)), kind="lora", lora_rank=2).model.save_pretrained(folder)
    change(folder / "adapter_config.json", base_model_name_or_path=str(base), **changed)
    return folder


@pytest.mark.parametrize("command", ["train", "sample", "evaluate", "rank", "check", "distill", "doctor"])
def test_no_command_runs_or_asks(command, foreign, questions, table, ran, aurify, monkeypatch, tmp_path):
    model, out = ["--model", foreign], ["--out", tmp_path / "out"]
    words = {
        "train": ["train", "trice", "--data", questions, *model, *out],
        "sample": ["sample", "--data", questions, *model, *out],
        "evaluate": ["evaluate", "--data", questions, *model],
        "rank": ["rank", "--ranker", "neural", "--from", table, "--data", questions, *model, *out],
        "check": ["check", questions, *model],
        "distill": ["distill", "nat", "--from", table, "--data", questions, *model, *out],
        "doctor": ["doctor", "--data", questions, *model],
    }[command]
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda text="": asked.append(text) or "yes")
    assert "auto_map" in aurify(*words).error
    assert not asked
    assert not ran.exists()


def test_a_tokenizer_alone_and_under_an_adapter(foreign, tiny_model_dir, ran, tmp_path):
    shutil.copy(tiny_model_dir / "config.json", foreign / "config.json")
    adapter = adapter_of(tiny_model_dir, tmp_path / "adapter")
    for name in ("tokenizer.json", "tokenizer_config.json", "code.py"):
        shutil.copy(foreign / name, adapter / name)
    for name in (foreign, adapter):
        with pytest.raises(AurifyError, match="auto_map"):
            load_model(str(name))
        with pytest.raises(AurifyError, match="auto_map"):
            load_tokenizer(str(name))
        with pytest.raises(AurifyError, match="auto_map"):
            load_served_tokenizer(WeightsSource(str(name)))
    assert not ran.exists()


def test_a_model_that_transformers_knows_itself_is_taken_without_its_code(tiny_model_dir, foreign, ran):
    change(foreign / "config.json", model_type="llama")
    change(foreign / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", auto_map={})
    loaded, own = load_model(str(foreign)).model, load_model(str(tiny_model_dir)).model
    assert type(loaded) is type(own)
    assert not ran.exists()


def test_the_encoder_of_a_ranker(foreign, ran, tmp_path):
    folder = tmp_path / "ranker"
    shutil.copytree(foreign, folder / "encoder")
    settings = {"model": "nugget", "loss": "pair", "lora_rank": 0}
    (folder / "neural.json").write_text(json.dumps(settings))
    with pytest.raises(AurifyError, match="auto_map"):
        NeuralRanker.load(folder)
    assert not ran.exists()


@pytest.mark.parametrize("trainable", [False, True])
def test_an_adapter_that_names_another_tokenizer(foreign, tiny_model_dir, ran, tmp_path, trainable):
    folder = tmp_path / "prompt"
    prepare(*load_model(str(tiny_model_dir)), kind="prompt", prompt_tokens=3).model.save_pretrained(folder)
    change(
        folder / "adapter_config.json", base_model_name_or_path=str(tiny_model_dir), prompt_tuning_init="TEXT",
        prompt_tuning_init_text="abc", tokenizer_name_or_path=str(foreign),
        tokenizer_kwargs={"trust_remote_code": True},
    )  # fmt: skip
    with pytest.raises(AurifyError, match="tokenizer_kwargs would run code"):
        load_model(str(folder), trainable=trainable)
    assert not ran.exists()


def test_what_would_be_imported_or_fetched_is_refused(tiny_model_dir, tmp_path):
    adapter = adapter_of(tiny_model_dir, tmp_path / "adapter", megatron_config={"a": 1}, megatron_core="antigravity")
    with pytest.raises(AurifyError, match="megatron_config would run code"):
        load_model(str(adapter))
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_dir, folder)
    change(folder / "config.json", attn_implementation="somebody/kernel")
    with pytest.raises(AurifyError, match="attn_implementation would fetch and run code"):
        load_model(str(folder))
    change(folder / "config.json", attn_implementation="eager")
    load_model(str(folder))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "adapter_model.bin", "model.pkl"])
def test_a_pickle_is_not_read(name, tiny_model_dir, ran, tmp_path):
    folder = tmp_path / "model"
    if name.startswith("adapter"):
        adapter_of(tiny_model_dir, folder)
        (folder / "adapter_model.safetensors").unlink()
    else:
        shutil.copytree(tiny_model_dir, folder)
        (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Touch(ran)))
    with pytest.raises(AurifyError, match=f"{name} is not read: a pickle can run code"):
        load_model(str(folder))
    torch.save(Touch(ran), folder / name)
    with pytest.raises(AurifyError, match="is not read"):
        load_model(str(folder))
    assert not ran.exists()


def test_an_index_that_points_to_a_pickle(tiny_model_dir, ran, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_dir, folder)
    names = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Touch(ran)))
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, "pytorch_model.bin")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(AurifyError, match="cannot be loaded"):
        load_model(str(folder))
    assert not ran.exists()


def test_only_one_module_calls_the_loaders():
    allowed = {SOURCE / "models" / "untrusted.py", SOURCE / "nugget" / "report.py", SOURCE / "nugget" / "tokenizer.py"}
    words = ("AutoModelForCausalLM.from_pretrained", "AutoTokenizer.from_pretrained", "AutoConfig.from_pretrained",
             "AutoModel.from_pretrained", "PeftModel.from_pretrained", "kind.from_pretrained", "torch.load",
             "load_peft_weights", "pickle", "trust_remote_code=True", "from_config(AutoConfig")  # fmt: skip
    for path in SOURCE.rglob("*.py"):
        text = "\n".join(line for line in path.read_text().splitlines() if "import" not in line and "``" not in line)
        found = [word for word in words if word in text and not (word == "pickle" and "no pickle" in text.lower())]
        assert path in allowed or not found, (path, found)


@pytest.mark.parametrize("kind", ["model", "adapter", "encoder"])
def test_missing_weights_are_not_made_up(kind, tiny_model_dir, tmp_path):
    folder = tmp_path / "model"
    if kind == "adapter":
        file = adapter_of(tiny_model_dir, folder) / "adapter_model.safetensors"
    else:
        file = Path(shutil.copytree(tiny_model_dir, folder)) / "model.safetensors"
    weights = load_file(file)
    gone = next(name for name in weights if "q_proj" in name)
    value = weights.pop(gone)
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(AurifyError, match=r"lacks 1 tensor \(.*q_proj.*random"):
        load_model(str(folder)) if kind != "encoder" else load_body(folder)
    save_file({**weights, gone: value[:1].clone()}, file, {"format": "pt"})
    with pytest.raises(AurifyError, match="cannot be loaded"):
        load_model(str(folder)) if kind != "encoder" else load_body(folder)


def load_body(folder: Path) -> Any:
    from aurify.voting.neural_ranker import load_encoder

    return load_encoder(str(folder))


def test_names_of_tensors_reach_the_terminal_inert(tiny_model_dir, questions, aurify, tmp_path):
    folder = Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    weights["\x1b]0;owned\x07\x1b[31mname\nline"] = torch.zeros(1)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    done = aurify("evaluate", "--model", folder, "--data", questions, "--limit", 1, "--max-new-tokens", 4)
    assert done.status == 0, done.err
    assert "left out, since they belong to no weight of the model: 1 tensor (name line)" in done.err
    assert "\x1b" not in done.err + done.out
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "lacks 1 tensor (model.norm.weight)" in aurify("evaluate", "--model", folder, "--data", questions).error


@pytest.fixture
def no_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro again(n) %}{% for i in range(9) %}{{ again(n + 1) }}{% endfor %}{% endmacro %}{{ again(0) }}",
    ],
)
@pytest.mark.usefixtures("no_collector")  # pytest cannot tell of an error in its callbacks where the stack is full
def test_a_chat_template_that_never_ends(template, tiny_model_dir, questions, aurify, monkeypatch, tmp_path):
    monkeypatch.setattr("aurify.questions.chat.SECONDS", 0.3)
    folder = Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))
    (folder / "chat_template.jinja").write_text(template)
    words = ["evaluate", "--model", folder, "--data", questions, "--limit", 1, "--max-new-tokens", 4]
    assert "the model's chat template" in aurify(*words, "--prompt", "chat").error
    assert aurify(*words, "--prompt", "plain").status == 0


def test_any_error_of_a_library_is_one_line():
    for error in (RecursionError("a\nb"), AttributeError("'list' has no\x1b[1m attribute"), MemoryError()):
        with pytest.raises(AurifyError) as found, reading("model"):
            raise error
        assert "\n" not in str(found.value)
        assert "\x1b" not in str(found.value)
    with pytest.raises(KeyboardInterrupt), reading("model"):
        raise KeyboardInterrupt
