from __future__ import annotations

import pytest

from aurify.running.duration import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("90m", 5400), ("2h", 7200), ("1h30m", 5400), ("1H 30M", 5400), (" 0.5h ", 1800), ("1d", 86400)],
)
def test_a_length_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["2", "", "0s", "-1h", "2 hours", "1h30", "1:30", "nan", "9999999d"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a length of time such as 2h"):
        seconds_of(text)
