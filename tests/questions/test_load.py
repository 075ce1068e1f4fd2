from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.tags import THOUGHT_TAG, TOLD_REPLY, TOLD_THOUGHT
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question, load_questions, read_questions


def write(file: Path, *rows: object) -> Path:
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return file


def test_a_question_and_all_that_is_known_of_it(tmp_path: Path) -> None:
    file = write(
        tmp_path / "sums.jsonl", {"question": "700 + 750?", "answer": "700+750=<<700+750=1450>>1450\n#### 1,450"}
    )
    questions = load_questions(file)
    assert list(questions) == [
        Question(
            id=questions[0].id,
            text="700 + 750?",
            answer="1450",
            answer_type="number",
            task="sums",
            rationale="700+750=1450\nSo the answer is 1450.",
            where=f"{file}:1",
        )
    ]
    assert questions[0].id.startswith("sums-")
    assert (questions.answer_type, questions.inferred, questions.skipped) == ("number", True, [])


BAD = [
    ('{"question": "q", "answer": NaN}', "NaN is not valid JSON"),
    ('{"question": "q"}', "no answer"),
    ('{"question": "q", "answer": ""}', "'answer' is empty"),
    ('{"question": "q", "answer": null}', "'answer' is null"),
    ('{"question": "", "answer": 1}', "'question' is empty"),
    ('{"question": ["q"], "answer": 1}', "'question' is a list"),
    ('{"question": "q", "answer": {"a": 1}}', "'answer' is an object"),
    ('{"id": "first", "question": "q", "answer": 1}', "the id 'first' occurs at"),
    ("[1]", "expected a JSON object"),
    ("{", "not valid JSON"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_bad_row_stops_the_work_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    good = {"id": "first", "question": "1 + 1?", "answer": 2}
    file = write(tmp_path / "f.jsonl", good, line, {"question": "last?", "answer": 3})
    with pytest.raises(AurifyError) as caught:
        load_questions(file)
    message = str(caught.value)
    assert message.startswith(f"{file}:2: ")
    assert reason in message
    assert "--skip-bad" in message
    assert "\n" not in message
    questions = load_questions(file, skip_bad=True)
    assert [question.where for question in questions] == [f"{file}:1", f"{file}:3"]
    ((where, why),) = questions.skipped
    assert where == f"{file}:2"
    assert reason in why


def test_every_bad_row_is_counted_in_order(tmp_path: Path) -> None:
    file = write(
        tmp_path / "f.jsonl", {"question": "q", "answer": 1}, *(line for line, _ in BAD if "first" not in line)
    )
    questions = load_questions(file, skip_bad=True)
    assert [where for where, _ in questions.skipped] == [f"{file}:{line}" for line in range(2, len(BAD) + 1)]


@pytest.mark.parametrize("content", ["", "\n\n", "[]", '{"examples": []}', "question,answer\n"])
def test_no_rows(tmp_path: Path, content: str) -> None:
    file = tmp_path / ("f.csv" if "," in content else "f.json" if content[:1] in ("[", "{") else "f.jsonl")
    file.write_text(content)
    for skip_bad in (False, True):
        with pytest.raises(AurifyError, match=rf"{file.name}:1: no rows"):
            load_questions(file, skip_bad=skip_bad)
    assert len(read_questions(file, skip_bad=True).skipped) == 1


def test_answers_as_told(tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", {"question": "q", "answer": "7"}, {"question": "r", "answer": "seven"})
    assert load_questions(file).answer_type == "text", "half are numbers, which is no file of numbers"
    with pytest.raises(AurifyError, match=r"f.jsonl:2: the answer is 'seven': expected a number"):
        load_questions(file, answers="number")
    own = load_questions(file, answers="operator:eq")
    assert (own.answer_type, own.inferred, own[1].answer) == ("operator:eq", False, "seven")
    with pytest.raises(UsageError, match="did you mean 'text'"):
        load_questions(file, answers="txt")


def test_a_few_answers_that_are_no_numbers_are_pointed_out(tmp_path: Path) -> None:
    rows = [{"question": f"q{number}", "answer": number} for number in range(20)]
    file = write(tmp_path / "f.jsonl", *rows, {"question": "q", "answer": "green"})
    (note,) = load_questions(file).notes
    assert "1 of 21 answers are not numbers" in note
    assert f"{file}:21" in note


def test_what_stands_for_no_answer_is_a_bad_row_among_numbers(tmp_path: Path) -> None:
    rows = [{"question": f"q{number}", "answer": number} for number in range(20)]
    file = write(tmp_path / "f.jsonl", *rows, {"question": "q", "answer": "unknown"})
    with pytest.raises(AurifyError, match=r"f.jsonl:21: the answer is 'unknown', among numbers: no answer"):
        load_questions(file)


def test_a_missing_number_written_as_nan_is_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("question,answer\na,1\nb,NaN\n")
    with pytest.raises(AurifyError, match=r"f.csv:3: 'answer' is 'NaN': no answer that can be checked"):
        load_questions(tmp_path / "f.csv")


def test_several_sources_and_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    one = write(tmp_path / "one.jsonl", {"question": "q", "answer": 1})
    write(tmp_path / "more" / "two.json", {"examples": [{"input": "r", "target": "yes"}]})
    write(tmp_path / "more" / "test.jsonl.gz", "").write_bytes(gzip.compress(b'{"question": "s", "answer": 2}'))
    questions = load_questions([str(one), tmp_path / "more"])
    assert [(question.task, question.answer_type) for question in questions] == [
        ("one", "number"),
        ("more", "number"),
        ("two", "text"),
    ]
    assert questions.answer_type == "mixed"


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip() != "")


def bare(text: str) -> bool:
    """Whether an answer is no solution that states one: hypothesis tries words of our own code too."""
    told = THOUGHT_TAG.search(text) or TOLD_THOUGHT.search(text) or TOLD_REPLY.search(text)
    return "####" not in text and "A:" not in text and not told


pairs = st.lists(st.tuples(texts, texts.filter(bare)), min_size=1, max_size=5)


@given(pairs)
def test_any_unicode_question_round_trips(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    lines = tmp_path_factory.getbasetemp() / "any.jsonl"
    write(lines, *({"question": question, "answer": answer} for question, answer in rows))
    table = lines.with_suffix(".csv")
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("question", "answer"), *((q.replace("\0", "0"), a.replace("\0", "0")) for q, a in rows)])
    for file in (lines, table):
        questions = load_questions(file, answers="text")
        assert [(one.text, one.answer) for one in questions] == [
            (q if file is lines else q.replace("\0", "0"), (a if file is lines else a.replace("\0", "0")).strip())
            for q, a in rows
        ]
        assert len({question.id for question in questions}) == len(rows)
        assert [one.id for one in load_questions(file, answers="text")] == [one.id for one in questions]


@given(data=st.binary(max_size=200), suffix=st.sampled_from([".jsonl", ".json", ".csv", ".tsv"]), skip=st.booleans())
def test_any_bytes_give_questions_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str, skip: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / f"bytes{suffix}"
    file.write_bytes(data)
    message = ""
    try:
        questions: list[Question] = load_questions(file, skip_bad=skip)
    except AurifyError as error:
        message = str(error)
        questions = []
    assert all(isinstance(question, Question) for question in questions)
    assert questions or str(file) in message
    assert "\n" not in message


TYPES = {
    "choice": "date_understanding disambiguation_qa geometric_shapes hyperbaton logical_deduction_five_objects "
    "logical_deduction_seven_objects logical_deduction_three_objects movie_recommendation penguins_in_a_table "
    "reasoning_about_colored_objects ruin_names salient_translation_error_detection snarks temporal_sequences "
    "tracking_shuffled_objects_five_objects tracking_shuffled_objects_seven_objects "
    "tracking_shuffled_objects_three_objects",
    "number": "multistep_arithmetic_two object_counting",
    "text": "boolean_expressions causal_judgement dyck_languages formal_fallacies navigate sports_understanding "
    "web_of_lies word_sorting",
}


def test_all_tasks_of_big_bench_hard(shared_data: Path) -> None:
    questions = load_questions(shared_data / "bbh")
    assert len(questions) == 5160
    main: dict[str, str] = {}
    for task in dict.fromkeys(question.task for question in questions):
        main[task] = Counter(one.answer_type for one in questions if one.task == task).most_common(1)[0][0]
    assert main == {task: kind for kind, tasks in TYPES.items() for task in tasks.split()}
    bare = {one.answer for one in questions if one.answer_type == "text" and main[one.task] == "choice"}
    assert bare == {"Monsters, Inc", "dearth, wind, & fire", "rita, sue and bob poo"}


@pytest.mark.parametrize(
    ("name", "count", "types"),
    [
        ("gsm8k/test.jsonl", 919, {"number": 919}),
        ("svamp/svamp.jsonl", 508, {"number": 508}),
        ("asdiv/asdiv.jsonl", 1157, {"number": 1083, "text": 74}),
        ("multiarith/multiarith.jsonl", 292, {"number": 292}),
        ("addsub/addsub.jsonl", 395, {"number": 395}),
        ("singleeq/singleeq.jsonl", 484, {"number": 484}),
        ("math/test.jsonl.gz", 2498, {"math": 2498}),
    ],
)
def test_the_published_word_problems(shared_data: Path, name: str, count: int, types: dict[str, int]) -> None:
    questions = load_questions(shared_data / name)
    assert len(questions) == count
    assert questions.answer_types == types
    assert len({question.id for question in questions}) == count


def test_math_rows_without_an_answer_and_rows_of_the_training_set(shared_data: Path) -> None:
    train = load_questions(shared_data / "math" / "train.jsonl.gz", skip_bad=True)
    assert [where.rpartition(":")[2] for where, _ in train.skipped] == ["5232", "5337"]
    test = load_questions(shared_data / "math" / "test.jsonl.gz")
    assert "11 rows flagged 'in_train' were left out" in test.notes[0]
    assert sum(len(question.accepted) > 0 for question in test) == 6
    assert all(question.rationale for question in test)


def test_sample_tables_hold_their_questions(shared_data: Path) -> None:
    questions = load_questions(shared_data / "gsm8k" / "example_model_solutions.jsonl")
    assert [one.answer for one in questions] == [one.answer for one in load_questions(shared_data / "gsm8k/test.jsonl")]
