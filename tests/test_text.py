from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.text import counted, printable, spelled_time

HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(["\x1b", "[", "]", "31m", "\x9b", "\x07", "\u202e", "\r", "\n", "\ud800", "\\", "0;", "\x9c"]),
    )
).map("".join)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;new title\x07b", "ab"),
        ("a\x1b]52;c;cHduZWQ=\x1b\\b", "ab"),
        ("a\x9b2Jb", "ab"),
        ("a\x1bcb", "ab"),
        ("never ended \x1b]0;title", "never ended 0;title"),
        ("50%\rof it", "50% of it"),
        ("over\x08\x08write\x00", "overwrite"),
        ("file\u202etxt.exe", "filetxt.exe"),
        ("bad \ud800 half", "bad \ufffd half"),
        ("one\ntwo\r\nthree\ttab", "one two three tab"),
        ("14 × 3 = 42, π ≈ 3.14, 数 🙂", "14 × 3 = 42, π ≈ 3.14, 数 🙂"),
    ],
)
def test_what_a_terminal_would_obey_is_gone(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_newlines_are_kept_on_request() -> None:
    assert printable("a\r\nb\u2028c\n\nd", newlines=True) == "a\nb\nc\n\nd"


@pytest.mark.parametrize(("limit", "shown"), [(5, "abcde"), (4, "abc…"), (1, "…"), (None, "abcde")])
def test_long_text_is_cut_visibly(limit: int | None, shown: str) -> None:
    assert printable("abcde", limit) == shown


@given(HOSTILE)
def test_nothing_unprintable_survives_and_safe_text_stays(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert printable(shown) == shown
    shown.encode("utf-8")


def test_hours() -> None:
    assert [spelled_time(seconds) for seconds in (0.4, 61, 3723.6)] == ["0:00:00", "0:01:01", "1:02:04"]


def test_counts_are_told_the_most_first() -> None:
    assert counted(Counter({"wrong": 3, "right": 12})) == "12 right, 3 wrong"
    assert counted(Counter()) == ""
