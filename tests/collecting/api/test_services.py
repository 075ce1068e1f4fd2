"""Servers as the real services are: what they send, what they refuse, and in which words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from teacher_server import Act, TeacherServer

from aurify.collecting.api import Answers, Api, ApiRequest, Ask, Cache, Caps, Teacher, Usage
from aurify.collecting.api.records import Answer
from aurify.collecting.api.refusals import Failed, Rejected
from aurify.errors import AurifyError

KEY = "abc-very-secret-12345678"
JSON = {"Content-Type": "application/json"}
BODY = {"model": "t", "temperature": 1.0, "max_tokens": 50, "messages": [{"role": "user", "content": "1 plus 1"}]}


@pytest.fixture
def said() -> list[str]:
    return []


Asking = Callable[..., Answer]


@pytest.fixture
def asking(server: TeacherServer, said: list[str]) -> Asking:
    """Send one request, or several one after the other through the same client; the last one's answer."""

    def run(n: int = 1, *, times: int = 1, query: str = "", matters: bool = True, **fields: Any) -> Answer:
        async def work() -> Answer:
            api = Api(
                server.url + query, KEY, key_env="TEST_KEY", timeout=20.0, temperature_matters=matters, say=said.append
            )
            try:
                for _ in range(times):
                    answer = await api.ask(ApiRequest("chat/completions", {**BODY, **fields}, 50), n=n, seed=5)
                return answer
            finally:
                await api.close()

        return asyncio.run(work())

    return run


def reply(message: dict[str, Any], finish: Any = "stop", **more: Any) -> Act:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return Act(raw=json.dumps({"choices": [choice], **more}).encode(), headers=JSON)


def refused(status: int, body: Any, **headers: str) -> Act:
    raw = body if isinstance(body, str) else json.dumps(body)
    return Act(status=status, raw=raw.encode(), headers={**JSON, **headers})


def openai_error(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


THOUGHT = "1 and 1."
WITH_THOUGHT = f"<think>\n{THOUGHT}\n</think>\n\n2"


@pytest.mark.parametrize(
    ("service", "text", "finish"),
    [
        (reply({"content": "2", "reasoning_content": THOUGHT}), WITH_THOUGHT, "stop"),  # DeepSeek, SGLang
        (reply({"content": "2", "reasoning": THOUGHT, "reasoning_content": None}), WITH_THOUGHT, "stop"),  # vLLM, Groq
        (
            reply({"content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}], "closed": True},
                {"type": "text", "text": "2"},
            ]}),
            WITH_THOUGHT, "stop",
        ),  # Mistral
        (
            reply({"content": "2", "reasoning": None, "reasoning_details": [
                {"type": "reasoning.summary", "summary": THOUGHT}, {"type": "reasoning.encrypted", "data": "gAAA"},
            ]}),
            WITH_THOUGHT, "stop",
        ),  # OpenRouter
        (reply({"content": [{"type": "thinking", "thinking": THOUGHT}]}, "length"), f"<think>\n{THOUGHT}\n", "length"),
        (reply({"role": "assistant"}, "length"), None, "length"),  # Gemini, when thoughts took all tokens
        (reply({"content": "2"}, "model_length"), "2", "length"),  # Mistral
        (reply({"content": "2"}, "MAX_TOKENS"), "2", "length"),  # gateways to Gemini
        (reply({"content": "2"}, {"type": "length", "length": 50}), "2", "length"),  # SGLang's own
        (reply({"content": None}, "content_filter: PROHIBITED_CONTENT"), None, "content_filter"),  # Gemini
        (reply({"content": "2"}, "eos_token"), "2", "eos_token"),  # TGI
        (reply({"content": "2"}, None), "2", "stop"),
        (Act(raw=b'\n\n\n{"choices": [{"message": {"content": "2"}}]}', headers=JSON), "2", "stop"),  # DeepSeek
        (Act(raw=json.dumps({"choices": [{"message": {"content": "2\x00\ud800"}}]}).encode()), "2\x00\ud800", "stop"),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_services_send(service: Act, text: str | None, finish: str, server: TeacherServer, asking: Asking) -> None:
    server.behave = lambda number, body: service
    (found,) = asking().replies
    assert (found.text, found.refusal, found.finish_reason) == (text, None, finish)


@pytest.mark.parametrize(
    ("usage", "billed"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, Usage(7, 3)),
        # Gemini and xAI leave thoughts to the total.
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 60}, Usage(7, 53)),
        ({"prompt_tokens": 7, "total_tokens": 57}, Usage(7, 50)),
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": None,
          "prompt_tokens_details": {"cached_tokens": 7}}, Usage(7, 3)),
        ({"prompt_tokens": None, "completion_tokens": None, "total_tokens": 0}, None),
        (None, None),
    ],
)  # fmt: skip
def test_what_services_bill(usage: Any, billed: Usage | None, server: TeacherServer, asking: Asking) -> None:
    server.behave = lambda number, body: reply({"content": "2"}, usage=usage)
    assert asking().usage == billed


@pytest.mark.parametrize(
    ("field", "refusal", "other"),
    [
        ("n", openai_error("'n' : number must be at most 1"), None),  # Groq
        ("n", openai_error("Only one completion choice is allowed"), None),  # llama.cpp
        ("n", {"object": "error", "message": "n must be 1 when using greedy sampling, got 4.", "code": 400}, None),
        ("n", openai_error("Unsupported value: 'n' does not support 4 with this model.", "n"), None),  # OpenAI
        ("n", [{"error": {"code": 400, "message": "Multiple candidates is not enabled for this model"}}], None),
        ("n", {"title": "Unprocessable Entity", "detail": "body -> n\n  Extra inputs are not permitted"}, None),  # NIM
        ("seed", {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                              "msg": "Extra inputs are not permitted", "input": 5}]}, None),  # Mistral
        ("seed", [{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}], None),  # Gemini
        ("seed", openai_error("property 'seed' is unsupported"), None),  # Groq
        ("temperature", openai_error("Unsupported parameter: 'temperature' is not supported with this model."), None),
        ("max_tokens", openai_error("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                                    "'max_completion_tokens' instead.", "max_tokens"), "max_completion_tokens"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_a_server_does_not_take_is_left_out_once_it_says_so(
    field: str, refusal: Any, other: str | None, server: TeacherServer, asking: Asking, said: list[str]
) -> None:
    server.behave = lambda number, body: refused(422, refusal) if field in body else Act()
    assert len(asking(4, times=2).replies) == (1 if field == "n" else 4)
    bodies = [one.body for one in server.seen]
    assert [field in body for body in bodies] == [True, False, False]
    assert all(body.keys() - {field, other} == bodies[0].keys() - {field, other} for body in bodies)
    assert other is None or bodies[1][other] == 50
    assert len(said) == 1
    assert field in said[0]


@pytest.mark.parametrize(
    ("refusal", "fields", "hint"),
    [
        (openai_error("This model's maximum context length is 8192 tokens, and 'max_tokens' or "
                      "'max_completion_tokens' is too large: 50", "max_tokens"), {}, ""),
        (openai_error("Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) "
                      "value is supported.", "temperature"), {"temperature": 0.7}, "temperature"),
        (openai_error("Unsupported parameter: 'stop' is not supported with this model.", "stop"), {"stop": ["\n"]},
         "stop"),
        (openai_error("the prompt contains 'n' and 'seed'"), {}, ""),
        (openai_error("max_tokens must be at least 100", "max_tokens"), {}, ""),
    ],
    ids=range(5),
)  # fmt: skip
def test_what_the_samples_depend_on_is_not_left_out(
    refusal: Any, fields: dict[str, Any], hint: str, server: TeacherServer, asking: Asking, said: list[str]
) -> None:
    server.behave = lambda number, body: refused(400, refusal)
    with pytest.raises(Rejected, match=refusal["error"]["message"][:20]) as caught:
        asking(4, **fields)
    assert len(server.seen) == 1
    assert not said
    told = f"""; --request '{{"{hint}": null}}' leaves it out""" if hint else refusal["error"]["message"]
    assert str(caught.value).endswith(told)


def test_a_judge_takes_the_temperature_that_there_is(server: TeacherServer, asking: Asking, said: list[str]) -> None:
    only = openai_error("Unsupported value: 'temperature' does not support 0 with this model.", "temperature")
    server.behave = lambda number, body: refused(400, only) if "temperature" in body else Act()
    assert len(asking(1, temperature=0.0, matters=False).replies) == 1
    assert said == ["the server takes no 'temperature': it samples at its own, not at 0"]


@pytest.mark.parametrize(
    ("act", "kind", "told"),
    [
        (refused(402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}), AurifyError,
         "status 402: Insufficient Balance; add credit"),  # DeepSeek
        (refused(400, {"type": "error", "error": {"message": "Your credit balance is too low"}}), AurifyError,
         "Your credit balance is too low; add credit"),  # Anthropic
        (refused(429, openai_error("You exceeded your quota", code="insufficient_quota")), AurifyError, "add credit"),
        (refused(404, openai_error("model 'q' not found, try pulling it first")), AurifyError,
         "status 404: model 'q' not found, try pulling it first; --model is the server's own name of it"),  # Ollama
        (refused(404, "404 page not found"), AurifyError, "status 404: 404 page not found; is --api the URL up to"),
        (refused(301, "", Location="https://b.example/v1/chat/completions"), AurifyError,
         "it sends requests on to https://b.example/v1/chat/completions: give its address to --api"),
        (refused(400, {"error": {"message": "The response was filtered due to the prompt", "code": "content_filter",
                                 "innererror": {"code": "ResponsibleAIPolicyViolation"}}}), Rejected,
         "status 400: The response was filtered due to the prompt"),  # Azure
        (refused(403, {"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["x"]}}}),
         Rejected, "Your input was flagged"),  # OpenRouter
        (refused(502, "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad</h1></body></html>"), Failed,
         "status 502: 502 Bad Gateway"),
        (refused(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}), Failed,
         "status 529: Overloaded"),
        (refused(429, {"error": "Model is overloaded", "error_type": "overloaded"}), Failed,
         "status 429: Model is overloaded"),  # TGI
        (refused(422, {"error": "Input validation error: `temperature` is too hot", "error_type": "validation"}),
         Rejected, "status 422: Input validation error: `temperature` is too hot"),  # TGI
        (refused(200, {"error": {"code": 429, "message": "Provider returned error",
                                 "metadata": {"raw": "glm is temporarily rate-limited upstream."}}}), Failed,
         "status 429: Provider returned error: glm is temporarily rate-limited upstream."),  # OpenRouter
        (refused(200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}), Failed,
         "Unexpected endpoint or method"),  # LM Studio
        (Act(raw=b"<!doctype html><title>Open WebUI</title>"), Failed, "the response is no JSON: Open WebUI"),
        (refused(401, openai_error(f"Incorrect API key provided: {KEY}")), AurifyError,
         "Incorrect API key provided: (key); is the right key in TEST_KEY?"),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_services_refuse_with(
    act: Act, kind: type[Exception], told: str, server: TeacherServer, asking: Asking
) -> None:
    server.behave = lambda number, body: act
    with pytest.raises(kind) as caught:
        asking()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 1
    assert not getattr(caught.value, "billed", False) or act.status == 200


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, {}, 0.25),  # OpenAI, Azure
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m20s",
          "x-ratelimit-remaining-tokens": "9000", "x-ratelimit-reset-tokens": "120ms"}, {}, 80.0),
        ({"x-ratelimit-reset-tokens": "120ms"}, {}, 0.12),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000"}, {}, 1000.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000000000"}, {}, 0.0),  # in 2001, in milliseconds
        ({"anthropic-ratelimit-requests-reset": "2001-01-01T00:00:00Z"}, {}, 0.0),
        ({}, openai_error("Rate limit reached for gpt-4o. Please try again in 1m2.5s. Visit"), 62.5),
        ({}, [{"error": {"code": 429, "message": "Quota exceeded. Please retry in 34.07s."}}], 34.07),  # Gemini
        ({"x-ratelimit-reset": "soon"}, {}, None),
        ({}, openai_error("busy"), None),
    ],
    ids=range(11),
)  # fmt: skip
def test_how_long_services_ask_to_wait(
    headers: dict[str, str], body: Any, wait: float | None, server: TeacherServer, asking: Asking
) -> None:
    server.behave = lambda number, _: refused(429, body, **headers)
    with pytest.raises(Failed) as caught:
        asking()
    assert caught.value.wait == (None if wait is None else pytest.approx(wait))


def test_azures_address_and_key(server: TeacherServer, asking: Asking) -> None:
    asking(query="?api-version=2025-01-01-preview")
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions?api-version=2025-01-01-preview"
    assert (seen.headers.get("api-key"), seen.headers.get("authorization")) == (KEY, None)


def collect(server: TeacherServer, asks: list[Ask], said: list[str], **more: Any) -> Answers:
    async def work() -> Answers:
        api, cache = Api(server.url, KEY, key_env="TEST_KEY", say=said.append), Cache(None)
        try:
            settings: dict[str, Any] = {"first_wait": 0.001, "say": said.append, **more}
            return await Teacher(api, cache, Caps(cache, None), **settings).ask_all(asks)
        finally:
            await api.close()
            cache.close()

    return asyncio.run(work())


def test_requests_that_were_on_their_way_when_it_was_learned(
    server: TeacherServer, asks: list[Ask], said: list[str]
) -> None:
    one = refused(400, openai_error("'n' : number must be at most 1"))
    server.behave = lambda number, body: replace(one, delay=0.2) if "n" in body else Act()
    found = collect(server, asks, said, concurrency=3)
    assert found.failures == []
    assert None not in [reply for row in found.replies for reply in row]
    assert said == ["the server takes no 'n': each request asks for one sample"]
    assert ["n" in one.body for one in server.seen].count(True) == 3


@pytest.mark.parametrize(
    "broken",
    [
        {"finish_reason": "error", "error": {"code": 502, "message": "upstream died"}},  # OpenRouter
        {"finish_reason": "insufficient_system_resource"},  # DeepSeek
        {"finish_reason": "abort"},  # vLLM, SGLang
    ],
)
def test_a_sample_that_the_server_broke_off_is_drawn_again(
    broken: dict[str, Any], server: TeacherServer, asks: list[Ask], said: list[str]
) -> None:
    part = {"choices": [{"index": 0, "message": {"content": "I ad"}, **broken}]}
    server.behave = lambda number, body: refused(200, part) if number == 0 else Act()
    found = collect(server, asks[:1], said)
    assert found.failures == []
    assert [one is not None and one.text != "I ad" for one in found.replies[0]] == [True] * 4
    server.behave = lambda number, body: refused(200, part)
    (failure,) = collect(server, asks[1:2], said, retries=1).failures
    assert failure.startswith("q2: the server broke a sample off (")


def test_prompts_that_a_filter_refuses_do_not_end_the_work(
    server: TeacherServer, asks: list[Ask], said: list[str]
) -> None:
    filtered = refused(400, {"error": {"code": "content_filter", "message": "filtered"}})
    server.behave = lambda number, body: filtered if "1 plus" in str(body) else Act()
    many = [Ask(f"q{index}", asks[0].request, (index,)) for index in range(12)]
    found = collect(server, [*many, asks[1]], said, concurrency=1)
    assert len(found.failures) == 12
    assert None not in found.replies[-1]


def test_a_server_that_is_not_there_is_said_at_once(server: TeacherServer, asks: list[Ask], said: list[str]) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(AurifyError, match=r"refused|failed.* \(2 attempts\); is it running\?"):
        collect(server, asks, said, retries=1)


def test_https_to_a_server_that_speaks_http(server: TeacherServer) -> None:
    async def work() -> None:
        api = Api(server.url.replace("http:", "https:"), KEY, key_env="TEST_KEY")
        try:
            await api.ask(ApiRequest("chat/completions", BODY, 50), n=1, seed=5)
        finally:
            await api.close()

    with pytest.raises(AurifyError, match=r"does it speak http, not https\?"):
        asyncio.run(work())


@pytest.mark.parametrize(("name", "value"), [("ALL_PROXY", "socks9://127.0.0.1:1"), ("SSL_CERT_FILE", "/no/such/file")])
def test_an_environment_that_allows_no_connection(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(AurifyError, match=r"no connection can be made: .*; see HTTPS_PROXY") as caught:
        Api("https://127.0.0.1:1/v1", KEY, key_env="TEST_KEY")
    assert "\n" not in str(caught.value)


def test_long_waits_are_told(
    server: TeacherServer, asks: list[Ask], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurify.collecting.api.teacher.TOLD_WAIT", 0.05)
    limited = Act(status=429, message="slow down", headers={"retry-after-ms": "60"})
    server.behave = lambda number, body: limited if number < 4 else Act()
    assert collect(server, asks, said, concurrency=2).failures == []
    assert said == ["status 429: slow down; asked again in 0 s"]
