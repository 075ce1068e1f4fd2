"""Conclusions that a real model wrote without the words it was asked for, and their near misses."""

from __future__ import annotations

import time

import pytest

from aurify.answers.conclusion import conclusion
from aurify.answers.extract import stated
from aurify.answers.reading import Unreadable


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("69 kg - 35 kg = 34 kg\nSo, Jessie's new weight is 34 kilograms.", "34 kilograms"),
        ("\\(-4 + 5 = 1\\)\n\nSo, the remaining money is $1.", "$1"),
        ("So, Frank read 11 pages per day.", "11"),
        ("So, there are 8 more green peaches than yellow peaches in the basket.", "8"),
        ("So, Fred earned **121** dollars by delivering newspapers.", "121 dollars"),
        ("So, danny has 27 wrappers at first.", "27"),
        ("So, Jason earned $(-11)$ by delivering newspapers.", "-11"),
        ("Therefore, 241870 more kids spent their summer break at the camp.", "241870"),
        ("So we do 12 + 53 = 65. Therefore, Danny has 65 bottle caps now.", "65"),
        ("Therefore, the total number of fruits is 1 + 1 + 1 + 1 + 3 + 1 = 9.", "9"),
        ("Paige planted 60 seeds in each bed. Therefore, she planted 60/10 = 6 flower beds.", "6"),
        ("So, before he spent his money, he had $ 16 * 92 = $1472.", "$1472"),
        ("So, we have a total of 6 vegetables.", "6"),
        ("Hence, the share is 40%.", "40%"),
        ("3. Therefore, Mr. Smith is left with 1,450.50 dollars", "1,450.50 dollars"),
        ("In total, she walked 3/4 of a mile.", "3/4"),
        ("This means that he could buy 12 pens.", "12"),
        ("Thus each one gets 7.", "7"),
        ("So he weighs 34kg.", "34 kg"),
        ("So she ran 5 m", "5 m"),
        ("So he has 7 a day.", "7"),
    ],
)
def test_a_last_sentence_that_concludes_states_its_number(text: str, number: str) -> None:
    assert conclusion(text) == number
    assert stated(text, "number") == number


@pytest.mark.parametrize(
    "text",
    [
        "So Kelly needs to give away 16 games if she wants to have 12 left.",
        "So Kelly needs to give away 16 games to have 12 left.",
        "Thus it is 5 or 6.",
        "So, the two of them have 7 apples.",
        "So he has seven apples.",
        "So she has 7 apples. That was fun.",
        "So she has 7 apples. Is that enough?",
        "So, is it 7?",
        "So it is not 7.",
        "So it isn't 7.",
        "So, if he buys 7, he is done.",
        "So he has at least 7.",
        "So he has more than 7.",
        "So it is between 7 and 9.",
        "So, maybe 7.",
        "So we get x = 4 and the price is y = 7.",
        "So the area is 2^3.",
        "So it takes place at 5:45.",
        "So he came 5th.",
        "So the answer lies in room B12.",
        "So we need 4 +",
        "So he owes 5k.",
        "So we get 5x.",
        "So we get 5 x.",
        "So the area is 4\\pi.",
        "So the area is $4 \\pi$.",
        "So there are 5! ways.",
        "Therefore:",
        "She sold 9 clips.",
        "He has 4 apples and 5 pears.\nThat makes 9.",
        "So, 81,9058 kids stayed and 3 went.",
        "So far he has sold 3, then 4.",
        "Also he has 7 apples.",
    ],
)
def test_what_is_doubtful_states_nothing(text: str) -> None:
    assert conclusion(text) is None
    with pytest.raises(Unreadable):
        stated(text, "number")


def test_words_that_state_an_answer_go_before_a_conclusion() -> None:
    assert stated("The answer is 4. So he has 7 left.", "number") == "4"
    assert stated("So he has 7. The answer is 4.", "number") == "4"


def test_a_word_that_only_ends_like_one_that_concludes_is_none() -> None:
    rest = "so he has 7 " + "very " * 77
    assert conclusion(f"Al{rest[:398]}") is None
    assert conclusion(f"{'x' * 500} al{(rest + 'y' * 20)[:400]}") is None


def test_a_conclusion_is_a_numbers_alone() -> None:
    with pytest.raises(Unreadable):
        stated("It is warm.\nSo we take option 7.", "choice")


def test_a_further_problem_behind_a_conclusion_is_cut_off() -> None:
    long = "He begins with 3 boxes. " * 20
    for further in ("Q: Tom has 5.\nA: So Tom has 9.", "Question: Tom has 5.\nAnswer: 9", "User: and 5?\nSo it is 9."):
        assert stated(f"{long}So he has 7 boxes.\n\n{further}", "number") == "7"
        assert stated(f"So he has 7 boxes.\n\n{further}", "number") == "7"


@pytest.mark.parametrize("part", ["So ", "So 1 ", "So, = ", "- ", "1,", "So it is 1\n", "** "])
def test_long_texts_take_no_longer(part: str) -> None:
    text = part * (1_000_000 // len(part))
    begun = time.perf_counter()
    conclusion(text)
    assert time.perf_counter() - begun < 1
