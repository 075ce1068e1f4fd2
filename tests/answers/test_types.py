from __future__ import annotations

import pytest

from aurify.answers import ANSWER_TYPES, answer_type, check_answer_type
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable
from aurify.errors import UsageError

EQUAL = {"number": ("1,450", "1450.0"), "choice": ("b)", "(B)"), "text": ("Yes.", "yes"), "math": ("1/2", "0.5")}
OTHER = {"number": "1451", "choice": "(C)", "text": "no", "math": "0.25"}


COMPARING = [word for word in ANSWER_TYPES.entries if answer_type(word).compares]


@pytest.mark.parametrize("word", COMPARING)
def test_every_type_reads_and_compares(word: str) -> None:
    kind = answer_type(word)
    assert (kind.word, bool(kind.about)) == (word, True)
    ours, theirs, other = (kind.read(text, {}) for text in (*EQUAL[word], OTHER[word]))
    assert kind.same(ours, theirs)
    assert not kind.same(ours, other)
    with pytest.raises(Unreadable):
        kind.read("", {})


def test_a_function_of_the_users_is_a_type_that_a_worker_compares() -> None:
    kind = answer_type("operator:eq")
    assert kind.same("a", "b") == Job("custom", "a", "b", "operator:eq")
    assert kind.in_worker
    assert kind.read(" a ", {}) == "a"
    with pytest.raises(Unreadable):
        kind.read(" ", {})


@pytest.mark.parametrize("word", ["numbers", "mine:", ":same", ""])
def test_an_unknown_word_names_the_nearest(word: str) -> None:
    with pytest.raises(UsageError, match=r"--answers .*(did you mean|known: number)"):
        answer_type(word)


def test_a_function_is_imported_where_it_is_checked() -> None:
    assert check_answer_type("math") == "math"
    with pytest.raises(UsageError, match="no_such_module"):
        check_answer_type("no_such_module:same")
