"""Where a server is, and the key to it."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from aurify.errors import UsageError

OPENAI = "https://api.openai.com/v1"
_API_VERSION = re.compile(r"(?:api-version=[\w.-]+)?")


def server_url(named: str, flag: str) -> str:
    """The URL of a server that a flag names.

    Raises:
        UsageError: it is no URL.
    """
    try:
        return OPENAI if named == "openai" else written_url(named)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def written_url(url: str) -> str:
    """A server's URL as it is written down: up to ``/v1``, without the endpoint; Azure's with its ``api-version``.

    Raises:
        ValueError: it is none, or holds what must not be written down.
    """
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port or an IPv6 address that is none
        whole = False
    if not whole:
        raise ValueError("expected a URL such as http://127.0.0.1:8000/v1, or 'openai'")
    if parts.username or parts.password or not _API_VERSION.fullmatch(parts.query):
        raise ValueError("a URL with a name, a password or a query would be written down: leave it out")
    path = parts.path.rstrip("/").removesuffix("/completions").removesuffix("/chat")
    return parts._replace(path=path, fragment="").geturl()


def api_key(url: str, key_env: str | None, flag: str) -> tuple[str, str | None]:
    """The environment variable that holds a key, and the key. OpenAI's is never sent to anybody else unasked.

    Raises:
        UsageError: the server needs one and there is none, or it cannot be sent.
    """
    name = key_env or ("OPENAI_API_KEY" if url == OPENAI else "AURIFY_API_KEY")
    key = os.environ.get(name, "").strip() or None
    if key is None and url and (key_env or url == OPENAI):
        raise UsageError(f"{flag} {url}: no key: put it in the environment variable {name}")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {name} holds characters that no header can: set it again")
    return name, key
