"""The last stated answer: the forms, what wins, and what is cut off behind it."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.compare import extract
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
    ("text", "answer"),
    [
        ("The answer is D because cork is light.", "D because cork is light"),
        ("The correct option is (D).", "(D)"),
        ("The best choice is D.", "D"),
        ("Option D is correct.", "D"),
        ("So (D) is the correct answer, as it floats.", "D"),
        ("Final answer - D", "D"),
        ("### Final Answer\n**D**", "D**"),
        ('{"reasoning": "cork", "answer": "D"}', "D"),
        ("The answer is D?", "D?"),
        ("\\boxed{A} or \\boxed{B}", "A, B"),
    ],
)
def test_choice(text: str, answer: str) -> None:
    assert stated(text, "choice") == answer


@pytest.mark.parametrize(
    "text",
    [
        "If option D is correct, the cork floats. It does not.",
        "I don't think (D) is correct. Is it?",
        "Why would (D) be right? It is heavy.",
        "I do not know.",
        "It cannot be determined.",
    ],
)
def test_no_choice_is_guessed_from_prose(text: str) -> None:
    with pytest.raises(Unreadable):
        stated(text, "choice")


@pytest.mark.parametrize(
    "further",
    [
        "Q: I have 5 cups. How many?\nA:",
        "Problem: I have 5 cups.\nSolution:",
        "Problem 2. I have 5 cups.\n",
        "User: I have 5 cups.\n\nAssistant:",
        "Human: I have 5 cups.\n\nAssistant:",
        "### Instruction:\nI have 5 cups.\n\n### Response:",
        "## Question\nI have 5 cups.",
        "Example 2\nI have 5 cups.",
        "**Exercise 3:** I have 5 cups.",
        "Next problem: I have 5 cups.",
        "user\nI have 5 cups.\nassistant\n",
        "</s><s>[INST] I have 5 cups. [/INST]",
        "<|im_end|>\n<|im_start|>user\nI have 5 cups.",
    ],
)
@pytest.mark.parametrize("kind", ["number", "choice", "text", "math"])
@pytest.mark.parametrize(
    ("said", "next_said"),
    [
        ("The answer is {}.", "The answer is {}."),
        ("So \\boxed{{{}}}.", "So \\boxed{{{}}}."),
        ("{}", "The answer is {}."),
    ],
)
def test_a_further_problem_is_cut_off(further: str, kind: str, said: str, next_said: str) -> None:
    ours, theirs = ("D", "A") if kind == "choice" else ("72", "5")
    text = f"{said.format(ours)}\n\n{further} {next_said.format(theirs)}"
    assert stated(text, kind) == ours


@pytest.mark.parametrize(
    "text",
    [
        "Problem: I have 9 rows of 8.\nSolution: 9 times 8 is 72. The answer is 72.",
        "Let me restate it.\n\n**Problem:** 9 rows of 8.\n\nThe answer is 72.",
        "User: 9 rows of 8?\nThe answer is 72.",
        "We use example 2 and the human factor. The answer is 72.",
        "The question asks for the user: the answer is 72.",
    ],
)
def test_a_problem_that_is_restated_is_no_further_one(text: str) -> None:
    assert stated(text, "number") == "72"


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
        ("I wrote \\boxed{3}. That was a slip. The final answer is 5.", "5"),
        ("\\boxed{3}. The answer is therefore correct.", "3"),
        ("\\boxed{3}. The answer is the number of rows.", "3"),
        ("x = \\boxed{3} or x = \\boxed{5}", "3, 5"),
        ("(\\boxed{3}, \\boxed{5})", "(3, 5)"),
        ("\\boxed{3}, that is \\boxed{3}", "3"),
        ("\\boxed{3} is a slip, it is \\boxed{5}", "5"),
        ("Answer $$ 9 $$", "9"),
        ("**Final answer:**\n$$\n\\frac{1}{2}\n$$", "\\frac{1}{2}"),
        ("The largest $n$ is 34.", "34"),
        ("The largest $n$ is $34$.", "34"),
        ("\\fbox{7}", "7"),
        ("34\\text{ sq. units}", "34\\text{ sq. units}"),
        ("90\\text{ square\nunits}", "90\\text{ square units}"),
    ],
)
def test_math(text: str, answer: str) -> None:
    assert stated(text, "math") == answer


ADVERSARIAL = [
    *(". ", ".", "(", "[", "{", "\\[", "$", "$$", "\\boxed{", "\\boxed", "####", "#", "*", "_", " ", "\n", "a", "A."),
    *(
        "answer is ",
        "answer: ",
        "Answer\n",
        '"answer": "',
        "Q:",
        "Problem: ",
        "user\n",
        "(A) ",
        "A, ",
        "option A ",
        "D is ",
    ),
    *("1", "1,", "1 ", "-", "/", "½", "10^", "\\frac{", "\\text{", "^", "²", "=", "x=", "!", "?", "I ", "not "),
    *(
        '{"a":',
        "{'a': ",
        "```\n{",
        '\n{"answer": 5}',
        "<final>",
        "</answer>",
        "\n---\n",
        "**Problem 2** ",
        "therefore, ",
        "0.(",
    ),
    *("\\boxed{1}, ", "'", '"', "`", "\\", "~", "<|a|>", "&", "|"),
]


@pytest.mark.parametrize("kind", ["number", "choice", "text", "math"])
def test_reading_takes_time_in_proportion_to_the_length(kind: str) -> None:
    """Four times the length takes four times the processor time, not sixteen; a busy machine may double either."""

    def seconds(piece: str, length: int, readings: int = 3) -> float:
        text = "The answer is " + piece * (length // len(piece)) + " 5"
        best = math.inf
        for _ in range(readings):
            begun = time.process_time()
            with suppress(Unreadable):
                extract(text, kind, {"A": "x"})
            best = min(best, time.process_time() - begun)
        return best

    for piece in ADVERSARIAL:
        if seconds(piece, 24_000, readings=1) < 0.05:  # a clock tells nothing of so little, and most are far below
            continue
        assert seconds(piece, 24_000) < 8 * seconds(piece, 6_000), piece


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
