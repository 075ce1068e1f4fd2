"""A journal of completions: what a stopped command had drawn is there when it is given again.

A completion follows from the model, the prompt, the limits and its seed, whatever it is drawn beside (in float32, and
but for the last digits of its log-probability). So each one is written down as it comes, under a hash of all of these
but the model, and is not drawn again where it is found there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from aurify.errors import AurifyError, UsageError
from aurify.sampling.protocol import Completion, OnCompletion, Prompt, Sampler

JOURNAL = "drawn.jsonl"
"""The name of the file in the folder of what is being made."""


class Journal:
    """A sampler that writes down what another one draws, and gives what was written before.

    Args:
        sampler: draws.
        path: the file. Lines that a killed process left half written are left out.
        about: what everything in it was drawn by and for, as a hash; it is the first line.
        say: is told how many completions are there already.

    Raises:
        UsageError: what is in the file is about something else.
        AurifyError: it cannot be read or written.
    """

    def __init__(
        self, sampler: Sampler, path: Path, about: str = "", say: Callable[[str], None] = lambda text: None
    ) -> None:
        self.sampler, self.path = sampler, path
        head: dict[str, object] = {"about": about}
        self._head = json.dumps(head) + "\n"
        first, *lines = _lines(path) or [head]
        if first != head:
            raise UsageError(
                f"{path}: what was begun in this folder was of other weights, questions or settings: give the same "
                "command again, or choose another folder"
            )
        self._known = dict(filter(None, map(_read, lines)))
        self._file: TextIO | None = None
        try:
            with path.open("w", encoding="utf-8") as file:  # whole lines alone
                file.write(self._head)
                file.writelines(json.dumps(line) + "\n" for line in lines)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise AurifyError(f"{path}: cannot be written: {error.strerror}") from None
        if self._known:
            say(f"{len(self._known)} rationales that were drawn before the stop are not drawn again")

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
        on_completion: OnCompletion | None = None,
    ) -> list[list[Completion]]:
        """See ``Sampler``."""

        def key(prompt: Prompt, seed: int | None) -> str:
            how = (prompt.token_ids, seed, prompt.most(max_new_tokens), temperature, tuple(stop))
            return hashlib.blake2b(repr(how).encode(), digest_size=16).hexdigest()

        places, asked = [], []
        for index, prompt in enumerate(prompts):
            missing = []
            for seed in prompt.seeds:
                known = self._known.get(key(prompt, seed))
                if known is None:
                    missing.append(seed)
                elif on_completion:
                    on_completion(index, known)
            if missing:
                places.append(index)
                asked.append(replace(prompt, seeds=tuple(missing)))

        def came(place: int, completion: Completion) -> None:
            if completion.seed is not None:
                self._write(key(asked[place], completion.seed), completion)
            if on_completion:
                on_completion(places[place], completion)

        if asked:
            drawn = self.sampler.sample(
                asked, max_new_tokens=max_new_tokens, temperature=temperature, stop=stop, on_completion=came
            )
            for prompt, row in zip(asked, drawn, strict=True):
                for seed, completion in zip(prompt.seeds, row, strict=True):
                    self._write(key(prompt, seed), completion)
        return [[self._known[key(prompt, seed)] for seed in prompt.seeds] for prompt in prompts]

    def forget(self) -> None:
        """What is written down stands elsewhere now."""
        self._known.clear()
        if self._file:
            self._file.truncate(len(self._head))

    def end(self) -> None:
        """All is done: nothing is left of the journal."""
        self.close()
        with suppress(FileNotFoundError):
            self.path.unlink()

    def close(self) -> None:
        """Let the file go, for the next process that goes on."""
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, key: str, completion: Completion) -> None:
        if key in self._known or self._file is None:
            self._known.setdefault(key, completion)
            return
        self._known[key] = completion
        line = {
            "key": key, "token_ids": completion.token_ids, "text": completion.text, "logprob": completion.logprob,
            "finish_reason": completion.finish_reason,
        }  # fmt: skip
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise AurifyError(f"{self.path}: cannot be written: {os.strerror(error.errno or 0)}") from None


def _lines(path: Path) -> list[dict[str, object]]:
    """The whole lines of the file; none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AurifyError(f"{path}: cannot be read: {error.strerror}") from None
    found = []
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            if isinstance(value := json.loads(line), dict):
                found.append(value)
    return found


def _read(line: dict[str, object]) -> tuple[str, Completion] | None:
    """A completion and its key; None where the line is no such thing."""
    names = ("key", "token_ids", "text", "logprob", "finish_reason")
    key, ids, text, logprob, ended = (line.get(name) for name in names)
    if (
        isinstance(key, str)
        and isinstance(text, str)
        and isinstance(ids, list)
        and all(isinstance(id, int) for id in ids)
        and isinstance(logprob, float)
        and (ended == "stop" or ended == "length")
    ):
        return key, Completion(tuple(ids), text, logprob, ended)
    return None
