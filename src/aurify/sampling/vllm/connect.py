"""From settings to a sampler: running servers or one of our own, the right model on them, all undone after."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch

from aurify.errors import AurifyError, UsageError
from aurify.models.eos import eos_ids
from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.endpoints import VllmEndpoint
from aurify.sampling.vllm.http import Http, Refused, Unreachable
from aurify.sampling.vllm.publish import AdapterPublisher, WeightsPublisher, load_adapter, unload_adapter
from aurify.sampling.vllm.served import Served, served_model
from aurify.sampling.vllm.server import ServerPlan, VllmServer
from aurify.sampling.vllm.source import largest_rank, read_source, tokenizer_of
from aurify.sampling.vllm.trained import Publication, Publisher, TrainedSampler, save_plain
from aurify.sampling.vllm.untied import save_untied, ties_output

KEY_VARIABLE = "VLLM_API_KEY"
TIMEOUT_SECONDS = 1800.0
"""How long an answer may take: a long sample among many on a slow machine."""


class Link(NamedTuple):
    """What every process of a run must know to use its servers; the token names what the run leaves there."""

    urls: tuple[str, ...]
    key: str
    token: str


@contextmanager
def trained_sampler(
    model: Any,
    tokenizer: Any,
    *,
    name: str,
    urls: Sequence[str] = (),
    dtype: str = "float32",
    log: Path | None = None,
    folder: Path | None = None,
    once: Callable[[Callable[[], Any]], Any] = lambda start: start(),
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[TrainedSampler]:
    """A sampler of a model that is trained, full or LoRA, over the servers at ``urls`` or one started for it.

    Args:
        name: the ``--model`` that it was loaded from.
        log: what takes the words of a server that is started.
        folder: the run's, through which weights go to servers that were not started here.
        once: calls its argument in one process of a run and gives its result to all.
        say: is told when a server is left out.

    Raises:
        UsageError: a model of a kind that vLLM does not serve.
        AurifyError: the server is not reached, does not start, or serves another model.
    """
    base, rank = read_source(name).base, _trained_rank(model)
    untied = not urls and not rank and not _on_gpu() and ties_output(model)
    with ExitStack() as stack:
        own: list[VllmServer] = []

        def start() -> Link:
            token = secrets.token_hex(4)
            if urls:
                return Link(tuple(urls), os.environ.get(KEY_VARIABLE, ""), token)
            plan = _plan(base, dtype, rank)
            if untied:
                folder = stack.enter_context(TemporaryDirectory(prefix="aurify-untied-"))
                save_untied(model, folder)
                plan = plan._replace(weights=folder)
            own.append(stack.enter_context(VllmServer(plan, log=log)))
            return Link((own[0].http.url,), own[0].key, token)

        link: Link = once(start)
        found = _servers(link.urls, link.key, base)
        endpoints = [VllmEndpoint(http, served.name, own[0].explain if own else None) for http, served in found]
        sampler = VllmSampler(
            endpoints, tokenizer, eos=eos_ids(model, tokenizer), max_length=_shortest(found), say=say
        )  # fmt: skip
        stack.callback(sampler.close)
        publishers: list[Publisher] = [
            AdapterPublisher(http, link.token) if rank else WeightsPublisher(http, served) for http, served in found
        ]
        place = None
        if urls:
            place = Path(os.path.abspath(folder)) if folder else None
            for publisher in publishers:
                stack.callback(publisher.close)
        save = save_untied if untied else save_plain
        lowest = dtype if dtype != "float32" else str(next(model.parameters()).dtype).removeprefix("torch.")
        yield TrainedSampler(
            sampler, Publication(publishers, save, place, once), model, tokenizer.pad_token_id,
            getattr(torch, lowest),
        )  # fmt: skip


@contextmanager
def fixed_sampler(
    name: str,
    *,
    urls: Sequence[str] = (),
    dtype: str = "float32",
    log: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[tuple[VllmSampler, Any]]:
    """A sampler of the ``--model`` as it stands, and its tokenizer; no weights are loaded here.

    Raises as :func:`trained_sampler` does.
    """
    source = read_source(name)
    tokenizer, eos = tokenizer_of(source)
    with ExitStack() as stack:
        server = None if urls else stack.enter_context(VllmServer(_plan(source.base, dtype, source.rank), log=log))
        places = ((server.http.url,), server.key) if server else (tuple(urls), os.environ.get(KEY_VARIABLE, ""))
        found = _servers(*places, source.base)
        endpoints = [VllmEndpoint(http, served.name, server.explain if server else None) for http, served in found]
        sampler = VllmSampler(
            endpoints, tokenizer, eos=eos, max_length=_shortest(found), progress=progress, say=say
        )  # fmt: skip
        stack.callback(sampler.close)
        if source.adapter:
            adapter = f"aurify-{secrets.token_hex(4)}"
            for endpoint in endpoints:
                load_adapter(endpoint.http, adapter, source.adapter)
                stack.callback(unload_adapter, endpoint.http, adapter)
                endpoint.model = adapter
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


def _servers(urls: Sequence[str], key: str, base: str) -> list[tuple[Http, Served]]:
    """Every server, and the base model as it serves it."""
    every = [Http(url, key=key, timeout=TIMEOUT_SECONDS) for url in dict.fromkeys(urls)]
    return [(http, _first_contact(http, base)) for http in every]


def _shortest(found: Sequence[tuple[Http, Served]]) -> int | None:
    """Tokens that all the servers take."""
    return min((served.max_length for _, served in found if served.max_length is not None), default=None)


def _first_contact(http: Http, wanted: str) -> Served:
    try:
        return served_model(http, wanted)
    except Unreachable as error:
        raise AurifyError(f"--vllm-url {error}: start the server, or leave --vllm-url out for one of our own") from None
    except Refused as error:
        hint = f"; is {KEY_VARIABLE} set?" if error.status in (401, 403) else ": is it a vLLM server?"
        raise AurifyError(f"--vllm-url {error}{hint}") from None
