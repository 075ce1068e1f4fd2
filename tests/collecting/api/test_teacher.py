"""Samples from a server that behaves, and from one that misbehaves in every way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from teacher_server import Act, TeacherServer, said

from aurify.collecting.api import Answers, Api, Ask, Cache, Caps, Price, Teacher
from aurify.errors import AurifyError

KEY = "sk-very-secret-12345678"
Collect = Callable[..., Answers]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    opened = Cache(tmp_path / "cache.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def collect(server: TeacherServer, cache: Cache) -> Collect:
    """Ask the server: ``collect(asks, choices=2, ...)``."""

    def run(asks: Sequence[Ask], *, timeout: float = 20.0, **settings: Any) -> Answers:
        caps = {name: settings.pop(name) for name in ("money_cap", "token_cap") if name in settings}

        async def work() -> Answers:
            api = Api(server.url, KEY, key_env="TEST_KEY", timeout=timeout)
            budget = Caps(cache, Price(10.0, 20.0), **caps)
            try:
                return await Teacher(api, cache, budget, first_wait=0.001, **settings).ask_all(asks)
            finally:
                await api.close()

        return asyncio.run(work())

    return run


def texts(answers: Answers) -> list[list[str | None]]:
    return [[reply and reply.text for reply in row] for row in answers.replies]


def expected(asks: Sequence[Ask], choices: int) -> list[list[str]]:
    """What the server says where every request is answered in full."""
    return [
        [
            said(ask.request.body["messages"][0]["content"], ask.seeds[place - place % choices], place % choices)
            for place in range(len(ask.seeds))
        ]
        for ask in asks
    ]


def test_every_sample_in_its_place_and_paid_for_once(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    came: list[int] = []
    answers = collect(asks, choices=3, progress=came.append)
    assert texts(answers) == expected(asks, 3)  # the server sends its choices in reverse order
    assert (answers.failures, answers.stopped, sum(came)) == ([], None, 12)
    assert sorted(one.body["n"] for one in server.seen) == [1, 1, 1, 3, 3, 3]
    assert {one.key for one in server.seen} == {f"Bearer {KEY}"}
    assert texts(collect(asks, choices=3)) == texts(answers)
    assert len(server.seen) == 6  # all from the cache


def test_more_samples_later_pay_only_for_the_new_ones(
    server: TeacherServer, collect: Collect, asks: list[Ask], cache: Cache
) -> None:
    fewer = [Ask(ask.name, ask.request, ask.seeds[:2]) for ask in asks]
    first = texts(collect(fewer))
    assert [row[:2] for row in texts(collect(asks))] == first
    assert [one.body["n"] for one in server.seen] == [2] * 6
    assert cache.spent("paid").usage == server.bill


def test_so_many_requests_at_a_time_and_no_more(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(delay=0.1)
    collect(asks, choices=1, concurrency=3)
    assert server.most == 3
    assert len(server.seen) == 12


@pytest.mark.parametrize(
    ("act", "billed"),
    [
        (Act(status=429), False),
        (Act(status=408), False),
        (Act(status=500), False),
        (Act(status=503, raw=b"<html>busy</html>"), False),
        (Act(hang_up=True), True),
        (Act(raw=b"<html>oops</html>"), True),
        (Act(raw=b'{"choices": [', headers={"Content-Type": "application/json"}), True),
        (Act(raw=b'{"object": "error"}', headers={"Content-Type": "application/json"}), True),
        (Act(delay=1.0), True),
    ],
    ids=["429", "408", "500", "503", "hang-up", "html", "cut-short", "no-choices", "time-out"],
)
def test_a_passing_failure_is_tried_again(
    server: TeacherServer, collect: Collect, asks: list[Ask], cache: Cache, act: Act, billed: bool
) -> None:
    server.behave = lambda number, body: act if number < 2 else Act()
    answers = collect(asks[:1], timeout=0.5 if act.delay else 20.0)
    assert (texts(answers), answers.failures) == (expected(asks[:1], 4), [])
    assert len(server.seen) == 3
    assert cache.spent("paid").requests == 1
    assert (cache.spent("unknown").requests, cache.spent("free").requests) == ((2, 0) if billed else (0, 2))


def test_the_server_says_how_long_to_wait(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(status=429, headers={"Retry-After": "0.6"}) if number == 0 else Act()
    begun = time.monotonic()
    collect(asks[:1])
    assert time.monotonic() - begun >= 0.6


def test_attempts_come_to_an_end_and_the_others_go_on(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    def behave(number: int, body: dict[str, Any]) -> Act:
        return Act(status=500, message="\x1b[31mtoo hot") if "2 plus" in str(body) else Act()

    server.behave = behave
    answers = collect(asks, retries=2)
    assert answers.failures == ["q2: status 500: too hot (3 attempts)"]
    assert texts(answers) == [expected(asks, 4)[0], [None] * 4, expected(asks, 4)[2]]


def test_fewer_choices_than_asked_are_asked_for_again(
    server: TeacherServer, collect: Collect, asks: list[Ask], cache: Cache
) -> None:
    server.behave = lambda number, body: Act(choices=min(body["n"], 3))
    answers = collect(asks[:1])
    assert [one.body["n"] for one in server.seen] == [4, 1]
    prompt = asks[0].request.body["messages"][0]["content"]
    assert texts(answers) == [[said(prompt, 10, 0), said(prompt, 10, 1), said(prompt, 10, 2), said(prompt, 13, 0)]]
    assert cache.spent("paid").usage == server.bill


def test_a_server_without_n_is_asked_once_a_sample(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(choices=1)
    assert texts(collect(asks[:1])) == expected(asks[:1], 1)
    assert len(server.seen) == 4


def test_no_choice_at_all_and_more_than_asked(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(choices=0) if number == 0 else Act(choices=9)
    assert texts(collect(asks[:1])) == expected(asks[:1], 4)
    server.behave = lambda number, body: Act(choices=0)
    failures = collect(asks[1:2], retries=1).failures
    assert failures == ["q2: the server gave no choice (2 attempts)"]


def test_null_content_and_refusals_are_replies(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    acts = [
        Act(reply={"content": None}, finish_reason="content_filter"),
        Act(reply={"content": None, "refusal": "I cannot help with 2."}),
        Act(
            reply={"content": [{"type": "text", "text": "So "}, {"type": "text", "text": "2."}]}, finish_reason="length"
        ),
    ]
    server.behave = lambda number, body: acts[number]
    answers = collect(asks, concurrency=1)
    first = [(row[0].text, row[0].refusal, row[0].finish_reason) for row in answers.replies if row[0] is not None]
    assert first == [(None, None, "content_filter"), (None, "I cannot help with 2.", "stop"), ("So 2.", None, "length")]
    assert len(server.seen) == 3  # they were paid for: not asked again


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_the_server_rejects_is_not_repeated(
    server: TeacherServer, collect: Collect, asks: list[Ask], status: int
) -> None:
    server.behave = lambda number, body: Act(status=status, message="too long") if "3 plus" in str(body) else Act()
    assert collect(asks).failures == [f"q3: status {status}: too long"]
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (Act(status=401, message=f"Incorrect API key provided: {KEY}"), "is the right key in TEST_KEY?"),
        (Act(status=403), "is the right key in TEST_KEY?"),
        (Act(status=404, message="no such model"), "no such model"),
        (Act(status=429, code="insufficient_quota"), "add credit"),
    ],
)
def test_what_every_request_would_meet_ends_the_work(
    server: TeacherServer, collect: Collect, asks: list[Ask], act: Act, part: str
) -> None:
    server.behave = lambda number, body: act
    with pytest.raises(AurifyError, match=part.replace("?", r"\?")) as caught:
        collect(asks, concurrency=1)
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 1


def test_nothing_but_failures_ends_the_work(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(status=400, message="seed: unknown field")
    many = [Ask(f"q{index}", asks[0].request, (index,)) for index in range(50)]
    with pytest.raises(AurifyError, match="10 prompts failed one after the other; the last: q9: status 400: seed"):
        collect(many, concurrency=1)
    assert len(server.seen) == 10


def test_nobody_at_the_port(collect: Collect, asks: list[Ask], server: TeacherServer, cache: Cache) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(AurifyError, match=r"\(2 attempts\); is it running\?"):
        collect(asks[:1], retries=1)
    assert cache.spent("unknown").requests == 0  # nothing was sent, so nothing was billed


@pytest.mark.parametrize("cap", [{"money_cap": 0.0105}, {"token_cap": 720}])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_cap_is_never_passed(
    server: TeacherServer, collect: Collect, asks: list[Ask], cap: dict[str, Any], concurrency: int, cache: Cache
) -> None:
    """A request of 4 samples is bounded by 88 + 200 tokens, $0.00488, and takes a tenth of that."""
    server.behave = lambda number, body: Act(delay=0.02)
    many = [
        Ask(f"q{index}", asks[0].request, (4 * index, 4 * index + 1, 4 * index + 2, 4 * index + 3))
        for index in range(60)
    ]
    answers = collect(many, concurrency=concurrency, **cap)
    name, value = next(iter(cap.items()))
    assert answers.stopped is not None
    assert answers.stopped.startswith(f"--{name.replace('_', '-')} {value:g}: ")
    prompt, completion = server.bill
    spent = (prompt * 10 + completion * 20) / 1e6 if name == "money_cap" else prompt + completion
    bound = asks[0].request.bound(4)
    most = Price(10.0, 20.0).of(bound) if name == "money_cap" else bound.total
    assert value - most < spent <= value  # used as far as it is safe, and no further
    done = sum(reply is not None for row in answers.replies for reply in row)
    assert 0 < done < 240
    assert cache.spent("paid").usage == server.bill
    sent = len(server.seen)
    assert collect(many, concurrency=concurrency, **cap).stopped  # again: what was spent before counts
    assert len(server.seen) == sent


def test_time_outs_count_at_their_most(server: TeacherServer, collect: Collect, asks: list[Ask]) -> None:
    server.behave = lambda number, body: Act(delay=0.5)
    answers = collect(asks[:1], timeout=0.2, token_cap=700)
    assert answers.stopped is not None
    assert "--token-cap 700: 576 are spent, and the next request may take 288" in answers.stopped
    assert len(server.seen) == 2


def test_a_server_that_tells_no_usage_counts_at_its_most(
    server: TeacherServer, collect: Collect, asks: list[Ask], cache: Cache
) -> None:
    server.behave = lambda number, body: Act(usage=False)
    collect(asks[:1])
    assert cache.spent("paid").usage == asks[0].request.bound(4)
