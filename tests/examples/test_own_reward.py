from __future__ import annotations

from pathlib import Path


def test_every_verdict_has_its_reward(example, capsys, monkeypatch):
    module = example("own_reward")
    monkeypatch.syspath_prepend(str(Path(module.__file__).parent))
    module.main()
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in shown] == ["right", "wrong", "wrong", "left-out"]
    assert [line[2] for line in shown[:3]] == ["1,", "0.666667,", "0.5,"]


def test_it_takes_completions_of_turns_too(example):
    turns = [{"role": "assistant", "content": "red and blue"}]
    assert example("own_reward").brief_and_right([turns, "red"], [["red", "blue"]] * 2, [40] * 2) == [1.0, 0.5]


def test_it_is_one_page(example):
    assert len(Path(example("own_reward").__file__).read_text(encoding="utf-8").splitlines()) <= 100
