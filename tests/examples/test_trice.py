from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

import aurify

PAGE = 100


def test_the_page_trains_the_very_weights_of_the_command(example, questions, tmp_path, capsys):
    module = example("trice")
    settings = {"holdout": 0.25, "steps": 4, "max_new_tokens": 90, "seed": 3, "clip": 0.7}
    model = module.trice(questions, **settings, size=6, rate=7e-4)
    run = aurify.train(  # nothing else is set, as in the page's own command
        "trice", model="nugget", data=questions, out=tmp_path / "run", **settings, questions=6, lr=7e-4, memory="guide"
    )
    trained, own = load_file(run.model / "model.safetensors"), model.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in trained.items())
    base = aurify.load_model("nugget").model.state_dict()
    assert not any(torch.equal(value, base[name]) for name, value in trained.items() if value.dim() == 2)
    said = capsys.readouterr().out
    assert f"before: {run.before.value:.1%} of {run.before.n} held-out questions right" in said
    assert f"after: {run.after.value:.1%}" in said


def test_it_is_one_page(example):
    assert len(Path(example("trice").__file__).read_text(encoding="utf-8").splitlines()) <= PAGE
