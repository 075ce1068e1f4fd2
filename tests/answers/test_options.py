from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.options import options, with_options


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Which?\nOptions:\n(A) 12/11/1937 \n(B)  rain  men\r\n(C) x\n(A) again", ["12/11/1937", "rain  men", "x"]),
        ("(A) and (B)?\nOptions:\n(A) four\n(B) five", ["four", "five"]),
        ("Which?\nA. four\nB. five\nC. six", ["four", "five", "six"]),
        ("Which?\nA) four\nB) five", ["four", "five"]),
        ("Which? (A) 4 (B) 5 (C) 6", ["4", "5", "6"]),
        ("Which? A) 4 B) 5 C) 6", ["4", "5", "6"]),
        (r"Which? $\textbf{(A)}\ 6\qquad\textbf{(B)}\ 8\qquad\textbf{(C)}\ 12$", ["6", "8", "12"]),
        (r"Which? $\mathrm{(A) \ } 2 \qquad \mathrm{(B) \ } 3$", ["2", "3"]),
        (r"Which? $(\text{A})\ 1 \quad (\text{B})\ 2$", ["1", "2"]),
        ("Which?\n(A) 4 (B) 5 (C) 6", ["4", "5", "6"]),
        ("Which?\nAnswer Choices: (A) 4 (B) 5 (C) 6", ["4", "5", "6"]),
        ("Which?\nOptions: (a) 4 (b) 5 (c) 6", ["4", "5", "6"]),
        ("Which? Answer Choices: (A)4 min (B)5 min (C)6 min\nA: it is", ["4 min", "5 min", "6 min"]),
        ("Is it?\n(A) Yes (B) No", ["Yes", "No"]),
        ("Which?\n(A) 4 (B) 5\n(C) 6", ["4", "5", "6"]),
        ("Which?\na) 4 b) 5 c) 6", ["4", "5", "6"]),
        ("Which?\nOptions: A. 4 B. 5 C. 6", ["4", "5", "6"]),
        ("Which?\na) four\nb) five", ["four", "five"]),
        ("Which?\na. four\nb. five", ["four", "five"]),
        ("Which?\n- A. four\n- B. five", ["four", "five"]),
        ("Which?\n* (A) four\n* (B) five", ["four", "five"]),
        ("Which?\n**A.** four\n**B.** five **and** more", ["four", "five **and** more"]),
        ("Which?\n- **A) four**\n- **B) five**", ["four", "five"]),
        ("Which?\n(A) both (B) and (C)\n(B) 4 (C) 5", ["both (B) and (C)", "4 (C) 5"]),
    ],
)
def test_the_forms_of_options(question: str, found: list[str]) -> None:
    assert options(question) == dict(zip("ABC", found, strict=False))


@pytest.mark.parametrize(
    "question",
    [
        "no options",
        "Points (A), (B) and (C) lie on a line; which is between?",
        "Statement (A) is true and (B) is false. Is (C) true?",
        "A. Smith met B. Jones.",
        "Q: 1 + 1?\nA: 2",
        r"Let \textbf{A} be a matrix and \textbf{B} its inverse.",
        "Is vitamin C) better?",
        "Which? (B) 4 (C) 5 (D) 6",
        "A. Smith met B. Jones, and C. Brown met both.",
        "Find (a) the area (b) the side.",
        "See a) and b).",
        "Let f(A)x, f(B)y and f(C)z be given.",
        "Is (A)(B)(C) a product?",
    ],
)
def test_questions_that_only_look_as_if_they_had_options(question: str) -> None:
    assert options(question) == {}


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), min_size=2, max_size=26
    )
)
def test_what_is_written_is_read_again(texts: list[str]) -> None:
    asked = with_options("Which (A) or (B)?", texts)
    assert [" ".join(text.split()) for text in options(asked).values()] == [" ".join(text.split()) for text in texts]
    assert with_options(asked, texts) == asked, "not twice"


def test_an_option_of_several_lines_stays_one() -> None:
    asked = with_options("Which?", ["def f():\n(B) return", "x\nOptions:\ny"])
    assert list(options(asked)) == ["A", "B"]


def test_reading_is_linear_in_hostile_text() -> None:
    for text in ("(A) " * 50_000, "(A)\n" * 50_000, r"\textbf{(A)" * 50_000, "A) " * 50_000, "Options:" * 50_000):
        options(text)
