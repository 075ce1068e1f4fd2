"""The cache: every sample that was paid for, and the ledger of every request that was sent, in one SQLite file.

A sample and the bill of its request are written in one transaction as soon as the response is there, so a process
that is killed loses the requests in flight and nothing else. A request stands in the ledger before it is sent: those
that a killed process left open count at the most they can have cost, since nobody knows whether they were billed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aurify.collecting.api.records import Reply, Usage
from aurify.errors import AurifyError

CACHE_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS samples (
    key TEXT PRIMARY KEY, text TEXT, refusal TEXT, finish_reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY, state TEXT NOT NULL,  -- open, paid, free (the server charged nothing), unknown
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost REAL NOT NULL  -- in USD
);
"""


@dataclass(frozen=True)
class Spent:
    """What a state of the ledger adds up to."""

    requests: int
    usage: Usage
    cost: float


class Cache:
    """The file at ``path``, made where there is none; None: in memory alone. One process at a time has it.

    Raises:
        AurifyError: another process has it, or it is no such file.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(":memory:" if path is None else path)  # SQLite's word
        if path is not None and not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # it holds prompts, which may be private; SQLite's other files follow
        try:
            self._db = sqlite3.connect(self.path, timeout=0.5, isolation_level=None)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > CACHE_VERSION:
                raise AurifyError(f"{self.path}: written by a newer aurify (cache version {version}): update aurify")
            self._db.executescript(f"{_SCHEMA} PRAGMA user_version = {CACHE_VERSION};")
            self._db.execute("UPDATE ledger SET state = 'unknown' WHERE state = 'open'")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise AurifyError(f"{self.path}: another process is at work on it; wait for its end") from None
            raise AurifyError(f"{self.path}: cannot be opened: {error}") from None
        except sqlite3.DatabaseError as error:
            raise AurifyError(f"{self.path}: not a cache of aurify: {error}; move it elsewhere") from None

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The samples that are here."""
        query = "SELECT text, refusal, finish_reason FROM samples WHERE key = ?"
        with self._told():
            rows = [(key, self._db.execute(query, (key,)).fetchone()) for key in keys]
        return {key: Reply(*row) for key, row in rows if row is not None}

    def open_request(self, bound: Usage, cost: float) -> int:
        """Write down a request that is about to be sent, at the most it can cost; its number in the ledger."""
        with self._told():
            row = self._db.execute(
                "INSERT INTO ledger (state, prompt_tokens, completion_tokens, cost) VALUES ('open', ?, ?, ?)",
                (*bound, cost),
            )
        assert row.lastrowid is not None
        return row.lastrowid

    def pay(self, number: int, usage: Usage, cost: float, replies: Mapping[str, Reply]) -> None:
        """Keep the samples of a response, by key, and what it cost: all or nothing."""
        with self._told(), self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?)",
                [(key, _plain(one.text), _plain(one.refusal), one.finish_reason) for key, one in replies.items()],
            )
            self._db.execute(
                "UPDATE ledger SET state = 'paid', prompt_tokens = ?, completion_tokens = ?, cost = ? WHERE id = ?",
                (*usage, cost, number),
            )

    def close_request(self, number: int, *, billed: bool) -> None:
        """Write down that a request failed: ``billed`` where the server may charge for it all the same."""
        with self._told():
            self._db.execute("UPDATE ledger SET state = ? WHERE id = ?", ("unknown" if billed else "free", number))

    def spent(self, *states: str) -> Spent:
        """The sum over the ledger's requests of these states."""
        marks = ", ".join("?" * len(states))
        query = (
            "SELECT COUNT(*), TOTAL(prompt_tokens), TOTAL(completion_tokens), TOTAL(cost) FROM ledger "
            f"WHERE state IN ({marks})"
        )
        with self._told():
            n, prompt, completion, cost = self._db.execute(query, states).fetchone()
        return Spent(n, Usage(int(prompt), int(completion)), cost)

    def close(self) -> None:
        """Give the file back."""
        with self._told():
            self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database cannot do, such as write to a full disk, as one line.

        Raises:
            AurifyError: naming the file.
        """
        try:
            yield
        except sqlite3.Error as error:
            raise AurifyError(
                f"{self.path}: {error}; what was paid for before is kept, and the same command goes on"
            ) from error


def _plain(text: str | None) -> str | None:
    """SQLite holds no lone surrogates; the rationale table spells them the same way."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()
