from __future__ import annotations

from aurify.questions import Question
from aurify.running.asked import read_asked, texts_asked, write_asked


def test_the_texts_of_both_parts_by_id(tmp_path):
    one, other = Question("a", "What is 1?", "1", "number"), Question("b", "What is 2?", "2", "number")
    write_asked(tmp_path / "questions.jsonl", [one], [other])
    assert texts_asked(tmp_path) == {"a": "What is 1?", "b": "What is 2?"}
    assert [asked.part for asked in read_asked(tmp_path / "questions.jsonl")] == ["trained", "held out"]


def test_a_file_of_that_name_that_no_run_wrote_says_nothing(tmp_path):
    assert texts_asked(tmp_path) == {}
    (tmp_path / "questions.jsonl").write_text('{"question": "What is 1?", "answer": "1"}\n')
    assert texts_asked(tmp_path) == {}
