"""Reports as files: of one run, of several, of runs that are not finished; and what is said where none can be made."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from invented_run import write_run

from aurify.errors import AurifyError
from aurify.questions import Question, load_questions
from aurify.rationales import RationaleTable
from aurify.report.content import RunContent, read_content
from aurify.report.make import make_report, tell_report
from aurify.report.source import read_run
from aurify.running.asked import read_asked, write_asked


def test_a_run_has_its_report_in_its_folder(run_folder):
    path = make_report([run_folder])
    assert path == run_folder / "report.html"
    first = path.read_bytes()
    assert make_report([run_folder]).read_bytes() == first, "the same run gives the same page"


def test_several_runs_are_compared_beside_each_other(tmp_path):
    for name, gain in (("good", 1.0), ("bad", 0.2)):
        write_run(tmp_path / "runs" / name, gain=gain, held=60, method="trice" if name == "good" else "rloo")
    path = make_report([tmp_path / "runs" / "good", tmp_path / "runs" / "bad"])
    assert path == tmp_path / "runs" / "report.html"
    comparison = read_content([tmp_path / "runs" / "good", tmp_path / "runs" / "bad"]).comparison
    assert [row.name for row in comparison.methods] == ["trice", "rloo"]
    assert comparison.pairs[0].ahead == "trice"
    assert "trice is better (these runs)" in path.read_text()


def test_runs_that_cannot_be_compared_say_why_and_are_shown_all_the_same(tmp_path):
    write_run(tmp_path / "one")
    write_run(tmp_path / "two", finished=False)
    page = make_report([tmp_path / "one", tmp_path / "two"]).read_text()
    assert "No statistics" in page
    assert "the run is not finished" in page


@pytest.mark.parametrize("gone", ["rationales", "held_out", "metrics.jsonl", "questions.jsonl", "checkpoints"])
def test_a_run_of_which_a_part_is_not_there_yet_has_a_report(tmp_path, gone):
    write_run(tmp_path / "run", finished=False)
    path = tmp_path / "run" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "not finished" in make_report([tmp_path / "run"]).read_text()


def test_whether_a_difference_is_real_is_said_by_the_paired_test(tmp_path):
    write_run(tmp_path / "better", held=60, gain=0.9)
    write_run(tmp_path / "unsure", held=10, gain=0.2)
    assert RunContent.read(tmp_path / "better").summary.real.word == "better"
    assert RunContent.read(tmp_path / "unsure").summary.real.word == "unknown"


def test_a_folder_that_is_no_run_is_one_clear_line(run_aurify, tmp_path):
    found = run_aurify("report", tmp_path / "nowhere")
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert "nowhere: no such folder" in found.stderr


def test_what_goes_wrong_with_a_report_fails_no_run(run_folder):
    said: list[str] = []
    next((run_folder / "rationales").glob("*.parquet")).write_bytes(b"damaged")
    with pytest.raises(AurifyError):
        make_report([run_folder])
    tell_report([run_folder], said.append)
    assert said[0].startswith("no report was made")
    assert "aurify report" in said[0]


def test_the_questions_of_a_run_are_read_as_they_were_and_as_any_question_file(tmp_path):
    one = Question("a", "What\nis \u2028 it? \ud800", "4", "number", task="t", rationale="because", accepted=("5",))
    write_asked(tmp_path / "questions.jsonl", [one], [Question("b", "And?", "", "text")])
    assert read_asked(tmp_path / "questions.jsonl") == [
        (one, "trained"),
        (Question("b", "And?", "", "text"), "held out"),
    ]
    write_asked(tmp_path / "questions.jsonl", [Question("a", "What?", "4", "number")], [])
    assert [question.text for question in load_questions(tmp_path / "questions.jsonl")] == ["What?"]
    (tmp_path / "questions.jsonl").write_text("{}\n")
    with pytest.raises(AurifyError, match=r"questions.jsonl:1"):
        read_asked(tmp_path / "questions.jsonl")


def test_rows_are_read_as_the_table_has_them_but_for_their_token_ids(run_folder):
    rows = read_run(run_folder).drawn
    table = list(RationaleTable(run_folder / "rationales").read())
    assert [replace(row, token_ids=()) for row in rows.rows] == [replace(row, token_ids=()) for row in table]
    assert rows.n_tokens == [len(row.token_ids) for row in table]
    assert [rows.number(row) for row in rows.rows] == list(range(len(table)))


def test_a_nat_run_shows_the_weight_under_every_token_and_no_token_is_markup(run_folder):
    read = {"question_id": "q<1>", "right": False, "text": ["So", " <b>", " 3"], "weights": [-0.25, 0.125, 0.0]}
    named = {"token": "So", "id": 1, "mean": -0.25, "tokens": 7}
    (run_folder / "unit_weights.jsonl").write_text(f"{json.dumps(named)}\n{json.dumps(read)}\n")
    page = make_report([run_folder]).read_text()
    assert '<span class="away">So<small>-0.25</small></span>' in page
    assert '<span class="adds"> &lt;b&gt;<small>+0.12</small></span>' in page
    assert "A wrong rationale of <code>q&lt;1&gt;</code>" in page
