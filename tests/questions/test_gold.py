from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.questions.gold import answer_in, as_choice, as_number, as_text, last_boxed, split_worked, stated_answer
from aurify.questions.rows import RowError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(17.0, "17"), (17, "17"), (-0.5, "-0.5"), (1e20, "1" + "0" * 20), (1e-7, "0.0000001"), (True, "True")],
        *[(Decimal("2.50"), "2.5"), ("Monday", "Monday"), (0.6666666666666666, "0.6666666666666666"), (100, "100")],
    ],
)
def test_plain_values_become_text(value: object, text: str) -> None:
    assert as_text(value, "answer") == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "'answer' is null"),
        ("", "'answer' is empty"),
        (" \n", "'answer' is empty"),
        ([1], "'answer' is a list"),
        ({"a": 1}, "'answer' is an object"),
        (b"x", "a value of type bytes"),
        (float("nan"), "'answer' is nan: expected a finite number"),
        (float("-inf"), "'answer' is -inf"),
        ("\ud800", "half a surrogate pair"),
    ],
)
def test_other_values_are_refused(value: object, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        as_text(value, "answer")


def test_gsm8k_answers_show_their_work() -> None:
    answer = "He has 2*700=<<2*700=1400>>1400.\nAnd 50 more: $<<1400+50=1450>>1450.\n#### 1,450"
    assert split_worked(answer) == (
        "1,450",
        "He has 2*700=1400.\nAnd 50 more: $1450.\nSo the answer is 1450.",
    )
    assert split_worked("#### -4") == ("-4", None)
    assert split_worked("He earns 18.\nA: 18") == ("18", "He earns 18.\nSo the answer is 18.")
    assert split_worked("A: 18") == ("A: 18", None)
    assert split_worked("5*22=110.\n#### 110\nThe answer is: 110") == ("110", "5*22=110.\nSo the answer is 110.")
    assert split_worked("#### Sum\n1 + 1 makes 2.") == ("#### Sum\n1 + 1 makes 2.", None), "a heading of Markdown"
    assert split_worked("#### Paris") == ("Paris", None)
    thinking = "<think>\n#### 7?\n</think>\n\nIt is 5."
    assert split_worked(thinking) == (thinking, None)
    assert split_worked("Monsters, Inc") == ("Monsters, Inc", None)
    with pytest.raises(RowError, match="nothing stands after '####'"):
        split_worked("work\n####  ")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,450", "1450"), ("$1,450.00", "1450"), ("-$5", "-5"), ("$-5", "-5"), ("−3", "-3"), ("+7", "7"),
        ("9 (apples)", "9"), ("9.", "9"), (".50", "0.5"), ("45%", "45%"), ("-1/2", "-1/2"), ("3 / 4", "3/4"),
        ("1e5", "1e5"), ("0.0", "0"), (" 12 ", "12"), ("1,2", None), ("12,34", None), ("6th", None), ("5:45", None),
        ("--3", None), ("-$-3", None), ("", None), ("x", None), ("1 2", None), ("nan", None), ("(A)", None),
    ],
)  # fmt: skip
def test_numbers_as_data_sets_write_them(text: str, number: str | None) -> None:
    assert as_number(text) == number


@given(st.integers(-(10**12), 10**12))
def test_every_integer_with_commas_is_itself(value: int) -> None:
    assert as_number(f"{value:,}") == as_number(str(value)) == as_text(value, "answer") == str(value)


@given(st.text())
def test_a_number_read_is_read_again_as_itself(text: str) -> None:
    number = as_number(text)
    assert number is None or as_number(number) == number


@pytest.mark.parametrize(
    ("text", "choice"),
    [("(B)", "(B)"), ("B", "(B)"), ("b)", "(B)"), ("B.", "(B)"), ("BC", None), ("", None), ("3", None)],
)
def test_letters(text: str, choice: str | None) -> None:
    assert as_choice(text) == choice


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So $\\boxed{2}$ it is. The answer is 3.", "2"),
        ("1 + 1 = 2\n#### 2", "2"),
        ("Twice 64. Therefore the final answer is 128.", "128"),
        ("Work.\n**Answer:** $9$", "9"),
        ("The answer is: 5", "5"),
        ("The answer is 5 apples. I hope this helps!", "5 apples"),
        ("**Answer:** 5 apples. Let me know if you want more.", "5 apples"),
        ("The answer is U.S. Steel.", "U.S. Steel"),
        ("The answer is $5 and $7.", "$5 and $7"),
        ("The answer is $2$ and $3$.", "$2$ and $3$"),
        (r"The answer is $\frac{1}{2}$.", r"\frac{1}{2}"),
        ("The answer is **B**.", "B"),
        ("The answer is not clear yet. I would guess 5 or so.", None),
        ("The answer is 5. But see what follows.\nMore.", None),
        ("no idea", None),
        ("5*22=110.\n#### 110\nThe answer is: 110", "110"),
        ("<think>\nMaybe \\boxed{7}? No.\n</think>\n\nThe answer is 5.", "5"),
        ("<think>\nThe answer is 7.\n</think>\n\nSo \\boxed{5}.", "5"),
        ("<think>\nIt is \\boxed{7}.\n</think>\n\nTherefore, five.", None),
        ("<think>\nIt is \\boxed{7}.", None),
        ("<think>\n7?\n</think>\n<answer> 5 </answer>", "5"),
        ("It is 5.\n<answer>\\boxed{5}</answer>", "5"),
    ],
)
def test_the_answer_that_a_solution_states(text: str, answer: str | None) -> None:
    assert stated_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "box"),
    [
        (r"so $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"\boxed{1} then \boxed{}", "1"),
        (r"\boxed{}", None),
        (r"is $\boxed 2$", "2"),
        (r"is $\boxed {17}$", "17"),
        (r"\fbox{3}", "3"),
        (r"\framebox{3}", "3"),
        (r"is $\boxed\sqrt{2}$", r"\sqrt{2}"),
        (r"\boxed{1", None),
        (r"\boxedness{1}", None),
        (r"", None),
    ],
)
def test_the_last_box(text: str, box: str | None) -> None:
    assert last_boxed(text) == box


WORKED = "James buys 5 packs of 22.\nThat is 110."


@pytest.mark.parametrize(
    ("text", "gold", "rationale"),
    [
        (f"{WORKED}\nThe answer is: 110", "110", f"{WORKED}\nThe answer is: 110"),
        (f"{WORKED}\nSo \\boxed{{110}}.", "110", f"{WORKED}\nSo \\boxed{{110}}."),
        ("The answer is 12.", "12", None),
        ("2+2=4, so the answer is 4.", "4", None),
        ("<think>\n7?\n</think>\n\nParis", "Paris", "<think>\n7?\n</think>\n\nParis"),
        ("Paris", "Paris", None),
        ("\\boxed{5}", "\\boxed{5}", None),
        (WORKED, WORKED, None),
        ("The answer is not known.\nNobody asked.", "The answer is not known.\nNobody asked.", None),
    ],
)
def test_an_answers_field_may_hold_a_whole_solution(text: str, gold: str, rationale: str | None) -> None:
    assert answer_in(text) == (gold, rationale)


@pytest.mark.parametrize("text", ["<think>\nIt is 7.", "<think>\n7\n</think>\n", "<think>7</think>\nA.\nB.\nC."])
def test_a_thought_without_an_answer_behind_it_is_none(text: str) -> None:
    with pytest.raises(RowError, match="thought"):
        answer_in(text)
