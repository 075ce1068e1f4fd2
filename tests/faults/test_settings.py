"""Settings and files of a model that no run could have: one line, whatever they are."""

from __future__ import annotations

import shutil

import pytest


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--lr", "inf"), "--lr 'inf': input should be a finite number"),
        (("--lr", "nan"), "--lr 'nan': input should be"),
        (("--lr", "1e38"), "--lr '1e38': input should be less than or equal to 1000000"),
        (("--weight-decay", "1e300"), "--weight-decay '1e300': input should be less than or equal to 1000000"),
        (("--lr-final", "nan"), "--lr-final 'nan': input should be"),
        (("--seed", "1" + "0" * 30), "at most 63 bits"),
        (("--seed", "9" * 5000), "--seed"),
        (("--steps", "1" + "0" * 30), "at most 63 bits"),
        (("--lora-rank", "1000000000", "--tuning", "lora"), "less than or equal to 65536"),
        (("--soft-prompt-init", "1000000000000", "--tuning", "prompt"), "the soft prompt has 1000000000000 tokens"),
        (("--soft-prompt-init", "9" * 5000, "--tuning", "prompt"), "soft-prompt-init"),
    ],
)
def test_numbers_beyond_all_measure(more, says, train, aurify, tmp_path):
    assert says in aurify(*train(tmp_path / "out"), *more).error


@pytest.mark.parametrize("content", ["[]", "3", "null", "{", "", "[" * 100000, '{"model_type": ["llama"]}', "\x00"])
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json", "generation_config.json"])
def test_a_damaged_file_of_a_model(name, content, tiny_model_dir, questions, aurify, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_dir, folder)
    (folder / name).write_text(content)
    done = aurify("evaluate", "--model", folder, "--data", questions, "--limit", 1, "--max-new-tokens", 2)
    assert done.status == 0 or done.error


@pytest.mark.parametrize("content", ["[]", "{}", '{"base_model_name_or_path": 3}', "[" * 100000])
def test_a_damaged_adapter(content, questions, aurify, tmp_path):
    (tmp_path / "adapter_config.json").write_text(content)
    assert "adapter_config.json" in aurify("evaluate", "--model", tmp_path, "--data", questions).error
