"""Why a server gave no answer, from its status, headers and words: whether to ask again, when, and what to tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from time import time
from typing import Any

from aurify.errors import AurifyError

RETRIED = {408, 409, 425, 429}
"""Statuses below 500 that say nothing against the request itself."""
FATAL = {401, 403, 404, 405}
"""Statuses that every request would meet, where none has been answered."""
_NO_CREDIT = re.compile(r"insufficient_quota|billing_hard_limit|credit balance is too low|arrearage", re.IGNORECASE)
_FILTERED = re.compile(r"content_filter|content management policy|moderation|flagged", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_TRY_AGAIN = re.compile(
    r"(?:try again|retry)\s+(?:in|after)\s+([\d.]+\s?(?:ms|[hms]|seconds?|minutes?)[\d.hms]*)", re.I
)
_DURATION = re.compile(r"([\d.]+)\s?(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Failed(Exception):
    """An attempt that may be repeated; the message says what happened.

    Attributes:
        wait: seconds that the server asks to wait; None where it does not say.
        billed: whether the server may charge for it all the same.
        reached: whether there was a connection at all.
    """

    def __init__(self, message: str, *, wait: float | None = None, billed: bool = False, reached: bool = True) -> None:
        super().__init__(message)
        self.wait, self.billed, self.reached = wait, billed, reached


class Rejected(Exception):
    """The server will not answer this request, however often it is sent (a prompt too long, a parameter unknown).

    Attributes:
        own: it is this prompt alone that a filter refuses; that says nothing of the others.
    """

    def __init__(self, message: str, *, own: bool = False) -> None:
        super().__init__(message)
        self.own = own


def refusal(
    status: int, said: str, body: Any, headers: Mapping[str, str], *, url: str, key_env: str, answered: bool
) -> Exception:
    """What a status other than 200 means.

    Args:
        said: the server's words, fit for a terminal.
        body: the whole of them.
        answered: the server has answered another request.
    """
    told = f"status {status}: {said}"
    if 300 <= status < 400:
        where = headers.get("location", "") or "elsewhere"
        return AurifyError(f"{url}: status {status}: it sends requests on to {where}: give its address to --api")
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(str(body))):
        return AurifyError(f"{url}: {told}; add credit, then run the same command again")
    if status in (400, 403) and _FILTERED.search(str(body)):
        return Rejected(told, own=True)
    if status == 401 or (status in FATAL and not answered):
        return AurifyError(f"{url}: {told}{_hint(status, said, key_env)}")
    if status in RETRIED or status >= 500:
        wait = asked_wait(headers, limited=status == 429)
        return Failed(told, wait=wait if wait is not None else _told_wait(str(body)))
    return Rejected(told)


def _hint(status: int, said: str, key_env: str) -> str:
    if status in (401, 403):
        return f"; is the right key in {key_env}?"
    if status == 404 and re.search(r"\bmodel\b", said, re.IGNORECASE):
        return "; --model is the server's own name of it"
    return "; is --api the URL up to /v1?"


def complaint(body: Any) -> str:
    """What a refusal says, out of the forms that servers wrap it in."""
    if isinstance(body, list) and body:  # Gemini's
        return complaint(body[0])
    if isinstance(body, Mapping):
        if isinstance(body.get("loc"), list) and "msg" in body:  # pydantic's, of FastAPI and Mistral
            return f"{'.'.join(map(str, body['loc']))}: {body['msg']}"
        raw = metadata.get("raw") if isinstance(metadata := body.get("metadata"), Mapping) else None
        if isinstance(raw, str) and raw.strip():  # OpenRouter's, of the provider behind it
            return f"{complaint(body.get('message'))}: {complaint(raw)}"
        for name in ("error", "message", "detail", "msg"):
            if found := complaint(body.get(name)):
                return found
        return str(dict(body)) if body else ""
    text = "" if body is None else str(body).strip()
    if "<" in text[:200] and (title := _TITLE.search(text)):
        return " ".join(unescape(_TAG.sub(" ", title[2])).split())
    return text


def asked_wait(headers: Mapping[str, str], *, limited: bool = False) -> float | None:
    """Seconds that a server asks to wait: ``Retry-After``, a number or a date (RFC 9110, 10.2.3), or its like.

    Args:
        limited: a rate limit was met, so that what says when it is lifted counts too (``x-ratelimit-reset-...``).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, unit * float(headers.get(name, "")))
        except ValueError:
            pass
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return _until_reset(headers) if limited else None


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limits are lifted of which nothing remains; where none says so, the first of all."""
    resets = {name.lower(): value for name, value in headers.items() if "ratelimit" in name.lower()}
    waits = {name: wait for name, value in resets.items() if "reset" in name and (wait := _seconds(value)) is not None}
    used_up = [
        wait for name, wait in waits.items() if resets.get(name.replace("reset", "remaining"), "").strip() == "0"
    ]
    return max(used_up) if used_up else min(waits.values(), default=None)


def _seconds(text: str) -> float | None:
    """``6m0s``, ``120ms``, ``7.5``, or a point in time: Unix seconds or milliseconds, ISO 8601."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        at = number / 1000 if number > 1e11 else number
        return max(0.0, at - time() if at > 5e8 else at)
    try:
        if parts := _DURATION.findall(text):
            return sum(float(number) * _SECONDS[unit] for number, unit in parts)
        return max(0.0, datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() - time())
    except (ValueError, OverflowError):
        return None


def _told_wait(body: str) -> float | None:
    """What the words themselves ask for: ``Please try again in 20s`` (OpenAI, Groq, Gemini)."""
    found = _TRY_AGAIN.search(body)
    return None if found is None else _seconds(found[1])
