"""Which right rationale stands alone."""

from __future__ import annotations

from aurify.report.agreement import alone

QUESTION = "Tom has 3 apples and buys 4 more, then eats 2. How many are left?"
USUAL = "He starts with three. Buying gives 3 + 4 = 7 altogether; eating takes away, 7 - 2 = 5. The answer is 5."
OTHER = "Three plus four gives 7 altogether. Eating takes away two: 7 - 2 = 5. The answer is 5."
LUCKY = "Forty-two fishes swim quickly; Berlin became famous around 1990, 12 * 8 = 96, hence perhaps 5"


def test_the_one_that_goes_another_way_stands_alone():
    assert alone(QUESTION, [USUAL, OTHER, USUAL, LUCKY]) == [False, False, False, True]


def test_those_that_agree_do_not():
    assert alone(QUESTION, [USUAL, OTHER, USUAL]) == [False] * 3


def test_where_no_two_agree_none_is_more_alone_than_the_others():
    assert alone(QUESTION, [USUAL, LUCKY, "Zebras everywhere 77 88", "Quark lepton boson 31"]) == [False] * 4


def test_two_are_too_few_to_tell():
    assert alone(QUESTION, [USUAL, LUCKY]) == [False, False]
    assert alone(QUESTION, []) == []
