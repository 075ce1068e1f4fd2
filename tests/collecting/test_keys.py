"""Where a server is: what people paste, and what is not written down."""

from __future__ import annotations

import pytest

from aurify.collecting.keys import OPENAI, server_url, written_url
from aurify.errors import UsageError


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/completions/", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1#top", "http://[::1]:8000/v1"),
        (
            "https://me.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01-preview",
            "https://me.openai.azure.com/openai/deployments/gpt-4o?api-version=2025-01-01-preview",
        ),
        ("https://generativelanguage.googleapis.com/v1beta/openai/",
         "https://generativelanguage.googleapis.com/v1beta/openai"),
    ],
)  # fmt: skip
def test_an_address_as_it_is_written_down(given: str, written: str) -> None:
    assert written_url(given) == written


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("127.0.0.1:8000/v1", "expected a URL"),
        ("http://[::1/v1", "expected a URL"),
        ("http://host:port/v1", "expected a URL"),
        ("http://user:secret@host/v1", "written down"),
        ("http://host/v1?key=secret", "written down"),
        ("http://host/v1?api-version=1&key=secret", "written down"),
    ],
)
def test_what_is_no_address(given: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        written_url(given)
    with pytest.raises(UsageError, match="--judge-api") as caught:
        server_url(given, "--judge-api")
    assert "secret" not in str(caught.value)


def test_openai_by_its_name() -> None:
    assert server_url("openai", "--judge-api") == OPENAI
