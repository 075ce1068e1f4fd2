"""Several vLLM servers of one model: each request goes to the one that owes fewest answers, and on, if it dies.

A server that does not answer is left out until weights have been brought to it again, since it may come back with
those that it started from.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aurify.sampling.vllm import wire
from aurify.sampling.vllm.http import Http, Refused, Unreachable

TRIES = 3
"""How often a request is sent whose connection breaks while the server lives."""
KNOCK_SECONDS = 5.0
"""Within which a server that lives says so."""


class VllmEndpoint:
    """A server, and the name under which it serves what is sampled.

    Args:
        explain: says, half a line, why it does not answer; without it the connection's own reason is told.
    """

    def __init__(self, http: Http, model: str, explain: Callable[[], str] | None = None) -> None:
        self.http, self.model, self.explain = http, model, explain
        self.owed = 0
        """Requests that it has not answered."""
        self.gone: Unreachable | None = None
        """Why nothing is asked of it any more."""

    def told(self) -> str:
        """Why it is gone, half a line."""
        if self.explain:
            return self.explain()
        return f"the vLLM server no longer answers: {self.gone}"


def lives(endpoint: VllmEndpoint) -> bool:
    """Whether a server answers when it is asked whether it is well."""
    try:
        endpoint.http.within(KNOCK_SECONDS).get("/health")
    except (Unreachable, Refused):
        return False
    return True


class Endpoints:
    """The servers, and who is asked next; safe to use from many threads.

    Args:
        say: is told when one is left out, and when it is back.
    """

    def __init__(self, every: Sequence[VllmEndpoint], say: Callable[[str], None] = lambda text: None) -> None:
        self.every, self._say = list(every), say
        self._lock = threading.Lock()

    def ask(self, body: Mapping[str, Any]) -> tuple[wire.ServedCompletion, VllmEndpoint]:
        """A sample, and who drew it.

        Raises:
            Unreachable: none of the servers is left.
            AurifyError: one refuses, or answers what is no sample.
        """
        tries = 0
        while True:
            chosen = self._least_busy()
            try:
                answer = chosen.http.post(wire.PATH, {**body, "model": chosen.model})
                return wire.read(answer, chosen.http.url), chosen
            except Unreachable as error:
                tries += 1
                if tries == TRIES or not lives(chosen):  # else it was the connection alone
                    self.lose(chosen, error)
            except (Refused, wire.BrokenOff) as error:
                if not self._may_go_to_another(chosen, error):
                    raise
                self.lose(chosen, Unreachable(str(error)))
            finally:
                with self._lock:
                    chosen.owed -= 1

    def lose(self, endpoint: VllmEndpoint, error: Unreachable) -> None:
        """Leave a server out."""
        with self._lock:
            known, endpoint.gone = endpoint.gone, endpoint.gone or error
            left = sum(one.gone is None for one in self.every)
        if left and not known:
            self._say(f"{endpoint.told()}; its requests go to the {left} left of {len(self.every)} servers")

    def find(self, endpoint: VllmEndpoint, model: str) -> None:
        """A server serves what is to be sampled, under this name."""
        if endpoint.gone:
            self._say(f"{endpoint.http.url}: answers again, and has the present weights")
        endpoint.model, endpoint.gone = model, None

    def present(self) -> list[VllmEndpoint]:
        """Those that are asked."""
        return [one for one in self.every if not one.gone]

    def _least_busy(self) -> VllmEndpoint:
        with self._lock:
            present = self.present()
            if not present:
                raise self.every[0].gone or Unreachable("no server")
            chosen = min(present, key=lambda one: one.owed)
            chosen.owed += 1
            return chosen

    def _may_go_to_another(self, endpoint: VllmEndpoint, error: Refused | wire.BrokenOff) -> bool:
        """Whether this is the server's own trouble, and others are left: it is ending, or has forgotten the model."""
        own = isinstance(error, wire.BrokenOff) or error.status == 404 or error.status >= 500
        return own and any(one is not endpoint for one in self.present())
