from __future__ import annotations

from pathlib import Path

from aurify.rationales import read_rationales


def test_every_vote_is_counted_on_questions_that_the_ranker_has_not_seen(example, questions, source, capsys):
    found = example("vote").votes(questions, read_rationales(source), samples=5)
    assert list(found) == ["one sample", "self-consistency", "adaptive", "best of all"]
    assert all(0 <= accuracy <= 1 for accuracy in found.values())
    assert found["self-consistency"] > 0
    assert capsys.readouterr().out.count("pools") == 4


def test_it_is_one_page(example):
    assert len(Path(example("vote").__file__).read_text(encoding="utf-8").splitlines()) <= 100
