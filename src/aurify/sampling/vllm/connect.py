"""From settings to a sampler: a running server or one of our own, the right model on it, all undone after."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch

from aurify.errors import AurifyError, UsageError
from aurify.models.eos import eos_ids
from aurify.sampling.agreement import limit_of
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.http import Http, Refused, Unreachable
from aurify.sampling.vllm.publish import AdapterPublisher, WeightsPublisher, load_adapter, save_plain, unload_adapter
from aurify.sampling.vllm.served import Served, served_model
from aurify.sampling.vllm.server import ServerPlan, VllmServer
from aurify.sampling.vllm.source import largest_rank, read_source, tokenizer_of
from aurify.sampling.vllm.trained import Publisher, TrainedSampler
from aurify.sampling.vllm.untied import save_untied, ties_output

KEY_VARIABLE = "VLLM_API_KEY"
TIMEOUT_SECONDS = 1800.0
"""How long an answer may take: a long sample among many on a slow machine."""


class Link(NamedTuple):
    """What every process of a run must know to use one server; the token names what the run leaves there."""

    url: str
    key: str
    token: str


@contextmanager
def trained_sampler(
    model: Any,
    tokenizer: Any,
    *,
    name: str,
    url: str | None = None,
    dtype: str = "float32",
    log: Path | None = None,
    once: Callable[[Callable[[], Link]], Link] = lambda start: start(),
) -> Iterator[TrainedSampler]:
    """A sampler of a model that is trained, full or LoRA, over the server at ``url`` or one started for it.

    Args:
        name: the ``--model`` that it was loaded from.
        log: what takes the words of a server that is started.
        once: calls its argument in one process of a run and gives its result to all.

    Raises:
        UsageError: a model of a kind that vLLM does not serve.
        AurifyError: the server is not reached, does not start, or serves another model.
    """
    base, rank = read_source(name).base, _trained_rank(model)
    untied = not url and not rank and not _on_gpu() and ties_output(model)
    with ExitStack() as stack:
        own: list[VllmServer] = []

        def start() -> Link:
            token = secrets.token_hex(4)
            if url:
                return Link(url, os.environ.get(KEY_VARIABLE, ""), token)
            plan = _plan(base, dtype, rank)
            if untied:
                folder = stack.enter_context(TemporaryDirectory(prefix="aurify-untied-"))
                save_untied(model, folder)
                plan = plan._replace(weights=folder)
            own.append(stack.enter_context(VllmServer(plan, log=log)))
            return Link(own[0].http.url, own[0].key, token)

        link = once(start)
        http = Http(link.url, key=link.key, timeout=TIMEOUT_SECONDS)
        served = _first_contact(http, base)
        sampler = VllmSampler(
            http, served.name, tokenizer, eos=eos_ids(model, tokenizer), max_length=served.max_length,
            explain=own[0].explain if own else None,
        )  # fmt: skip
        stack.callback(sampler.close)
        publisher: Publisher = (
            AdapterPublisher(http, link.token)
            if rank
            else WeightsPublisher(http, served, save_untied if untied else save_plain)
        )
        if url:
            stack.callback(publisher.close)
        lowest = dtype if dtype != "float32" else str(next(model.parameters()).dtype).removeprefix("torch.")
        limit = limit_of(getattr(torch, lowest))
        yield TrainedSampler(sampler, publisher, model, tokenizer.pad_token_id, limit)


@contextmanager
def fixed_sampler(
    name: str,
    *,
    url: str | None = None,
    dtype: str = "float32",
    log: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[VllmSampler, Any]]:
    """A sampler of the ``--model`` as it stands, and its tokenizer; no weights are loaded here.

    Raises as :func:`trained_sampler` does.
    """
    source = read_source(name)
    tokenizer, eos = tokenizer_of(source)
    with ExitStack() as stack:
        if url:
            server, http = None, Http(url, key=os.environ.get(KEY_VARIABLE, ""), timeout=TIMEOUT_SECONDS)
        else:
            server = stack.enter_context(VllmServer(_plan(source.base, dtype, source.rank), log=log))
            http = Http(server.http.url, key=server.key, timeout=TIMEOUT_SECONDS)
        served = _first_contact(http, source.base)
        sampler = VllmSampler(
            http, served.name, tokenizer, eos=eos, max_length=served.max_length,
            explain=server.explain if server else None, progress=progress,
        )  # fmt: skip
        stack.callback(sampler.close)
        if source.adapter:
            sampler.model = f"aurify-{secrets.token_hex(4)}"
            load_adapter(http, sampler.model, source.adapter)
            stack.callback(unload_adapter, http, sampler.model)
        yield sampler, tokenizer


def _plan(base: str, dtype: str, rank: int) -> ServerPlan:
    return ServerPlan(base, dtype, rank, _on_gpu())


def _on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _trained_rank(model: Any) -> int:
    """The LoRA rank of a model, 0 for full weights."""
    config = getattr(model, "active_peft_config", None)
    if config is None:
        return 0
    if str(getattr(config.peft_type, "value", config.peft_type)) != "LORA":
        raise UsageError("--sampler vllm: vLLM takes full weights and LoRA adapters, no soft prompts: --sampler local")
    return largest_rank(config.to_dict())


def _first_contact(http: Http, wanted: str) -> Served:
    try:
        return served_model(http, wanted)
    except Unreachable as error:
        raise AurifyError(f"--vllm-url {error}: start the server, or leave --vllm-url out for one of our own") from None
    except Refused as error:
        hint = f"; is {KEY_VARIABLE} set?" if error.status in (401, 403) else ": is it a vLLM server?"
        raise AurifyError(f"--vllm-url {error}{hint}") from None
