"""``aurify sample``: from an API and from a local model, killed and repeated."""

from __future__ import annotations

import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from teacher_server import Act, TeacherServer, said

from aurify.cli import sample
from aurify.collecting.api import Cache
from aurify.collecting.run import SamplingWatcher, run_sample
from aurify.collecting.settings import SampleSettings
from aurify.errors import AurifyError, UsageError
from aurify.rationales import Rationale, read_rationales

KEY = "sk-very-secret-12345678"
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def from_api(server: TeacherServer, questions: Path, out: Path, **settings: Any) -> dict[str, Any]:
    given = {"model": "t", "data": str(questions), "out": str(out), "api": server.url, "key_env": "TEST_KEY"}
    return {**given, "samples": 4, "choices": 2, "first_wait": 0.01, "price_in": 10.0, "price_out": 20.0, **settings}


def parts(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((out / "rationales").iterdir())}


def asked_for(server: TeacherServer) -> Counter[tuple[str, int]]:
    """How often each request was billed."""
    return Counter((body["messages"][-1]["content"], body["seed"]) for body, _, _ in server.billed)


def test_a_teachers_samples_become_a_table(server: TeacherServer, questions: Path, tmp_path: Path) -> None:
    said_lines: list[str] = []
    found = run_sample(SampleSettings(**from_api(server, questions, tmp_path / "out")), say=said_lines.append)
    rows = read_rationales(tmp_path / "out")
    assert [(row.question_id, row.sample_index) for row in rows] == [(f"s{n}", i) for n in range(30) for i in range(4)]
    assert {(row.source, row.model, row.step, row.token_ids, row.logprob) for row in rows} == {
        ("teacher", "t", 0, (), None)
    }
    assert all(set(one.body) == {"model", "messages", "temperature", "max_tokens", "n", "seed"} for one in server.seen)
    prompts = {one.body["messages"][0]["content"] for one in server.seen}  # many at once, so in no order
    (prompt,) = (one for one in prompts if one.startswith("What is 0 plus 0?\n\nThink step by step"))
    assert [row.text for row in rows[:2]] == [said(prompt, rows[0].seed & 0x7FFFFFFF, place) for place in (0, 1)]
    right = Counter(row.right for row in rows)
    assert min(right.values()) > 20
    assert found.verdicts == {"right": right[True], "wrong": right[False]}
    assert all(
        row.right == (row.predicted == str(int(row.question_id[1:]) * (int(row.question_id[1:]) + 1))) for row in rows
    )
    assert found.spent is not None
    assert (found.spent.requests, found.spent.usage) == (60, server.bill)
    assert found.spent.cost == pytest.approx((server.bill[0] * 10 + server.bill[1] * 20) / 1e6)
    assert said_lines[-1] == "t: counted at $10 in and $20 out per million tokens"


@pytest.mark.parametrize("seed", [0])
def test_killed_ten_times_it_ends_with_the_same_table_and_the_same_bill(
    server: TeacherServer, questions: Path, tmp_path: Path, children: Any, seed: int
) -> None:
    """kill -9 at ten random moments; the server counts what it charged for."""
    once = from_api(server, questions, tmp_path / "once")
    children.start(**once)
    assert children.wait() == 0
    bill, requests = server.bill, asked_for(server)
    assert set(requests.values()) == {1}
    assert len(requests) == 60

    server.billed.clear()
    server.seen.clear()
    server.behave = lambda number, body: Act(delay=0.01)
    moments = random.Random(seed)
    killed = from_api(server, questions, tmp_path / "killed", concurrency=3)
    for _ in range(10):
        child = children.start(**killed)
        server.wait_for(len(server.seen) + moments.randint(1, 6))
        os.kill(child, signal.SIGKILL)
        assert children.wait() == -signal.SIGKILL
    children.start(**killed)
    assert children.wait() == 0

    assert parts(tmp_path / "killed") == parts(tmp_path / "once")
    again = asked_for(server)
    twice = sum(again.values()) - 60
    assert set(again) == set(requests)
    cache = Cache(tmp_path / "killed" / "requests.sqlite")
    assert cache.spent("paid").usage == bill
    in_flight = cache.spent("unknown").requests
    cache.close()
    assert twice <= in_flight <= 10 * 3  # only what was in flight at a kill was paid for again


def test_the_same_command_again_pays_nothing_and_more_samples_pay_for_the_new(
    server: TeacherServer, questions: Path, tmp_path: Path
) -> None:
    settings = from_api(server, questions, tmp_path / "out")
    run_sample(SampleSettings(**settings))
    first, sent = parts(tmp_path / "out"), len(server.seen)
    run_sample(SampleSettings(**{**settings, "concurrency": 1, "money_cap": 5.0}))
    assert (parts(tmp_path / "out"), len(server.seen)) == (first, sent)
    four = read_rationales(tmp_path / "out")
    run_sample(SampleSettings(**{**settings, "samples": 6}))
    six = read_rationales(tmp_path / "out")
    assert (len(six), len(server.seen)) == (180, sent + 30)
    assert [row for row in six if row.sample_index < 4] == four
    for change in ({"temperature": 0.5}, {"model": "u"}, {"seed": 1}, {"few_shot": "x.txt"}):
        with pytest.raises(UsageError, match=f"{next(iter(change))} was "):
            run_sample(SampleSettings(**{**settings, **change}))
    assert len(server.seen) == sent + 30


def test_refusals_nulls_and_cuts_are_rationales_with_their_reason(
    server: TeacherServer, questions: Path, tmp_path: Path
) -> None:
    acts = {
        "s1": Act(reply={"content": None, "refusal": "So the answer is 2."}),
        "s2": Act(reply={"content": None}, finish_reason="content_filter"),
        "s3": Act(reply={"content": "So the answer is 12."}, finish_reason="length"),
        "s4": Act(reply={"content": None}, finish_reason="length"),
        "s5": Act(reply={"content": "First, 5 and"}, finish_reason="content_filter"),
    }
    names = {f"What is {n} plus {n * n}?": f"s{n}" for n in range(30)}
    server.behave = lambda number, body: acts.get(names[body["messages"][0]["content"].split("\n")[0]], Act())
    run_sample(SampleSettings(**from_api(server, questions, tmp_path / "out", samples=1)))
    rows: dict[str, Rationale] = {row.question_id: row for row in read_rationales(tmp_path / "out")}
    shown = {name: (str(rows[name].verdict), rows[name].text, rows[name].finish_reason) for name in acts}
    assert shown == {
        "s1": ("unparsable", "So the answer is 2.", "stop"),
        "s2": ("unparsable", "", "length"),
        "s3": ("truncated", "So the answer is 12.", "length"),
        "s4": ("truncated", "", "length"),
        "s5": ("truncated", "First, 5 and", "length"),
    }
    assert rows["s1"].reason == "the model refused to answer"
    assert rows["s2"].reason == "the server sent no content (finish reason content_filter)"
    assert rows["s5"].reason == "cut off by the server's content filter"
    assert rows["s1"].predicted is None


def test_a_cap_stops_and_the_next_run_goes_on(server: TeacherServer, questions: Path, tmp_path: Path) -> None:
    settings = from_api(server, questions, tmp_path / "out", max_new_tokens=20)
    found = run_sample(SampleSettings(**settings, token_cap=1000))
    assert found.stopped is not None
    assert sum(server.bill) <= 1000
    partial = read_rationales(tmp_path / "out")
    assert 0 < len(partial) < 120
    done = run_sample(SampleSettings(**settings))
    assert (done.stopped, done.failures) == (None, [])
    assert set(asked_for(server).values()) == {1}
    whole = read_rationales(tmp_path / "out")
    assert (len(whole), set(partial) - set(whole)) == (120, set())


def test_plain_prompts_go_to_completions_with_the_users_own_fields(
    server: TeacherServer, questions: Path, tmp_path: Path
) -> None:
    extra = '{"top_p": 0.9, "seed": null, "n": null}'
    settings = from_api(server, questions, tmp_path / "out", prompt="plain", request=extra, limit=3)
    run_sample(SampleSettings(**settings))
    assert {one.path for one in server.seen} == {"/v1/completions"}
    for body in (one.body for one in server.seen):
        assert set(body) == {"model", "prompt", "temperature", "max_tokens", "top_p"}
        assert body["prompt"].endswith("\nAnswer: Let's think step by step.\n")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"key_env": "NO_SUCH_KEY"}, "no key: put it in the environment variable NO_SUCH_KEY"),
        ({"api": "openai", "key_env": None}, "no key: put it in the environment variable OPENAI_API_KEY"),
        ({"money_cap": 1.0, "price_in": None, "price_out": None}, "no price is known for 't'"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_sent(
    server: TeacherServer, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any], message: str,
) -> None:  # fmt: skip
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match=message):
        run_sample(SampleSettings(**from_api(server, questions, tmp_path / "out", **settings)))
    assert not (tmp_path / "out").exists()
    assert server.seen == []


def test_openais_key_is_sent_to_nobody_else(
    server: TeacherServer, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("AURIFY_API_KEY", raising=False)
    run_sample(SampleSettings(**from_api(server, questions, tmp_path / "out", key_env=None, limit=1)))
    assert {one.key for one in server.seen} == {"Bearer none"}


def test_a_price_that_is_not_known_is_not_shown_as_zero(
    server: TeacherServer, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("aurify.cli.meter.FIRST", 0.0)
    monkeypatch.setattr("aurify.cli.meter.EVERY", 0.0)
    unknown = {"price_in": None, "price_out": None, "limit": 2}
    sample.run(SampleSettings(**from_api(server, questions, tmp_path / "out", **unknown)))
    shown = capsys.readouterr()
    assert "t: its price is not known, so no cost is counted" in shown.err
    assert "8 of 8 samples" in shown.err
    assert shown.out.splitlines()[2].endswith("tokens, price not known")
    assert "$" not in shown.err + shown.out


def test_another_folder_is_left_alone(server: TeacherServer, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="already there and not empty"):
        run_sample(SampleSettings(**from_api(server, questions, out)))
    assert [file.name for file in out.iterdir()] == ["mine.txt"]


class Stop(SamplingWatcher):
    """Ends the work after a number of samples, as a kill would."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.began: tuple[int, int] | None = None

    def begin(self, known: int, asked: int) -> None:
        self.began = known, asked

    def at(self, done: int, right: int) -> None:
        if done >= self.after:
            raise AurifyError("stopped")


def test_a_local_model_goes_on_from_its_parts(
    questions: Path, tmp_path: Path, tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurify.collecting.run.PART", 12)  # four questions a part
    settings = {"model": str(tiny_model_dir), "data": str(questions), "samples": 3, "max_new_tokens": 5, "limit": 10}
    whole = SampleSettings(**settings, out=str(tmp_path / "whole"))
    found = run_sample(whole)
    rows = read_rationales(tmp_path / "whole")
    assert (len(rows), len(parts(tmp_path / "whole")), found.asked, found.spent) == (30, 3, 30, None)
    assert {row.source for row in rows} == {"self"}
    assert all(row.token_ids and row.logprob is not None for row in rows)

    broken = SampleSettings(**settings, out=str(tmp_path / "broken"))
    with pytest.raises(AurifyError, match="stopped"):
        run_sample(broken, watcher=Stop(after=14))
    assert len(parts(tmp_path / "broken")) == 1
    watcher = Stop(after=1000)
    run_sample(broken, watcher=watcher)
    assert watcher.began == (12, 30)
    assert parts(tmp_path / "broken") == parts(tmp_path / "whole")
    with pytest.raises(UsageError, match="samples was 3 and is now 4"):
        run_sample(broken.model_copy(update={"samples": 4}))


def test_from_the_command_line_with_the_key_nowhere(
    server: TeacherServer, questions: Path, tmp_path: Path, run_aurify: Run
) -> None:
    server.behave = lambda number, body: (
        Act(status=500, message=f"bad key {KEY}")
        if number % 7 == 0
        else Act(reply={"content": f"{KEY}: So the answer is 2."})
    )
    words = [
        "sample",
        "--model",
        "t",
        "--data",
        questions,
        "--out",
        "out",
        "--api",
        server.url,
        "--key-env",
        "TEST_KEY",
    ]
    caps = ["--samples", 2, "--price-in", 10, "--price-out", 20, "--money-cap", 1, "--first-wait", 0.01]
    done = run_aurify(*words, *caps, env={"OPENAI_LOG": "info"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "60 rationales on 30 questions in out/rationales"
    assert lines[1] == "verdicts  58 wrong, 2 right"
    assert lines[2].startswith("billed    30 requests, ")
    server.behave = lambda number, body: Act(status=400, message=f"not with {KEY}") if "7 plus" in str(body) else Act()
    failed = run_aurify(*words, *caps, "--samples", 3)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        "aurify: 3 requests failed; the first: s7: status 400: not with (key); the same command goes on from here"
    )
    capped = run_aurify(*words, *caps, "--samples", 5, "--money-cap", "0.0001")
    assert capped.returncode == 1
    assert "aurify: stopped by --money-cap 0.0001: $" in capped.stderr
    assert capped.stderr.endswith("raise the cap; the same command goes on from here\n")
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for run in (done, failed, capped):
        written += (run.stdout + run.stderr).encode()
    assert KEY.encode() not in written


class Stops(SamplingWatcher):
    """Ctrl-C once ``after`` samples are done."""

    def __init__(self, after: int) -> None:
        self.after = after

    def at(self, done: int, right: int) -> None:
        if done >= self.after:
            raise KeyboardInterrupt


def test_a_local_part_that_was_stopped_loses_nothing_that_was_drawn(questions: Path, tmp_path: Path) -> None:
    settings = {"model": "nugget", "data": str(questions), "samples": 4, "max_new_tokens": 40}
    run_sample(SampleSettings(**settings, out=str(tmp_path / "at-once")))
    stopped = SampleSettings(**settings, out=str(tmp_path / "stopped"))
    with pytest.raises(KeyboardInterrupt):
        run_sample(stopped, watcher=Stops(60))
    assert not (tmp_path / "stopped" / "rationales").exists(), "the part is not whole"
    said_lines: list[str] = []
    run_sample(stopped, say=said_lines.append)
    assert any(re.match(r"\d+ rationales that were drawn before the stop", line) for line in said_lines)
    wanted, found = (read_rationales(tmp_path / name) for name in ("at-once", "stopped"))
    assert [replace(row, logprob=None) for row in found] == [replace(row, logprob=None) for row in wanted]
    assert not (tmp_path / "stopped" / "drawn.jsonl").exists()
