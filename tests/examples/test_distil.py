from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from aurify.distillation import DistillSettings, run_distillation
from aurify.rationales import read_rationales


def test_the_page_trains_the_very_weights_of_the_command(example, questions, source, tmp_path, capsys):
    module = example("distil")
    settings = {"holdout": 0.25, "steps": 3, "max_new_tokens": 90, "seed": 3, "clip": 0.7}
    student = module.distil(questions, read_rationales(source), **settings, size=6, rate=3e-3)
    asked = DistillSettings(  # nothing else is set, as in the page's own command
        method="nat", model="nugget", data="(given)", from_=str(source), out=str(tmp_path / "run"), **settings,
        rationales=6, lr=3e-3,
    )  # fmt: skip
    run = run_distillation(asked, questions=questions)
    own = {name: value.detach() for name, value in student.named_parameters()}
    unit = load_file(run.model / "unit.safetensors")
    assert unit
    assert all(torch.equal(value, own[name]) for name, value in unit.items())
    for adapter in ("neg", "pos"):
        saved = load_file(run.model / adapter / "adapter_model.safetensors")
        loras = {name: value for name, value in saved.items() if "lora_" in name}
        assert loras
        assert all(torch.equal(loras[name], own[name.replace(".weight", f".{adapter}.weight")]) for name in loras)
    assert "stage pos: loss" in capsys.readouterr().out


def test_it_is_one_page(example):
    assert len(Path(example("distil").__file__).read_text(encoding="utf-8").splitlines()) <= 100
