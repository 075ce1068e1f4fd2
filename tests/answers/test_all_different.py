"""Answers that all differ: of no two of them, either way round, is one right where the other is gold.

Each is compared with its neighbours in the list, which are of its kind, and with every seventh of the others.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from aurify.answers import Grader
from aurify.questions import Question

NUMBERS = """0|1|-1|2|½|1/3|2½|2/5|2.05|25|250|0.25|-0.25|1,250|1,250.75|1.25|12,500|125|1250000|1,250,001|1.26
3 million|3 thousand|3 hundred|3|3 dozen|3 billion|300.5|30|-30|3.14|3.15|4π|4|4i|4x|5k|5 km|5 kg|5 cm²|5 m|5 s
5 hours|5 days|$5|€5|£5|5%|5 cents|7 and a half|7 1/3|7¾|7/8|8/7|10²³|10²²|1.5 × 10⁻⁴|1.5 × 10⁴|1.5 × 10⁻³|15
100|99.9999|1000000|1000000.1|999999|1/2598960|1/2598961|1048575/1048576|12_345|12,346|⁻9|9|9.9|9/10|1/9|0.(7)
0.77|0.777|20°|20 miles|20 mph|20 liters|21st|22 dollars|1/7|0.142858|6.02e23|6.03e23|-17|17|1 in 17|17 or 18"""
MATHS = r"""0|1|-1|2|\frac13|0.34|3!|3|\pi|2\pi|\pi^2|\frac\pi2|e|e^2|2e|e^x|e^{-x}|i|-i|1+i|1-i|\sqrt2|\sqrt3
2\sqrt2|\sqrt[3]2|\sqrt x|x|y|-x|3x|x^2|x^3|x+1|x-1|x+y|x-y|xy|\frac xy|(x+1)^2|x^2+1|\lvert x\rvert|\ln x
\log_2 x|\ln 2|\log_2 3|\log_3 2|\sin x|\cos x|\tan x|\sin 2x|\sin^2x|\cos 2x|n!|(n+1)!|\binom n2|\binom n3|2^n
2^{n+1}|n^2|n(n+1)|y=2x+1|y=3x+7|x=2y|x^2+y^2=1|x^2+y^2=4|x>1|x\le1|x\ge1|x\ne1|1<x<2|1\le x<2|1<x\le2|(3,4)
[3,4]|(3,4]|[3,4)|\{3,4\}|(4,3)|(3,4,5)|\{3,4,5\}|(-\infty,-1)|(-\infty,1)\cup(2,\infty)|\mathbb R|\emptyset
\mathbb Z|\infty|-\infty|\begin{pmatrix}1&2\\3&4\end{pmatrix}|\begin{pmatrix}1&3\\2&4\end{pmatrix}
\begin{pmatrix}1&2\end{pmatrix}|\begin{pmatrix}2\\1\end{pmatrix}|12_3|12_5|1:4|4:1|2:3:5|10\text{ cm}
10\text{ m}|10\text{ cm}^2|10\text{ kg}|\$10|11\%|\text{Monday}|\text{even}|\text{odd}|7:30|7:31|0.\overline{1}
0.\overline{12}|100|10^5|1.5\times10^4|1.5\times10^5|1000001.5|\pm5|5|5\pm1|a+bi|a-bi|a^b|b^a|a_1|a_2|k\pi|2k\pi
A\cup B|A\cap B|p\land q|p\lor q|5\text{ or }6|30\text{ km/h}|31\text{ m/s}|\frac ab|\frac ba|\frac{a+b}c
a+\frac bc|17\ldots"""
TEXTS = """yes|no|yes and no|Paris|London|Paris, Texas|New York|York|a|b|the a team|] ] >|] >|( )|I|II|10|11
left|right|left, right|right, left|true|false|not true|red|red, green|green, red|valid|invalid|Monday|Mon
St. Louis|St|St. Paul"""

NEIGHBOURS = 12


@pytest.mark.parametrize(("kind", "answers"), [("number", NUMBERS), ("math", MATHS), ("text", TEXTS)])
def test_no_two_are_equal(kind: str, answers: str) -> None:
    listed = answers.replace("\n", "|").split("|")
    places = permutations(range(len(listed)), 2)
    pairs = [(listed[i], listed[j]) for i, j in places if abs(i - j) <= NEIGHBOURS or (i + j) % 7 == 0]
    items = [
        (f"The answer is {pred}", Question(f"q{i}", "?", gold, kind), False) for i, (gold, pred) in enumerate(pairs)
    ]
    with Grader(timeout=20) as grader:
        found = grader.grade_all(items)
    assert not [(*pair, grade.reason) for pair, grade in zip(pairs, found, strict=True) if grade.right]
    assert all(grade.verdict != "timeout" for grade in found)
