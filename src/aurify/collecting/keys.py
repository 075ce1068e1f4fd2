"""Where a server is, and the key to it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from aurify.errors import UsageError

OPENAI = "https://api.openai.com/v1"


def server_url(named: str, flag: str) -> str:
    """The URL of a server that a flag names.

    Raises:
        UsageError: it is no URL.
    """
    url = OPENAI if named == "openai" else named
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{flag} {named}: expected a URL such as http://127.0.0.1:8000/v1, or 'openai'")
    if parts.username or parts.password or parts.query:
        raise UsageError(f"{flag}: a URL with a name, a password or a query would be written down: leave it out")
    return url.rstrip("/")


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
