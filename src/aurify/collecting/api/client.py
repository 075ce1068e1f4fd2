"""One request to an OpenAI-compatible API, through the ``openai`` client: its answer, or why there is none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import openai

from aurify.answers.thought import with_thought
from aurify.collecting.api.records import Answer, ApiRequest, Reply, Usage
from aurify.errors import AurifyError
from aurify.text import printable

RETRIED = {408, 409, 425, 429}
"""Statuses below 500 that say nothing against the request itself."""
FATAL = {401, 403, 404, 405}
"""Statuses that every request would meet."""
_MOST_TOKENS = 2**40
"""No request is billed for more; a server that says so does not know."""
MESSAGE_SHOWN = 300
"""Characters of a server's message that are shown."""


class Failed(Exception):
    """An attempt that may be repeated; the message says what happened.

    Attributes:
        wait: seconds that the server asks to wait; None where it does not say.
        billed: whether the server may charge for it all the same.
    """

    def __init__(self, message: str, *, wait: float | None = None, billed: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.billed = billed


class Rejected(Exception):
    """The server will not answer this request, however often it is sent (a prompt too long, a parameter unknown)."""


class Api:
    """A server. The key is held here alone, and is taken out of whatever the server says.

    Args:
        url: up to and including ``/v1``.
        key: None where the server needs none.
        key_env: the environment variable that should hold the key, for messages.
        timeout: seconds for a whole request.
    """

    def __init__(self, url: str, key: str | None, *, key_env: str, timeout: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._key_env = key_env
        self._client = openai.AsyncOpenAI(api_key=key or "none", base_url=self.url, max_retries=0, timeout=timeout)
        self._timeout = timeout

    async def ask(self, request: ApiRequest, *, n: int, seed: int) -> Answer:
        """Send the request for ``n`` samples, once.

        Raises:
            Failed: it may be sent again.
            Rejected: it need not be.
            AurifyError: no request to this server can succeed.
        """
        body = {"n": n, "seed": seed & 0x7FFFFFFF, **request.body}  # several servers hold a seed in 32 bits
        body = {name: value for name, value in body.items() if value is not None}
        try:
            post = self._client.post(f"/{request.endpoint}", body=body, cast_to=object)
            found: Any = await asyncio.wait_for(post, self._timeout)  # the client's own bounds the wait for each byte
        except (openai.APITimeoutError, asyncio.TimeoutError):
            raise Failed(f"no answer within {self._timeout:g} s", billed=True) from None
        except openai.APIConnectionError as error:
            reason = self._clean(str(error.__cause__ or error) or type(error.__cause__).__name__)
            raise Failed(f"{self.url}: {reason}", billed=not _refused_connection(error)) from None
        except openai.APIStatusError as error:
            raise self._explained(error) from None
        except (openai.OpenAIError, ValueError, RecursionError) as error:  # a body that is cut short, or no JSON
            raise Failed(f"the response cannot be read: {self._clean(str(error))}", billed=True) from None
        try:
            return self._answer(found, request)
        except RecursionError:
            raise Failed("the response cannot be read: it is nested too deeply", billed=True) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _explained(self, error: openai.APIStatusError) -> Exception:
        status = error.status_code
        said = f"status {status}: {self._clean(_message(error))}"
        if "insufficient_quota" in (str(error.code), str(getattr(error, "type", ""))):
            return AurifyError(f"{self.url}: {said}; add credit, then run the same command again")
        if status in FATAL:
            hint = (
                f"; is the right key in {self._key_env}?" if status in (401, 403) else "; is --api the URL up to /v1?"
            )
            return AurifyError(f"{self.url}: {said}{hint}")
        if status in RETRIED or status >= 500:
            return Failed(said, wait=asked_wait(error.response.headers))
        return Rejected(said)

    def _answer(self, found: Any, request: ApiRequest) -> Answer:
        choices = found.get("choices") if isinstance(found, dict) else None
        if not isinstance(choices, list):
            raise Failed(f"the response holds no choices: {self._clean(str(found))}", billed=True)
        good = [choice for choice in choices if isinstance(choice, dict)]
        good.sort(key=lambda choice: choice["index"] if isinstance(choice.get("index"), int) else len(choices))
        read = (reply_of(choice, request.endpoint) for choice in good)
        replies = tuple(self._without_key(reply) for reply in read if reply is not None)
        return Answer(replies, _usage(found.get("usage")))

    def _without_key(self, reply: Reply) -> Reply:
        def clean(text: str | None) -> str | None:
            return text.replace(self._key, "(key)") if text and self._key else text

        return Reply(clean(reply.text), clean(reply.refusal), reply.finish_reason)

    def _clean(self, text: str) -> str:
        """A server's words for a terminal, without the key or what looks like one."""
        text = text.replace(self._key, "(key)") if self._key else text
        return printable(re.sub(r"\b(?:sk|key)-[\w*-]{8,}", "(key)", text), MESSAGE_SHOWN)


def reply_of(choice: Mapping[str, Any], endpoint: str) -> Reply | None:
    """A choice as a sample; None for what is no choice."""
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else "stop"
    if endpoint == "completions":
        text = choice.get("text")
        return Reply(text if isinstance(text, str) else None, None, finish)
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):  # parts, as some servers write them
        content = "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    text = content if isinstance(content, str) else None
    refusal = refusal if isinstance(refusal, str) and refusal else None
    if (thought := _thought(message, text or "")) and (text or refusal is None):
        text = with_thought(thought, text or "", closed=finish != "length")
    return Reply(text, refusal, finish)


def _thought(message: Mapping[str, Any], content: str) -> str:
    """What the model thought before its reply, where the server sends it apart and not in the content too."""
    for name in ("reasoning_content", "reasoning"):
        thought = message.get(name)
        if isinstance(thought, str) and thought.strip() and thought.strip() not in content:
            return thought
    return ""


def _usage(found: Any) -> Usage | None:
    if not isinstance(found, dict):
        return None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens", 0)
    if not (isinstance(prompt, int) and isinstance(completion, int)):
        return None
    if not (0 <= prompt <= _MOST_TOKENS and 0 <= completion <= _MOST_TOKENS):
        return None
    return Usage(prompt, completion)


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return str(said or error.response.text or error.message).strip()


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds: a number, or a date (RFC 9110, 10.2.3)."""
    asked = headers.get("retry-after", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None


def _refused_connection(error: Exception) -> bool:
    """Whether the request cannot have arrived, since there was no connection."""
    return "Connect" in type(error.__cause__).__name__
