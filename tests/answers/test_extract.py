"""The last stated answer: the forms, what wins, and what is cut off behind it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.extract import stated
from aurify.answers.reading import Unreadable


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2+2=4. So the answer is 4.", "4"),
        ("The answer is: 4", "4"),
        ("**Answer:** 4", "4"),
        ("The correct answer is 4!", "4!"),
        ("Thus\n#### 1,450", "1,450"),
        ("He has 3.\nA: 4", "4"),
        ("so \\boxed{4}.", "4"),
        ("so $\\boxed 4$.", "4"),
        ("The answer is 3. No, the answer is 4.", "4"),
        ("\\boxed{3}, or rather: the answer is 4.", "4"),
        ("So the answer is 4. Q: I have 5. So the answer is 6.", "4"),
        ("So the answer is 4.\n\nQuestion: again?\nAnswer: 6", "4"),
        ("So the answer is 4. He also has 7 pears.", "4"),
        ("So the answer is $9.43.", "$9.43"),
        ("So the answer is 4.\nThat was fun, all 9 of it.", "4"),
        ("So the answer is 4. So the answer is", "4"),
        ("\\boxed{4} and \\boxed{}", "4"),
        ("4", "4"),
        ("$9.43", "$9.43"),
        ("8 apples", "8 apples"),
    ],
)
def test_number(text: str, answer: str) -> None:
    assert stated(text, "number") == answer


@pytest.mark.parametrize(
    "text",
    ["", "He has 4 apples and 5 pears.\nThat makes 9.", "She sold 9 clips.", "It is 4 + 5 = 9", "x" * 2000, "Q: 5"],
)
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        stated(text, "number")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So the answer is ] ] >.", "] ] >"),
        ("So the answer is it&t jr. smith.", "it&t jr. smith"),
        ("So the answer is Mr. Smith.", "Mr. Smith"),
        ("So the answer is yes. Q: Is this", "yes"),
        ("So the answer is Yes. This is because he lies.", "Yes"),
        ("So the answer is barn damp dot.", "barn damp dot"),
        ("barn damp dot", "barn damp dot"),
    ],
)
def test_text(text: str, answer: str) -> None:
    assert stated(text, "text") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hence $\\boxed{\\frac{1}{\\sqrt{2}}}$.", "\\frac{1}{\\sqrt{2}}"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("\\boxed{5}. So our answer is correct.", "5"),
        ("The answer is $x^2 + 1$ for all x.", "x^2 + 1"),
        ("The answer is:\n\\[\n\\frac12\n\\]", "\\frac12"),
        ("The answer is that the area is $5\\pi$.", "5\\pi"),
        ("34\\text{ sq. units}", "34\\text{ sq. units}"),
        ("90\\text{ square\nunits}", "90\\text{ square units}"),
    ],
)
def test_math(text: str, answer: str) -> None:
    assert stated(text, "math") == answer


def test_an_unclosed_box_states_nothing() -> None:
    with pytest.raises(Unreadable):
        stated("so \\boxed{\\frac{1}{2} and then\nmore text follows. And more.", "math")


@given(
    st.text() | st.text("answer is:#### \\boxed{}A\n.Q", max_size=200),
    st.sampled_from(["number", "choice", "text", "math"]),
)
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    with suppress(Unreadable):
        stated(text, kind)


def test_bbh_targets_are_extracted_whole(shared_data: Path) -> None:
    for file in sorted((shared_data / "bbh").glob("*.json")):
        for example in json.loads(file.read_text(encoding="utf-8"))["examples"]:
            target = example["target"]
            assert stated(f"Let us see. So the answer is {target}.", "text") == target
