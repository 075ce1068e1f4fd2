"""One request to an OpenAI-compatible API, through the ``openai`` client: its answer, or why there is none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import openai

from aurify.collecting.api.dialect import Dialect, fields_named
from aurify.collecting.api.records import Answer, ApiRequest, Reply
from aurify.collecting.api.refusals import Failed, Rejected, complaint, refusal
from aurify.collecting.api.replies import answer_of
from aurify.errors import AurifyError
from aurify.parsing import parse_json
from aurify.text import printable

MESSAGE_SHOWN = 300
"""Characters of a server's message that are shown."""


class Api:
    """A server. The key is held here alone, and is taken out of whatever the server says.

    Args:
        url: up to and including ``/v1``; Azure's with its ``?api-version=``.
        key: None where the server needs none.
        key_env: the environment variable that should hold the key, for messages.
        timeout: seconds for a whole request.
        temperature_matters: see ``Dialect``.
        say: is told what the server does not take.

    Raises:
        AurifyError: no connection can be made as the environment says (a proxy, a file of certificates).
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        key_env: str,
        timeout: float = 60.0,
        temperature_matters: bool = True,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._key_env = key_env
        self._timeout = timeout
        self._dialect = Dialect(temperature_matters=temperature_matters, say=say)
        self._answered = False
        base, _, query = self.url.partition("?")
        azure = {"headers": {"Authorization": openai.Omit(), "api-key": key}}
        self._options: Any = azure if key and query else {}
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key or "none", base_url=base, max_retries=0, timeout=timeout,
                default_query=dict(parse_qsl(query)),
                http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),  # a POST would become a GET
            )  # fmt: skip
        except (ImportError, OSError, ValueError) as error:
            raise AurifyError(
                f"{self.url}: no connection can be made: {self._clean(str(error))}; see HTTPS_PROXY, ALL_PROXY, "
                "NO_PROXY and SSL_CERT_FILE in the environment"
            ) from None

    async def ask(self, request: ApiRequest, *, n: int, seed: int) -> Answer:
        """Send the request for ``n`` samples, once; again at once where the server refuses a field that may be missing.

        Raises:
            Failed: it may be sent again.
            Rejected: it need not be.
            AurifyError: no request to this server can succeed.
        """
        meant = {"n": n, "seed": seed & 0x7FFFFFFF, **request.body}  # several servers hold a seed in 32 bits
        while True:
            sent = self._dialect.spoken(meant)
            try:
                found = await self._post(request.endpoint, sent)
                break
            except openai.APIStatusError as error:
                body = _body(error)
                with _not_too_deep(billed=False):
                    self._dialect.learn(meant, body, complaint(body))
                    if self._dialect.spoken(meant) == sent:  # else it was learned now, or from another request
                        raise self._refusal(error.status_code, body, error.response.headers, meant) from None
        with _not_too_deep(billed=True):
            answer = self._answer(found, request, meant)
        self._answered = True
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, endpoint: str, body: Mapping[str, Any]) -> Any:
        """The response to a request.

        Raises:
            openai.APIStatusError: it is none.
            Failed: none came, or it cannot be read.
            AurifyError: the server cannot be trusted.
        """
        try:
            post = self._client.post(f"/{endpoint}", body=dict(body), cast_to=object, options=self._options)
            return await asyncio.wait_for(post, self._timeout)  # the client's own bounds the wait for each byte
        except (openai.APITimeoutError, asyncio.TimeoutError) as error:
            arrived = _arrived(error)
            raise Failed(f"no answer within {self._timeout:g} s", billed=arrived, reached=arrived) from None
        except openai.APIConnectionError as error:
            raise self._unconnected(error) from None
        except openai.APIStatusError:
            raise
        except (openai.OpenAIError, ValueError, RecursionError) as error:  # a body that is cut short, or no JSON
            raise Failed(f"the response cannot be read: {self._clean(str(error))}", billed=True) from None

    def _unconnected(self, error: openai.APIConnectionError) -> Exception:
        reason = self._clean(str(error.__cause__ or error) or type(error.__cause__).__name__)
        arrived = _arrived(error)
        if not arrived and "SSL" in reason and not self._answered:
            hint = "its certificate is not trusted here (SSL_CERT_FILE names others)"
            hint = hint if "CERTIFICATE" in reason else "does it speak http, not https?"
            return AurifyError(f"{self.url}: {reason}; {hint}")
        return Failed(f"{self.url}: {reason}", billed=arrived, reached=arrived)

    def _refusal(self, status: int, body: Any, headers: Mapping[str, str], meant: Mapping[str, Any]) -> Exception:
        said = self._clean(complaint(body)) or "without a word"
        found = refusal(
            status, said, self._clean(str(body), None), headers,
            url=self.url, key_env=self._key_env, answered=self._answered,
        )  # fmt: skip
        named = [name for name in fields_named(body, complaint(body)) if name in meant.keys() - _NEEDED]
        if isinstance(found, Rejected) and not found.own and named:
            hint = f"""; --request '{{"{named[0]}": null}}' leaves it out"""
            return Rejected(f"{found}{hint}")
        return found

    def _answer(self, found: Any, request: ApiRequest, meant: Mapping[str, Any]) -> Answer:
        if isinstance(found, str):  # JSON that the server calls something else
            try:
                found = parse_json(found)
            except ValueError:
                raise Failed(f"the response is no JSON: {self._clean(complaint(found))}", billed=True) from None
        choices = found.get("choices") if isinstance(found, dict) else None
        if not choices and isinstance(found, dict) and found.get("error"):
            if (status := _status_within(found["error"])) is None:
                raise Failed(f"the response holds an error: {self._clean(complaint(found))}")
            raise self._refusal(status, found, {}, meant)
        if not isinstance(choices, list):
            raise Failed(f"the response holds no choices: {self._clean(str(found))}", billed=True)
        answer = answer_of(found, request.endpoint)
        replies = tuple(self._without_key(reply) for reply in answer.replies)
        return Answer(replies, answer.usage, self._clean(answer.problem))

    def _without_key(self, reply: Reply) -> Reply:
        def clean(text: str | None) -> str | None:
            return text.replace(self._key, "(key)") if text and self._key else text

        return Reply(clean(reply.text), clean(reply.refusal), reply.finish_reason)

    def _clean(self, text: str, limit: int | None = MESSAGE_SHOWN) -> str:
        """A server's words for a terminal, without the key or what looks like one."""
        text = text.replace(self._key, "(key)") if self._key else text
        return printable(re.sub(r"\b(?:sk|key)-[\w*-]{8,}", "(key)", text), limit)


_NEEDED = {"model", "messages", "prompt", "max_tokens", "max_completion_tokens"}
"""Fields that ``--request`` does not take out."""


@contextmanager
def _not_too_deep(*, billed: bool) -> Iterator[None]:
    """Reads what a server sent; what is nested too deeply for that is a failure.

    Raises:
        Failed: it is.
    """
    try:
        yield
    except RecursionError:
        raise Failed("the response cannot be read: it is nested too deeply", billed=billed) from None


def _body(error: openai.APIStatusError) -> Any:
    """What a refusal holds, as JSON where it is."""
    try:
        return parse_json(error.response.text)
    except ValueError:
        return error.response.text


def _status_within(error: Any) -> int | None:
    """The status that an error tells which came with status 200, as OpenRouter's do."""
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _arrived(error: Exception) -> bool:
    """Whether a request may have arrived: there was a connection."""
    return "Connect" not in type(error.__cause__).__name__
