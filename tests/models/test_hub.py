"""What `aurify export --push` wrote is read back by its name: an adapter, a NAT model, the form of the prompt.

The hub's own cache is filled by hand, as a download leaves it, and nothing speaks to a network.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from aurify.distillation.base import load_given
from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError
from aurify.models import load_model, prepare
from aurify.models.hub import hub_file, hub_parts
from aurify.models.load import resolve_name
from aurify.models.nat import NatConfig
from aurify.models.nat.storage import save_nat
from aurify.models.prompting import PROMPT_FILE, PromptForm, prompt_form

COMMIT = "0" * 40
FORM = PromptForm("plain", "Q: 0 + 1?\nA: One. So the answer is 1.", max_new_tokens=96)
Upload = Callable[[str, Path], None]


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """Puts a folder's files where the hub's client keeps those of a repository."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    hub_file.cache_clear()
    hub_parts.cache_clear()

    def upload(name: str, folder: Path) -> None:
        repository = tmp_path / "cache" / f"models--{name.replace('/', '--')}"
        shutil.copytree(folder, repository / "snapshots" / COMMIT)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(COMMIT)

    return upload


def asked(**given: Any) -> Any:
    names = dict.fromkeys(("few_shot", "system", "template_args", "max_new_tokens"))
    return SimpleNamespace(**{**names, "prompt": "auto", **given})


def test_an_adapter_of_the_hub_is_loaded_as_that_of_a_folder(
    tiny_model_dir: Path, tmp_path: Path, upload: Upload, draw_adapters: Any
) -> None:
    model = prepare(*load_model(str(tiny_model_dir)), kind="lora", lora_rank=2).model
    draw_adapters(model)
    model.save_pretrained(tmp_path / "run")
    FORM.save(tmp_path / "run")
    upload("me/adapter", tmp_path / "run")
    found = load_model("me/adapter")
    ids = torch.arange(6)[None]
    with torch.no_grad():
        assert torch.equal(found.model(ids).logits, load_model(str(tmp_path / "run")).model(ids).logits)
        assert not torch.equal(found.model(ids).logits, load_model(str(tiny_model_dir)).model(ids).logits)
    assert found.model.active_peft_config.r == 2
    assert prompt_form(asked(), "me/adapter", found.tokenizer) == FORM


def test_what_would_run_code_in_an_adapter_of_the_hub_is_refused(
    tiny_model_dir: Path, tmp_path: Path, upload: Upload
) -> None:
    prepare(*load_model(str(tiny_model_dir)), kind="lora", lora_rank=2).model.save_pretrained(tmp_path / "run")
    file = tmp_path / "run" / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "megatron_config": {"x": 1}}))
    upload("me/hostile", tmp_path / "run")
    with pytest.raises(AurifyError, match="megatron_config would run code"):
        load_model("me/hostile")


def test_a_nat_model_of_the_hub_is_one(nat: Any, tiny_model_dir: Path, tmp_path: Path, upload: Upload) -> None:
    (tmp_path / "run").mkdir()
    save_nat(nat, tmp_path / "run", NatConfig(rank=2, width=5), base=str(tiny_model_dir))
    upload("me/nat", tmp_path / "run")
    settings = DistillSettings(method="nce", model="me/nat", data="q.jsonl", from_="r", dtype="float32")
    loaded, base = load_given(settings, "cpu", tmp_path, print)
    assert base == str(tiny_model_dir)
    ids = torch.arange(6)[None]
    with torch.no_grad():
        assert torch.equal(loaded.model(ids).logits, load_model(str(tmp_path / "run")).model(ids).logits)


def test_a_whole_model_of_the_hub_keeps_its_name_and_is_asked_in_its_form(
    tiny_model_dir: Path, tmp_path: Path, upload: Upload
) -> None:
    shutil.copytree(tiny_model_dir, tmp_path / "run")
    FORM.save(tmp_path / "run")
    upload("me/whole", tmp_path / "run")
    assert resolve_name("me/whole") == "me/whole"
    found = prompt_form(asked(), "me/whole", load_model("me/whole").tokenizer)
    assert found == FORM
    assert "as prompt.json of me/whole says" in found.line()
    told = prompt_form(asked(prompt="plain"), "me/whole", load_model("me/whole").tokenizer)
    assert "it was trained as plain and worked examples" in told.line()


def test_another_file_of_that_name_is_no_record(tiny_model_dir: Path, tmp_path: Path, upload: Upload) -> None:
    shutil.copytree(tiny_model_dir, tmp_path / "run")
    (tmp_path / "run" / PROMPT_FILE).write_text('{"prompts": ["Summarise:"]}')
    upload("me/other", tmp_path / "run")
    assert prompt_form(asked(), "me/other", load_model("me/other").tokenizer).prompt == "plain"


def test_a_folder_here_and_a_repository_that_is_not_there_have_no_files_of_the_hub(
    tmp_path: Path, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me" / "here").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    FORM.save(tmp_path / "run")
    upload("me/here", tmp_path / "run")
    for name in ("me/here", "me/nowhere", "me", "nugget", "./x", "me/x.gguf", "a/b/c", "me/name:x.gguf"):
        assert hub_file(name, PROMPT_FILE) is None, name
        assert hub_parts(name) is None, name
