"""What docs/guides/serve.md says of lm-evaluation-harness, done with the real one: it finds what aurify finds."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from page_steps import commands_of, page_steps, take
from peft import LoraConfig, get_peft_model

from aurify.answers import Verdict
from aurify.models import load_model
from aurify.models.prompting import PromptForm
from aurify.nugget import different, json_line, path
from aurify.rationales import RationaleTable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "serve.md").read_text(encoding="utf-8")
QUESTIONS = different("object_counting", 20, 1)


@pytest.fixture(scope="module")
def harness() -> str:
    """The program ``lm_eval``, beside this Python or where ``make harness`` puts it."""
    places = [Path(sys.executable).parent, ROOT / ".venv-harness" / "bin"]
    program = os.environ.get("LM_EVAL") or shutil.which("lm_eval", path=os.pathsep.join(map(str, places)))
    if program is None:
        pytest.skip("lm-evaluation-harness is not installed: make harness")
    return program


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A whole model, an adapter that makes another model of it, and 20 questions, where the page has them."""
    folder = tmp_path_factory.mktemp("harness")
    shutil.copytree(path(), folder / "runs" / "trice" / "model")
    loaded = load_model("nugget")
    model = get_peft_model(loaded.model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    adapter = folder / "runs" / "lora" / "model"
    torch.manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights, std=0.2)  # of half as much no verdict changes
    model.save_pretrained(adapter)
    loaded.tokenizer.save_pretrained(adapter)
    for model_folder in (folder / "runs" / "trice" / "model", adapter):
        PromptForm("plain", max_new_tokens=256).save(model_folder)
    (folder / "test.jsonl").write_text("".join(map(json_line, QUESTIONS)))
    for step in page_steps(PAGE):
        if step.name == "counting.yaml":
            take(step, folder)
    return folder


def greedy(run_aurify, folder: Path, model: str) -> list[bool]:
    """What aurify finds of the same questions, in their order."""
    out = folder / f"aurify-{Path(model).parent.name}"
    run_aurify("evaluate", "--model", model, "--data", "test.jsonl", "--out", out, cwd=folder, timeout=1200)
    right = {row.question_id: row.verdict is Verdict.RIGHT for row in RationaleTable(out / "greedy").read()}
    return [right[question.id] for question in QUESTIONS]


@pytest.mark.timeout(3600)
def test_a_whole_model_and_an_adapter_are_right_where_aurify_says_so_and_can_be_compared(harness, folder, run_aurify):
    environment = {**os.environ, "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "cache")}
    found = {}
    for command, name in zip(commands_of(PAGE, "lm_eval"), ("trice", "lora"), strict=True):
        words = shlex.split(command.replace("BASE", str(path())))
        done = subprocess.run(
            [harness, *words[1:], "--device", "cpu"], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        (samples,) = folder.glob(f"{words[words.index('--output_path') + 1]}/*/samples_*.jsonl")
        rows = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]
        found[name] = [row["exact_match"] == 1 for row in sorted(rows, key=lambda row: row["doc_id"])]
        assert found[name] == greedy(run_aurify, folder, f"runs/{name}/model")
    assert found["trice"] != found["lora"], "the adapter was not used"
    (compare,) = (line for line in commands_of(PAGE, "aurify compare") if "harness" in line)
    files = [file for pattern in shlex.split(compare)[2:] for file in folder.glob(pattern)]
    done = run_aurify("compare", *files, cwd=folder)
    assert done.returncode == 0, done.stderr
    whole, adapter = found["trice"], found["lora"]
    alone = [sum(a and not b for a, b in zip(*pair, strict=True)) for pair in ((whole, adapter), (adapter, whole))]
    assert "{} : {}".format(*alone) in done.stdout
