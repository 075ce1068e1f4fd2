"""The replay of a run's chains says what the run's own memory says, or says that it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from invented_run import write_run

import aurify
from aurify.answers import Verdict
from aurify.nugget import generate
from aurify.report import source
from aurify.report.browser import question_items
from aurify.report.chains import read_chains
from aurify.report.make import make_report
from aurify.report.source import read_run
from aurify.report.summary import summarise


@pytest.mark.parametrize("samples", [1, 4])
def test_the_last_visit_of_every_chain_leaves_what_the_memory_holds(tmp_path, samples):
    memory = write_run(tmp_path / "run", trained=12, steps=9, samples=samples)
    chains = read_chains(read_run(tmp_path / "run"))
    assert chains.replayed
    assert chains.visits.keys() == memory.keys()
    for question_id, visits in chains.visits.items():
        held = visits[-1].held
        expected = memory[question_id].rationale
        assert (held and held.seed, visits[-1].since) == (expected and expected.seed, memory[question_id].since)
        assert all(len(visit.weights) == len(visit.drawn) for visit in visits)
    drawn = [row for visits in chains.visits.values() for visit in visits for row in visit.drawn]
    assert len(drawn) == len(read_run(tmp_path / "run").drawn.rows), "every row of the table is shown once"


def test_the_weights_are_those_of_the_estimator(tmp_path):
    write_run(tmp_path / "run", trained=8, steps=6)
    visits = [visit for own in read_chains(read_run(tmp_path / "run")).visits.values() for visit in own]
    for visit in visits:
        for row, weight in zip(visit.drawn, visit.weights, strict=True):
            if row.source == "self" and row.right:
                assert weight > 0 or len(visits) == 1
            if row.source == "self" and not row.right:
                assert weight <= 0


def test_a_run_that_went_otherwise_is_shown_without_its_memory(tmp_path):
    write_run(tmp_path / "run", trained=8, steps=6, samples=4)
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace("seed = 3", "seed = 4"))
    chains = read_chains(read_run(tmp_path / "run"))
    assert not chains.replayed
    assert all(visit.held is None and not visit.weights for own in chains.visits.values() for visit in own)


@pytest.mark.parametrize("method", ["star", "no-such-method", "cot", "trice-likelihood"])
def test_methods_whose_steps_do_not_follow_from_the_table_are_shown_without_a_memory(tmp_path, method):
    write_run(tmp_path / "run", method=method)
    assert not read_chains(read_run(tmp_path / "run")).replayed


def test_of_more_rationales_than_a_page_holds_evenly_chosen_questions_are_shown(tmp_path, monkeypatch):
    write_run(tmp_path / "run", trained=20, steps=9, samples=4)
    whole = read_run(tmp_path / "run")
    monkeypatch.setattr(source, "MOST_SHOWN", 100)
    some = read_run(tmp_path / "run")
    asked = [one.question.id for one in some.asked if one.part == "trained"]
    assert 2 < len(asked) == 20 - some.left_out < 20
    assert {row.question_id for row in some.drawn.rows} == set(asked)
    assert len(some.drawn.rows) <= 100 < len(whole.drawn.rows)
    wanted = [(row.text, row.step) for row in whole.drawn.rows if row.question_id in asked]
    assert [(row.text, row.step) for row in some.drawn.rows] == wanted
    assert some.held_out.rows == whole.held_out.rows
    assert not read_chains(some).replayed
    told = [fact for fact in summarise(some).facts if fact.name == "trained on, and shown here"]
    assert told[0].value == f"{len(asked)} of 20 questions"
    assert not [fact for fact in summarise(whole).facts if "shown" in fact.name]


@pytest.mark.parametrize(
    ("method", "more", "replayed"),
    [
        ("trice", {}, True), ("trice", {"moves": "suffix"}, True), ("trice", {"moves": "mixed", "questions": 4}, True),
        ("trice", {"moves": "guide"}, False), ("trice", {"memory": "guide"}, True), ("rloo", {"samples": 2}, True),
    ],
)  # fmt: skip
def test_real_runs_are_replayed_whatever_their_chains_begin_with_and_how_they_move(method, more, replayed, tmp_path):
    """But for hinted proposals, of which the table does not tell the weights."""
    settings = {"memory": "none", "steps": 5, "questions": 2, "max_new_tokens": 60, "holdout": 0.0, **more}
    aurify.train(method, model="nugget", data=generate("web_of_lies", 4, seed=5), out=tmp_path / "run", **settings)
    assert make_report([tmp_path / "run"]).is_file()
    run = read_run(tmp_path / "run")
    chains = read_chains(run)
    assert chains.replayed is replayed
    shown = [row for visits in chains.visits.values() for visit in visits for row in visit.drawn]
    assert len(shown) == len(run.drawn.rows), "every row of the table is shown once"
    if replayed and "moves" in more:
        assert any(row.cut for row in shown)
    whole = {id(row) for row in run.drawn.rows if row.source == "self" and not row.cut}
    items = {item["id"]: item for item in question_items(run, chains)}
    assert sum(item["n"] for item in items.values()) == len(whole), "new ends are no samples of the model alone"


def test_a_question_whose_samples_were_all_left_out_rests(tmp_path):
    write_run(tmp_path / "run", trained=4, steps=3)
    run = read_run(tmp_path / "run")
    one = next(row for row in run.drawn.rows if row.source == "self")
    left_out = replace(one, question_id="new", step=1, verdict=Verdict.LEFT_OUT)
    run.drawn.rows.insert(0, left_out)
    chains = read_chains(run)
    assert chains.replayed
    (visit,) = chains.visits["new"]
    assert (visit.drawn, visit.held, visit.weights) == ((left_out,), None, (0.0,))
