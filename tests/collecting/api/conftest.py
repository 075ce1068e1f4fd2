"""A teacher on a real port, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from teacher_server import TeacherServer, teacher_server

from aurify.collecting.api import ApiRequest, Ask


@pytest.fixture
def server() -> Iterator[TeacherServer]:
    with teacher_server() as running:
        yield running


@pytest.fixture
def asks() -> list[Ask]:
    """Three prompts, four samples each."""

    def request(a: int) -> ApiRequest:
        return ApiRequest(
            "chat/completions", {"model": "t", "messages": [{"role": "user", "content": f"{a} plus 1"}]}, 50
        )

    return [Ask(f"q{a}", request(a), tuple(range(10 * a, 10 * a + 4))) for a in (1, 2, 3)]
