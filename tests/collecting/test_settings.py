"""What cannot be is refused in one line, before any work."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.collecting.settings import SampleSettings
from aurify.errors import UsageError
from aurify.settings import resolve

GIVEN = {"model": "m", "data": "d", "out": "o"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"api": "localhost:8000"}, "--api 'localhost:8000': expected a URL such as http://127.0.0.1:8000/v1"),
        ({"api": "http://me:secret@host/v1"}, "would be written down: leave it out"),
        ({"api": "openai", "request": "[1]"}, "expected a JSON object such as"),
        ({"api": "openai", "request": '{"stream": true}'}, "'stream' is not for this setting"),
        ({"api": "openai", "request": '{"n": 64}'}, "'n' may be null or 1 here: use --choices"),
        ({"api": "openai", "request": '{"max_tokens": 9999}'}, "'max_tokens' is not for this setting: use --max-new-t"),
        ({"api": "openai", "request": '{"max_tokens": null}'}, "'max_tokens' is not for this setting"),
        ({"api": "openai", "request": '{"max_completion_tokens": 9}'}, "'max_completion_tokens' is not for this"),
        ({"api": "openai", "request": '{"best_of": 20}'}, "'best_of' is not for this setting: the server bills"),
        ({"api": "openai", "price_in": "1"}, "--price-in and --price-out go together"),
        ({"money_cap": "1"}, "--money-cap is for an API: say which with --api"),
        ({"concurrency": "2"}, "--concurrency is for an API: say which with --api"),
        ({"first_wait": "1"}, "--first-wait is for an API: say which with --api"),
        ({"api": "openai", "dtype": "bfloat16"}, "--dtype bfloat16 is for a model in hand: leave it with --api"),
    ],
)
def test_settings_that_cannot_be(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(SampleSettings, {**GIVEN, **flags})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_url_and_how_many_settings_there_are() -> None:
    assert resolve(SampleSettings, {**GIVEN, "api": "http://h/v1/"}).url == "http://h/v1"
    assert len(SampleSettings.model_fields) <= 40


def test_a_server_that_knows_no_n_can_be_told_none_or_one() -> None:
    for n, value in (("null", None), ("1", 1)):
        assert resolve(SampleSettings, {**GIVEN, "api": "openai", "request": f'{{"n": {n}}}'}).extra == {"n": value}
