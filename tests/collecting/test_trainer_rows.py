"""Rows for TRL's trainers: what is in them, the way back, and the trainers themselves where they are installed."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from aurify.answers.verdict import Verdict
from aurify.cli.app import build, exit_status
from aurify.collecting.trainer_rows import TrainerForm, trainer_rows, trainer_rows_of_table
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Rationale, RationaleTable, by_question, read_rationales
from aurify.running.asked import write_asked

FORMS = get_args(TrainerForm)
ONE = Question("one", "What is 1 + 1?", "2", "number")
TWO = Question("two", "What is 2 + 2?", "4", "number")
GOOD = Rationale("one", (), "So the answer is 2.", "2", Verdict.RIGHT, "", "self", "m", 1, 0, 0, "stop", None)
BAD = replace(GOOD, text="So the answer is 3.", predicted="3", verdict=Verdict.WRONG)
TABLE = [
    GOOD, BAD, replace(GOOD, step=2), replace(BAD, text="So the answer is 5."),
    replace(BAD, question_id="two"), replace(BAD, verdict=Verdict.TRUNCATED, text="So"),
    replace(GOOD, question_id="three"),
]  # fmt: skip
TOLD = {"question_id": "one", "question": "What is 1 + 1?", "answer": "2"}
PROMPT = "Question: What is 1 + 1?\nAnswer: Let's think step by step.\n"


def rows(form: Any, name: str = "plain") -> Any:
    return trainer_rows(TABLE, {one.id: one for one in (ONE, TWO)}, PromptTemplate.for_server(name), form)


def test_each_form_has_what_its_trainer_learns_from_and_counts_the_rest():
    sft, dpo, kto = map(rows, FORMS)
    common = {"repeated": 1, "truncated": 1, "of other questions": 1}
    assert sft.rows == [{"prompt": PROMPT, "completion": GOOD.text, **TOLD}]
    assert sft.left_out == {**common, "wrong": 3}
    assert dpo.rows == [{"prompt": PROMPT, "chosen": GOOD.text, "rejected": BAD.text, **TOLD}]
    assert dpo.left_out == {**common, "without a partner": 2}
    assert [(row["question_id"], row["completion"], row["label"]) for row in kto.rows] == [
        ("one", GOOD.text, True), ("one", BAD.text, False), ("one", "So the answer is 5.", False),
        ("two", BAD.text, False),
    ]  # fmt: skip
    assert kto.left_out == common


def test_a_model_that_is_asked_in_a_chat_gets_turns():
    (row,) = rows("dpo", "chat").rows
    assert [turn["role"] for turn in row["prompt"]] == ["user"]
    assert row["prompt"][0]["content"].startswith("What is 1 + 1?")
    assert row["chosen"] == [{"role": "assistant", "content": GOOD.text}]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a run's folder holds of all this."""
    table = RationaleTable(tmp_path / "run" / "rationales")
    table.append(TABLE[:5])
    table.flush(1)
    write_asked(tmp_path / "run" / "questions.jsonl", [ONE, TWO], [])
    return tmp_path / "run"


@pytest.mark.parametrize("form", FORMS)
def test_a_table_that_is_read_some_questions_at_a_time_gives_the_same_rows_and_counts(form, tmp_path, monkeypatch):
    monkeypatch.setattr(by_question, "ROWS_TOGETHER", 7)
    draw = random.Random(form)
    table, template = RationaleTable(tmp_path / "rationales"), PromptTemplate.for_server("plain")
    questions = {name: replace(ONE, id=name) for name in "abcdefgh"}
    for step in (1, 2, 3):
        table.append(
            replace(
                GOOD, step=step, question_id=draw.choice("abcdefghxyz"), text=f"It is {draw.randrange(6)}.",
                verdict=draw.choice([*Verdict]), source=draw.choice(["self", "guide"]),
            )
            for _ in range(40)
        )  # fmt: skip
        table.flush(step)
    whole = trainer_rows(table.read(), questions, template, form)
    some = list(trainer_rows_of_table(table, questions, template, form))
    assert len(some) > 3
    assert [row for found in some for row in found.rows] == whole.rows != []
    assert sum((found.left_out for found in some), Counter[str]()) == whole.left_out


@pytest.mark.parametrize("prompt", ["plain", "chat"])
@pytest.mark.parametrize("form", FORMS)
def test_what_was_exported_is_imported_again_with_the_same_verdicts(form, prompt, run, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert exit_status(build, ["export", "run", "--to", form, "--prompt", prompt]) == 0
    assert "rows in" in capfd.readouterr().err
    given = [json.loads(line) for line in Path(f"{form}.jsonl").read_text().splitlines()]
    assert exit_status(build, ["import", f"{form}.jsonl", "--out", "back"]) == 0
    out = capfd.readouterr().out
    back = Counter((one.question_id, one.text, one.right) for one in read_rationales("back"))
    kept = {"sft": [(GOOD, True)], "dpo": [(GOOD, True), (BAD, False)]}.get(form)
    wanted = Counter(("one", one.text, right) for one, right in kept) if kept else Counter(
        (row["question_id"], row["completion"][0]["content"] if prompt == "chat" else row["completion"], row["label"])
        for row in given
    )  # fmt: skip
    assert back == wanted
    assert "disagree" not in out
    assert ("agreement 100.00 %" in out) == (form != "sft")


def test_preferences_of_others_are_read_with_the_prompt_among_their_turns(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"role": "user", "content": "What is 1 + 1?"}
    row = {
        "chosen": [asked, {"role": "assistant", "content": "2"}], "answer": "2",
        "rejected": [asked, {"role": "assistant", "content": "3"}],
    }  # fmt: skip
    Path("others.jsonl").write_text(json.dumps(row) + "\n")
    assert exit_status(build, ["import", "others.jsonl", "--out", "back"]) == 0
    assert [(one.text, one.right) for one in read_rationales("back")] == [("2", True), ("3", False)]


def test_a_log_that_numbers_its_rows_is_exported_with_the_questions_that_it_asks(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = [("0", "What is 1 + 1?", "2"), ("1", "What is 2 + 2?", "4")]
    Path("data.jsonl").write_text(
        "".join(
            json.dumps(row) + "\n"
            for row in [{"id": name, "question": text, "answer": gold} for name, text, gold in asked]
        )
    )
    told = [("What is 2 + 2?", "It is 4."), ("How far is the moon?", "Far."), ("What is 1 + 1?", "It is 2.")]
    log = [{"id": i, "question": q, "text": t, "verdict": "right"} for i, (q, t) in enumerate(told)]
    Path("log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    assert exit_status(build, ["export", "log.jsonl", "--to", "sft", "--data", "data.jsonl", "--prompt", "plain"]) == 0
    written = [json.loads(line) for line in Path("sft.jsonl").read_text().splitlines()]
    assert [(row["question_id"], row["completion"]) for row in written] == [("1", "It is 4."), ("0", "It is 2.")]
    assert "1 of other questions" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run"], "nothing to do"),
        (["run", "--to", "sft", "--out", "nowhere/x.jsonl"], "not a file in a folder"),
        (["run/rationales", "--to", "sft"], "say with --data"),
        (["missing", "--to", "sft", "--data", "run/questions.jsonl"], "no such file"),
        (["run", "--to", "sft", "--data", "others.jsonl"], "nothing for --to sft (5 of other questions)"),
    ],
)
def test_a_mistake_is_one_line(words, told, run, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("others.jsonl").write_text('{"id": "x", "question": "What is 9 + 9?", "answer": "18"}\n')
    assert exit_status(build, ["export", *words]) in (1, 2)
    assert not Path("sft.jsonl").exists()
    out, error = capfd.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert told in error


def test_datasets_opens_the_table_of_a_run(run):
    from datasets import load_dataset

    table = load_dataset("parquet", data_dir=str(run / "rationales"), split="train", cache_dir=str(run / "cache"))
    assert len(table) == 5
    assert {"question_id", "text", "verdict", "reason", "logprob"} <= set(table.column_names)
    assert table.filter(lambda row: row["verdict"] == "right").num_rows == 2


@pytest.mark.parametrize("form", FORMS)
def test_trls_own_trainer_learns_from_the_rows(form, run, tmp_path, tiny_model_dir, monkeypatch):
    trl = pytest.importorskip("trl", reason="TRL is not installed (make peers has it)")
    from datasets import load_dataset

    monkeypatch.chdir(tmp_path)
    assert exit_status(build, ["export", "run", "--to", form]) == 0
    rows = load_dataset("json", data_files=f"{form}.jsonl", split="train", cache_dir=str(tmp_path / "cache"))
    trainer = {"sft": "SFT", "dpo": "DPO", "kto": "KTO"}[form]
    config: dict[str, Any] = {
        "output_dir": "trl", "max_steps": 1, "per_device_train_batch_size": 2, "report_to": "none", "use_cpu": True,
        "save_strategy": "no", "disable_tqdm": True, "bf16": False, "gradient_checkpointing": False,
    }  # fmt: skip
    kind, settings = getattr(trl, f"{trainer}Trainer"), getattr(trl, f"{trainer}Config")(**config)
    done = kind(model=str(tiny_model_dir), args=settings, train_dataset=rows).train()
    assert done.global_step == 1
    assert 0 < done.training_loss < 100
