"""Which form a model is asked in: told, recorded, or found; and that every command keeps to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.models import load_model
from aurify.models.prompting import PROMPT_FILE, PromptForm, first_prompt, prompt_form
from aurify.nugget import generate
from aurify.rationales import read_rationales
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

SHOTS = "Q: 0 + 1?\nA: One. So the answer is 1."
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if thinks is defined %}<think>\n{% endif %}"
    "{% endif %}"
)


def asked(**given: Any) -> Any:
    names = dict.fromkeys(("few_shot", "system", "template_args", "max_new_tokens"))
    return SimpleNamespace(**{**names, "prompt": "auto", **given})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The nugget with ChatML: "base" ends in its own EOS, "chat" in the template's token too."""
    model, tokenizer = load_model("nugget")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.no_grad():
        rows = model.get_output_embeddings().weight
        rows[end] = rows[tokenizer.eos_token_id] * 1.3
    tokenizer.chat_template = CHATML
    top = tmp_path_factory.mktemp("models")
    for name in ("base", "chat"):
        if name == "chat":
            model.generation_config.eos_token_id = [tokenizer.eos_token_id, end]
        model.save_pretrained(top / name)
        tokenizer.save_pretrained(top / name)
    return {name: top / name for name in ("base", "chat")}


def test_what_auto_finds(folders: dict[str, Path]) -> None:
    tokenizer = load_model(str(folders["chat"])).tokenizer
    found = prompt_form(asked(), str(folders["chat"]), tokenizer)
    assert (found.prompt, found.line()) == ("chat", "prompt: chat (the model's chat template)")
    found = prompt_form(asked(), str(folders["base"]), tokenizer)
    assert found.prompt == "plain"
    assert "a base model: the chat template ends turns with <|im_end|>" in found.line()
    assert prompt_form(asked(), "nugget", load_model("nugget").tokenizer).prompt == "plain"
    assert prompt_form(asked(prompt="chat"), str(folders["base"]), tokenizer).prompt == "chat"
    with pytest.raises(UsageError, match="--system is for a chat"):
        prompt_form(asked(system="Be brief."), "nugget", tokenizer).template(tokenizer)


def test_a_record_is_kept_to_unless_something_else_is_said(tmp_path: Path) -> None:
    tokenizer: Any = SimpleNamespace(chat_template=None)
    wrote = PromptForm("chat", SHOTS, "Be brief.", {"thinks": True}, 96)
    wrote.save(tmp_path)
    read = PromptForm.read(tmp_path)
    assert read == wrote
    found = prompt_form(asked(), str(tmp_path), tokenizer)
    assert found == wrote
    assert "worked examples, a system message" in found.line()
    assert prompt_form(asked(max_new_tokens=8, system="x"), str(tmp_path), tokenizer) == PromptForm(
        "chat", SHOTS, "x", {"thinks": True}, 8
    )
    assert prompt_form(asked(prompt="chat"), str(tmp_path), tokenizer) == PromptForm("chat"), "told: no record counts"
    for damaged in (
        "{",
        '{"prompt": "chat", "date": "today"}',
        '{"prompt": "plane"}',
        '{"prompt": "chat", "more": 1}',
        "[]",
    ):
        (tmp_path / PROMPT_FILE).write_text(damaged)
        with pytest.raises(AurifyError, match=r"prompt\.json: not the record of a prompt"):
            PromptForm.read(tmp_path)
        with pytest.raises(AurifyError, match="or give --prompt"):
            prompt_form(asked(), str(tmp_path), tokenizer)
        assert prompt_form(asked(prompt="plain"), str(tmp_path), tokenizer) == PromptForm("plain")
    assert PromptForm.read(tmp_path / "nowhere") is None


def test_the_date_of_a_template_stays_that_of_the_first_prompt(folders: dict[str, Path], tmp_path: Path) -> None:
    tokenizer = load_model(str(folders["chat"])).tokenizer
    assert prompt_form(asked(), str(folders["chat"]), tokenizer).date is None
    tokenizer.chat_template = "{{ strftime_now('%Y') }}" + CHATML
    found = prompt_form(asked(), str(folders["chat"]), tokenizer)
    assert found.date is not None
    assert found.line().endswith(f", dated {found.date}")
    assert prompt_form(asked(prompt="plain"), str(folders["chat"]), tokenizer).date is None
    replace(found, date="1999-12-31").save(tmp_path)
    later = prompt_form(asked(), str(tmp_path), tokenizer)
    (question,) = generate("object_counting", 1, seed=1)
    assert later.template(tokenizer).render(question).startswith("1999<|im_start|>user")


def test_a_long_prompt_is_shown_from_its_end(folders: dict[str, Path]) -> None:
    (question,) = generate("object_counting", 1, seed=1)
    form = PromptForm("plain", "\n\n".join([SHOTS] * 100))
    shown = first_prompt(form.template(None), question)
    assert shown.startswith(f"--- first prompt, of {question.id}\n[")
    assert question.text in shown
    assert len(shown) < 2200


def test_a_run_records_its_form_and_later_commands_take_it(folders: dict[str, Path], tmp_path: Path) -> None:
    """Sampled, trained and evaluated in a chat that opens a thought, without being told again."""
    questions = generate("object_counting", 10, seed=2)
    lines: list[str] = []
    settings = TrainSettings(
        method="trice", model=str(folders["chat"]), data="q.jsonl", out=str(tmp_path / "run"), steps=1, questions=4,
        memory="none", max_new_tokens=48, template_args='{"thinks": true}',
    )  # fmt: skip
    watcher: Any = SimpleNamespace(
        say=lines.append, step=lambda *_: None, evaluated=lambda *_: None, drawn=lambda *_: None
    )
    run = run_training(settings, questions=questions[:6], held_out=questions[6:], watcher=watcher)
    assert any(line.startswith("prompt: chat (the model's chat template), template arguments") for line in lines)
    assert any("--- first prompt" in line and line.endswith("assistant\n<think>\n---") for line in lines)
    recorded = {"prompt": "chat", "template_args": {"thinks": True}, "max_new_tokens": 48}
    for folder in (run.out, run.model):
        assert json.loads((folder / PROMPT_FILE).read_text()) == recorded
    rows = read_rationales(run.out / "rationales")
    assert all(row.text.startswith("<think>\n") for row in rows)
    assert {row.reason for row in rows} <= {
        "the thought is never closed", "cut at the token limit, before its thought was closed"
    }, "the template opened it, and this model closes none"  # fmt: skip
    said: list[str] = []
    found = run_evaluation(
        EvaluateSettings(model=str(run.model), data="q.jsonl"), questions=questions[6:], say=said.append
    )
    assert said[-1].startswith("prompt: chat (as ")
    assert said[-1].endswith("token limit 48")
    assert (found.settings.prompt, found.settings.max_new_tokens) == ("chat", 48)
    after = [row for row in read_rationales(run.out / "held_out") if row.step == 1]
    assert found.tallies["greedy"].tokens == sum(len(row.token_ids) for row in after)
