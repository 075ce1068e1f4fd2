"""A server that misbehaves: the run goes on or stops with one line, in bounded time, and what was paid for is kept."""

from __future__ import annotations

import resource
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from teacher_server import Act, TeacherServer

from aurify.collecting.api import Cache
from aurify.collecting.api.records import Reply, Usage
from aurify.collecting.api.refusals import asked_wait
from aurify.collecting.api.teacher import LONGEST_WAIT, Teacher
from aurify.collecting.run import run_sample
from aurify.collecting.settings import SampleSettings
from aurify.errors import AurifyError
from aurify.rationales import read_rationales

DEEP, CLOSED = "[" * 200_000, "]" * 200_000


def choice(tokens: str) -> str:
    """An answer whose bill is this number, as it is spelled."""
    usage = f'{{"prompt_tokens": {tokens}, "completion_tokens": 1}}'
    return f'{{"choices": [{{"index": 0, "message": {{"content": "4"}}}}], "usage": {usage}}}'


def settings(server: TeacherServer, questions: Path, out: Path, **more: Any) -> SampleSettings:
    given = {"model": "t", "data": str(questions), "out": str(out), "api": server.url, "samples": 1, "limit": 3}
    return SampleSettings(**{**given, "concurrency": 1, "retries": 1, "first_wait": 0.01, **more})


@pytest.mark.parametrize(
    "raw",
    [
        choice("1" + "0" * 30),
        choice("1e999"),
        choice("9" * 5000),
        choice("NaN"),
        DEEP,
        f'{{"choices": {DEEP}{CLOSED}}}',
        f'{{"choices": [{{"message": {{"content": {DEEP[:20_000]}"a"{CLOSED[:20_000]}}}}}]}}',
        '{"choices": [{"index": "a", "message": 3}, 4, null]}',
        f'{{"error": {DEEP}',
        "",
        "\ufeff{}",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_is_none_is_asked_again(
    raw: str, status: int, server: TeacherServer, questions: Path, tmp_path: Path
) -> None:
    plain = run_sample(settings(server, questions, tmp_path / "plain"))
    seen = len(server.seen)
    server.behave = lambda number, body: Act(raw=raw.encode(), status=status) if (number - seen) % 2 == 0 else Act()
    found = run_sample(settings(server, questions, tmp_path / "out"))
    assert found.failures == []
    rows = read_rationales(tmp_path / "out")
    assert len(rows) == plain.asked
    assert all("\n" not in row.reason for row in rows)


@pytest.mark.parametrize("drip", [0.02])
def test_an_answer_that_drips_takes_no_longer_than_an_answer_may(
    drip: float, server: TeacherServer, questions: Path, tmp_path: Path
) -> None:
    server.behave = lambda number, body: Act(drip=drip)
    begun = time.monotonic()
    found = run_sample(settings(server, questions, tmp_path / "out", timeout=0.5, retries=0, limit=1))
    assert time.monotonic() - begun < 20
    assert "no answer within 0.5 s" in found.failures[0]


@pytest.mark.parametrize("asked", ["inf", "1e308", "99999999", "Fri, 31 Dec 9999 23:59:59 GMT", "nan", "-5", "soon"])
def test_a_wait_that_a_server_asks_for_is_bounded(asked: str) -> None:
    nobody: Any = None
    teacher = Teacher(nobody, nobody, nobody, first_wait=0.5)
    for failed in (1, 50):
        assert 0 <= teacher.wait(failed, asked_wait({"retry-after": asked})) <= 5 * LONGEST_WAIT


def test_the_cache_is_for_its_owner_alone(server: TeacherServer, questions: Path, tmp_path: Path) -> None:
    run_sample(settings(server, questions, tmp_path / "out"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()}
    assert {mode for name, mode in modes.items() if name.startswith("requests.sqlite")} == {0o600}
    assert modes["config.toml"] & 0o077


@pytest.fixture
def small_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_the_cache_is_one_line_and_what_was_paid_for_stays(small_disk: None, tmp_path: Path) -> None:
    cache, kept = Cache(tmp_path / "requests.sqlite"), 0

    def fill() -> None:
        nonlocal kept
        while True:
            number = cache.open_request(Usage(1, 1), 0.0)
            cache.pay(number, Usage(1, 1), 0.0, {f"k{kept}": Reply("a" * 5000, None, "stop")})
            kept += 1

    with pytest.raises(AurifyError, match=r"requests\.sqlite: .*; what was paid for before is kept"):
        fill()
    assert kept > 0
    assert len(cache.get([f"k{n}" for n in range(kept)])) == kept
    cache.close()
