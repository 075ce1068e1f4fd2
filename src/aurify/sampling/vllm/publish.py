"""Give a server the weights of the model that is trained: an adapter is loaded beside the base, full weights over it.

Both go through a folder on a disk that the server reads too; for a small model that takes milliseconds. Every version
of an adapter has a name of its own, for under one name vLLM would keep answering from its prefix cache of the version
before, or read the folder again at every step (``load_inplace``).
"""

from __future__ import annotations

import time
from contextlib import suppress

from aurify.errors import AurifyError
from aurify.sampling.vllm.http import Http, Refused, Unreachable
from aurify.sampling.vllm.served import Served

RESET_SECONDS = 10.0


class AdapterPublisher:
    """Publishes a LoRA adapter; the one before it is taken away.

    Args:
        token: tells this run's adapters from those of others on the same server.
    """

    def __init__(self, http: Http, token: str) -> None:
        self._http, self._token, self._version = http, token, 0

    def load(self, folder: str) -> str:
        """Make the server serve the adapter in a folder; the name under which it does."""
        before, self._version = self._name(), self._version + 1
        load_adapter(self._http, self._name(), folder)
        if self._version > 1:
            unload_adapter(self._http, before)
        return self._name()

    def close(self) -> None:
        """Take the last adapter away."""
        if self._version:
            unload_adapter(self._http, self._name())

    def _name(self) -> str:
        return f"aurify-{self._token}-{self._version}"


class WeightsPublisher:
    """Publishes full weights over those that the server serves, and puts the server's own back at the end."""

    def __init__(self, http: Http, served: Served) -> None:
        self._http, self._served, self._changed = http, served, False

    def load(self, folder: str) -> str:
        """Make the server serve the weights in a folder; the name under which it does."""
        self._changed = True
        self._reload(folder)
        return self._served.name

    def close(self) -> None:
        """Reload the weights that the server came with: under their name nothing else must be served."""
        if self._changed:
            with suppress(AurifyError):
                self._reload(self._served.root)

    def _reload(self, path: str) -> None:
        try:
            self._http.post("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": path}})
        except Refused as error:
            raise AurifyError(_not_published(error, path, "VLLM_SERVER_DEV_MODE=1", "--tuning lora")) from None
        reset_prefix_cache(self._http)


def load_adapter(http: Http, name: str, folder: str) -> None:
    """Have the server load a PEFT folder and serve it as ``name``.

    Raises AurifyError where it does not, with what it must be started with.
    """
    try:
        http.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": folder})
    except Refused as error:
        flags = "--enable-lora, --max-lora-rank and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
        raise AurifyError(_not_published(error, folder, flags, "--sampler local")) from None


def reset_prefix_cache(http: Http) -> None:
    """Forget the keys and values that earlier weights computed.

    Raises AurifyError where the server keeps them: the samples would be of a mixture of two models.
    """
    deadline = time.monotonic() + RESET_SECONDS
    while http.post("/reset_prefix_cache") not in ({"success": True}, None):  # None: a server before 0.12
        if time.monotonic() > deadline:
            raise AurifyError(f"{http.url}/reset_prefix_cache: the server is in use by others; give this run its own")
        time.sleep(0.05)


def unload_adapter(http: Http, name: str) -> None:
    """Take an adapter away from a server; one that is gone, or a server that is, is no error."""
    with suppress(Refused, Unreachable):
        http.post("/v1/unload_lora_adapter", {"lora_name": name})


def _not_published(error: Refused, path: str, needed: str, instead: str) -> str:
    if error.status in (404, 405):
        return f"{error.url}: the server does not know this call: start it with {needed}, or train with {instead}"
    return f"{error} (it must be able to read {path}, and needs {needed})"
