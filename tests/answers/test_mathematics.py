"""Mathematics, by kinds: each form that is read has a near miss beside it that is another answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aurify.answers import Grader


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(timeout=20) as grader:
        yield grader


RIGHT_AND_WRONG = {
    "plain notation": [
        ("pi", "\\pi", "p"),
        ("2*pi", "2\\pi", "2+pi"),
        ("2pi", "2\\pi", "3pi"),
        ("-5*pi", "-5\\pi", "5*pi"),
        ("5 +/- 2", "5 \\pm 2", "5 + 2"),
        ("log(3)", "\\log 3", "log(4)"),
        ("ln(3)", "\\ln 3", "log(3)"),
        ("-oo", "-\\infty", "oo"),
        ("exp(2*x)", "e^{2x}", "exp(x)*2"),
        ("-4 + exp(9)", "e^{9} - 4", "-4 + exp(8)"),
        ("sin(x)", "\\sin x", "sin(y)"),
        ("cos^2(x)", "\\cos^2 x", "cos(x^2)"),
        ("sin(x)/2", "\\frac{\\sin x}{2}", "sin(x/2)"),
        ("2 * sqrt(2)", "2\\sqrt{2}", "2 * sqrt(3)"),
        ("∛2", "\\sqrt[3]{2}", "√2"),
        ("√12", "2\\sqrt{3}", "√13"),
        ("x³", "x^3", "3x"),
        ("x² + 6x + 5", "x^2+6x+5", "x² + 6x + 6"),
        ("x₁", "x_1", "x₂"),
        ("½", "\\frac{1}{2}", "⅓"),
        ("2½", "\\frac{5}{2}", "21/2"),
        ("floor(x)", "\\lfloor x \\rfloor", "ceil(x)"),
        ("abs(x)", "|x|", "x"),
        ("(-oo, 2]", "(-\\infty,2]", "(-oo, 2)"),
        ("2**(n+1)", "2^{n+1}", "2**n+1"),
        ("C(n,2)", "\\binom{n}{2}", "C(n,3)"),
        ("n*(n-1)/2", "\\binom{n}{2}", "n*(n+1)/2"),
        ("3 - 4i", "3-4i", "3 + 4i"),
        ("sqrt(x)/3", "\\frac{\\sqrt{x}}{3}", "sqrt(x/3)"),
        ("x^10", "x^{10}", "10x"),
        ("(x+1)(x-1)", "x^2-1", "(x+1)(x+1)"),
    ],
    "tiny values": [
        ("\\frac{1}{33!}", "1/33!", "\\frac{1}{31!}"),
        ("e^{-51}", "e^{-51}", "e^{-50}"),
        ("(1/6)^{24}", "\\left(\\frac{1}{6}\\right)^{24}", "(1/6)^{25}"),
        ("1/2598960", "\\frac{1}{2598960}", "1/2598961"),
        ("10^{-30}", "\\frac{1}{10^{30}}", "10^{-31}"),
        ("1 + 10^{-20}", "1+10^{-20}", "1"),
        ("\\sqrt{2}+10^{-40}", "10^{-40}+\\sqrt{2}", "\\sqrt{2}"),
    ],
    "units and words": [
        ("12 cm^2", "12", "13 cm^2"),
        ("12 units", "12", "21 units"),
        ("45 degrees", "45", "54 degrees"),
        ("45^\\circ", "45", "44^\\circ"),
        ("60 \\frac{\\text{km}}{\\text{h}}", "60", "61 \\frac{\\text{km}}{\\text{h}}"),
        ("125\\textnormal{ miles}", "125", "124\\textnormal{ miles}"),
        ("10\\text{ cm}", "10 cm", "10 m"),
        ("10 cm", "10\\text{ centimeters}", "10\\text{ cm}^2"),
        ("8\\pi\\text{ cm}^2", "8\\pi", "8\\text{ cm}^2"),
        ("12 apples", "12", "12x"),
        ("\\$12", "12", "\\$13"),
        ("5 \\text{ hundred}", "500", "5"),
        ("12 square inches", "12\\text{ in}^2", "12\\text{ in}"),
        ("30 m", "30", "30m"),
    ],
    "lists, sets and points": [
        ("\\boxed{3} and \\boxed{5}", "3, 5", "\\boxed{3}, but \\boxed{5}"),
        ("x = 3 or x = 5", "3,5", "x = 3 or x = 6"),
        ("\\{3, 1\\}", "\\{1,3\\}", "(3,1)"),
        ("{1, 3}", "\\{1,3\\}", "{1, 4}"),
        ("(1, 3)", "(1,3)", "(3, 1)"),
        ("\\langle 1, 3 \\rangle", "(1,3)", "\\langle 3, 1 \\rangle"),
        ("1 \\pm \\sqrt{2}", "1+\\sqrt{2}, 1-\\sqrt{2}", "1 + \\sqrt{2}"),
        ("2, 3, and 4", "2, 3, \\text{ and } 4", "2, 3, and 5"),
        ("(1,2), (3,4)", "(3,4),(1,2)", "(1,3), (2,4)"),
        ("AB=9, CD=4", "AB=9,CD=4", "AB=4, CD=9"),
        ("The answer is $3$ and $5$.", "3, 5", "The answer is $3$."),
        ("Answer: $x = 3$, $y = 4$", "x=3, y=4", "Answer: $x = 4$, $y = 3$"),
        ("x = 1, y = 2", "(1,2)", "x = 2, y = 1"),
        ("1, 1, 2", "1,2,1", "1, 2, 2"),
        ("\\textbf{(C)}\\ 12", "C", "\\textbf{(D)}\\ 12"),
        ("12", "\\textbf{(C)}\\ 12", "13"),
        ("(C)", "\\textbf{(C)}\\ 12", "(D)"),
    ],
    "intervals and inequalities": [
        ("x < 2 \\text{ or } x > 5", "(-\\infty, 2) \\cup (5, \\infty)", "x < 2 \\text{ or } x \\ge 5"),
        ("(2, 5]", "2 < x \\le 5", "[2, 5]"),
        ("]2,5[", "(2,5)", "[2,5]"),
        ("x > 2 and x < 5", "(2,5)", "x > 2 or x < 5"),
        ("x != 3", "(-\\infty,3)\\cup(3,\\infty)", "x = 3"),
        ("\\mathbb{R} \\setminus \\{3\\}", "x \\ne 3", "\\mathbb{R}"),
        ("x \\in [0,1]", "[0,1]", "x \\in [0,1)"),
        ("x >= -1", "[-1, \\infty)", "x > -1"),
        ("\\{x | x > 3\\}", "(3,\\infty)", "\\{x | x \\ge 3\\}"),
        ("\\{x : |x| = x + 1\\}", "|x| = x+1", "|x| = x"),
        ("3 > x", "x < 3", "3 < x"),
        ("2 \\geq x", "(-\\infty, 2]", "2 \\leq x"),
    ],
    "equations": [
        ("x = 5", "5", "2x = 5"),
        ("= \\frac{10}{9}", "\\frac{10}{9}", "= \\frac{9}{10}"),
        ("x = \\frac{5}{9} \\cdot 2 = \\frac{10}{9}", "\\frac{10}{9}", "x = \\frac{10}{9} - 1 = \\frac19"),
        ("7 = 11a+c", "7=11a+c", "11a+c"),
        ("11a + c - 7 = 0", "7=11a+c", "11a + c + 7 = 0"),
        ("f(x) = 1 + x", "f(x)=x+1", "f(x) = x"),
        ("x^2 - 2x + y^2 = 8", "(x-1)^2 + y^2 = 9", "x^2 - 2x + y^2 = 9"),
        ("y = 2x + 3", "2x - y + 3 = 0", "y = 2x - 3"),
        ("2x - y + 3 = 0", "y = 2x+3", "2x + y + 3 = 0"),
        ("x + y + z = 0", "z + x + y = 0", "0"),
        ("The largest $n$ is 34.", "34", "The largest $n$ is 43."),
        ("Answer $$ 9 $$", "9", "Answer $$ 8 $$"),
    ],
    "matrices": [
        ("[[2, 0], [1, 5]]", "\\begin{pmatrix} 2 & 0 \\\\ 1 & 5 \\end{pmatrix}", "[[2, 1], [0, 5]]"),
        (
            "\\begin{bmatrix}2&0\\\\1&5\\end{bmatrix}",
            "\\begin{pmatrix} 2 & 0 \\\\ 1 & 5 \\end{pmatrix}",
            "[2, 0, 1, 5]",
        ),
        (
            "The matrix is $\\begin{pmatrix}1/2\\\\3\\end{pmatrix}$.",
            "\\begin{pmatrix} 0.5 \\\\ 3 \\end{pmatrix}",
            "\\begin{pmatrix} 0.5 & 3 \\end{pmatrix}",
        ),
        ("\\langle 1, 2 \\rangle", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\langle 2, 1 \\rangle"),
    ],
    "numbers": [
        ("\\frac{1}{3}", "0.\\overline{3}", "0.3"),
        ("0.1\\overline{6}", "\\frac16", "0.16"),
        ("11,\\! 111", "11111", "11, 111"),
        ("50\\%", "0.5", "5\\%"),
        ("e^{i\\pi}", "-1", "e^{\\pi}"),
        ("\\sqrt{-4}", "2i", "2"),
        ("12_8", "12_{8}", "12_9"),
        ("\\pi", "3.14", "3.15"),
        ("2^{10}", "1024", "2^{11}"),
        ("2 1/2", "2.5", "21/2"),
        ("\\sin 30^\\circ", "\\frac12", "\\sin 30"),
    ],
    "identities": [
        ("\\sin^2 x + \\cos^2 x", "1", "\\sin^2 x - \\cos^2 x"),
        ("2\\sin x\\cos x", "\\sin 2x", "\\sin^2 x"),
        ("\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt{2}}{2}", "\\frac{\\sqrt{3}}{2}"),
        ("\\sqrt{3+2\\sqrt{2}}", "1+\\sqrt{2}", "1+\\sqrt{3}"),
        ("\\frac{x^2-1}{x-1}", "x+1", "x-1"),
        ("\\log_2 8", "3", "\\log_2 9"),
        ("\\ln 4", "2 \\ln 2", "4 \\ln 2"),
        ("\\frac{n!}{(n-2)!}", "n(n-1)", "n(n+1)"),
        ("{5 \\choose 2}", "10", "{5 \\choose 3} + 1"),
        ("|x-1|", "|1-x|", "x-1"),
        ("\\sqrt{x^2}", "|x|", "x"),
        ("1/(x+1)", "\\frac{1}{x+1}", "1/x+1"),
        ("\\sum_{k=1}^{10} k", "55", "\\sum_{k=1}^{9} k"),
        ("\\int_0^1 2x \\, dx", "1", "2"),
        ("A", "A", "a"),
    ],
    "where roots and logarithms are real": [
        ("\\sqrt{1/n}", "\\frac{1}{\\sqrt{n}}", "-\\frac{1}{\\sqrt{n}}"),
        ("\\sqrt{x}\\sqrt{y}", "\\sqrt{xy}", "\\sqrt{x}+\\sqrt{y}"),
        ("\\sqrt{\\frac{x}{y}}", "\\frac{\\sqrt{x}}{\\sqrt{y}}", "\\frac{\\sqrt{y}}{\\sqrt{x}}"),
        ("-\\sqrt{5-x}", "-(5-x)^{1/2}", "-\\sqrt{x-5}"),
        ("2\\ln(x-1)", "\\ln((x-1)^2)", "\\ln(x-1)"),
        ("2\\ln(x-1)", "2\\ln(-1+x)", "2\\ln(1-x)"),
        ("\\sqrt{x}", "x^{1/2}", "\\sqrt{-x}"),
        ("i\\sqrt{x}", "\\sqrt{x} i", "\\sqrt{x}"),
        ("\\sqrt[3]{x}", "x^{1/3}", "|x|^{1/3}"),
        ("\\arcsin x", "\\frac{\\pi}{2} - \\arccos x", "\\arccos x"),
    ],
}
CASES = [(kind, *case) for kind, cases in RIGHT_AND_WRONG.items() for case in cases]


@pytest.mark.parametrize(("kind", "right", "gold", "wrong"), CASES)
def test_kinds(grader: Grader, kind: str, right: str, gold: str, wrong: str) -> None:
    said = grader.grade_answer(right, gold, "math")
    assert said.right, (right, gold, said)
    said = grader.grade_answer(wrong, gold, "math")
    assert not said.right, (wrong, gold, said)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know.",
        "The answer cannot be determined from the data.",
        "It is not possible to say.",
        "]]{{",
        "\\frac{1}{",
    ],
)
def test_no_answer_is_unparsable(grader: Grader, text: str) -> None:
    assert grader.grade_answer(text, "\\frac{3}{5}", "math").verdict == "unparsable"


@pytest.mark.parametrize("text", ["\\text{no solution}", "\\text{Tuesday}", "none", "odd", "\\text{the empty set}"])
def test_words_are_answers(grader: Grader, text: str) -> None:
    assert grader.grade_answer(f"\\boxed{{{text}}}", text, "math").right
    assert grader.grade_answer("\\boxed{7}", text, "math").verdict == "wrong"
    assert not grader.grade_answer("\\text{even}", text, "math").right


@pytest.mark.parametrize(
    "text", ["9^{9^{9^{9}}}", "(10^9)!", "((1+x)^{999})^{999}", "1/0", "(" * 300 + "1" + ")" * 300, "\\frac" * 900]
)
def test_a_hostile_answer_is_refused_in_time(grader: Grader, text: str) -> None:
    assert not grader.grade_answer(f"\\boxed{{{text}}}", "7", "math").right
