from __future__ import annotations

import pytest

from aurify.questions.answer_types import answer_types, canonical_gold, infer_answer_type
from aurify.questions.rows import RowError

OPTIONS = "Which?\nOptions:\n(A) rain\n(B) snow"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["(A)", "(B)"], "choice"),
        (["1,450", "-3", "$5.00", "9 (apples)"], "number"),
        (["1", "NaN", "2"], "number"),
        (["1", r"\frac{1}{2}"], "math"),
        (["x^{2}", "y"], "math"),
        ([r"\mbox{four}", "y"], "math"),
        (["x+1", "(2,8)", "5"], "math"),
        (["x+1", "(2,8)", "Paris"], "text"),
        (["1990", "2019-05-01"], "text"),
        (["yes", "no"], "text"),
        (["1", "yes"], "text"),
        (["A", "B"], "text"),
        (["NaN"], "text"),
        ([r"C:\Users", "costs $5 and $6"], "text"),
        ([], "text"),
    ],
)
def test_inference(answers: list[str], expected: str) -> None:
    assert infer_answer_type(answers) == expected


def test_inference_with_the_questions_options() -> None:
    assert infer_answer_type(["A", "b"], [OPTIONS] * 2) == "choice"
    assert infer_answer_type(["A", "b"], [OPTIONS, "no options"]) == "text"
    assert infer_answer_type(["(A)"] * 19 + ["Monsters, Inc"], [OPTIONS] * 20) == "choice"
    assert infer_answer_type(["(A)"] * 5 + ["rain"] * 5, [OPTIONS] * 10) == "text"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["€12.50", "€3"], "number"),
        (["(-5)", "3.0×10^8"], "number"),
        (["5 km/h", "36 cm^2"], "number"),
        (["12 apples", "7"], "number"),
        (["12 apples", "7 pears"], "text"),  # as well names: "7 dwarfs"
        (["5 km/h", "fast"], "text"),
        (["12 May", "3 June"], "text"),
        (["5 PM", "6 PM"], "text"),
    ],
)
def test_files_of_measures_and_of_names(answers: list[str], expected: str) -> None:
    assert answer_types(answers, ["?"] * len(answers)) == [expected] * len(answers)


@pytest.mark.parametrize(
    ("answer", "question", "kind"),
    [
        ("19 Äpfel", "Lena kauft Äpfel. Wie viele hat sie?", "number"),
        ("12 Birnen", "Wie viele Birnen hat sie?", "number"),
        ("12 Euro", "Was kostet das?", "number"),
        ("26个", "他现在有多少个苹果？", "number"),
        ("26 яблок", "Сколько у неё яблока?", "number"),
        ("7 pears", "A pear costs 2 dollars. What are the pears that she buys?", "number"),
        ("12 children", "How many kids came?", "number"),
        ("7 dwarfs", "Whom does Snow White live with?", "text"),
        ("12 Monkeys", "Which film of 1995 has Brad Pitt in it?", "text"),
        ("3 sisters", "Which play of Chekhov is it?", "text"),
        ("5 pm", "How many hours? When?", "text"),
    ],
)
def test_what_the_question_speaks_of_is_counted(answer: str, question: str, kind: str) -> None:
    assert answer_types([answer] * 3, [question] * 3) == [kind] * 3


def test_most_questions_speak_of_what_is_counted() -> None:
    asked = ["How many apples?", "Whom does Snow White live with?"]
    answers = ["12 apples", "7 dwarfs"]
    assert answer_types([answers[0]] * 2 + answers[1:], [asked[0]] * 2 + asked[1:]) == ["number"] * 3
    assert answer_types(answers[:1] + [answers[1]] * 2, asked[:1] + [asked[1]] * 2) == ["text"] * 3
    assert answer_types(["12 apples", "a dozen apples"], ["How many apples?"] * 2) == ["text"] * 2


def test_canonical_answers() -> None:
    assert canonical_gold("$1,450.00", "number", "") == ("1450", "number", ())
    assert canonical_gold("b", "choice", OPTIONS) == ("(B)", "choice", ())
    assert canonical_gold("Snow", "choice", OPTIONS) == ("(B)", "choice", ("Snow",))
    assert canonical_gold("(C)", "choice", "no options listed") == ("(C)", "choice", ())
    assert canonical_gold("sleet", "choice", OPTIONS) == ("sleet", "text", ())
    assert canonical_gold(r"\boxed{\frac12}", "math", "") == (r"\frac12", "math", ())
    assert canonical_gold("A", "choice", "(D) A\n(E) B") == ("(D)", "choice", ("A",))
    assert canonical_gold("anything", "mine:same", "") == ("anything", "mine:same", ())


@pytest.mark.parametrize(
    ("gold", "kind", "question", "reason"),
    [
        ("yes", "number", "", "the answer is 'yes': expected a number"),
        ("NaN", "number", "", "expected a number"),
        ("(C)", "choice", OPTIONS, r"expected one of the question's options, \(A\), \(B\)"),
        ("rain", "choice", "no options", "expected a letter such as"),
    ],
)
def test_answers_of_another_type_are_refused(gold: str, kind: str, question: str, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        canonical_gold(gold, kind, question)
