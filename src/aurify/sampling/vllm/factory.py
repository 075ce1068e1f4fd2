"""``--sampler vllm``: a vLLM server draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from aurify.registry import setting
from aurify.sampling.factory import Occasion, SamplerFactory
from aurify.sampling.protocol import Sampler


def _several(value: Any) -> Any:
    """One address as a row of one."""
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True)
class Vllm(SamplerFactory):
    """A vLLM server over HTTP, a running one or one of the run's own: almost exact samples."""

    vllm_url: Annotated[tuple[str, ...], BeforeValidator(_several)] = setting(
        (), "A running vLLM server; repeat for several [one is started, and ends with the run]", may_change=True
    )
    follows: ClassVar[tuple[str, ...]] = ("full", "lora")
    apart: ClassVar[bool] = True

    @contextmanager
    def of_model(self, model: Any, tokenizer: Any, occasion: Occasion) -> Iterator[Sampler]:
        """A sampler that publishes the model's weights to the server."""
        from aurify.sampling.vllm import trained_sampler

        with trained_sampler(
            model, tokenizer, name=occasion.model, urls=self.vllm_url, dtype=occasion.dtype, log=_log(occasion),
            folder=occasion.folder, once=occasion.once, say=occasion.say,
        ) as sampler:  # fmt: skip
            yield sampler

    @contextmanager
    def of_name(self, occasion: Occasion) -> Iterator[tuple[Sampler, Any]]:
        """A sampler of what the server loads; no weights are loaded here."""
        from aurify.sampling.vllm import fixed_sampler

        with fixed_sampler(
            occasion.model, urls=self.vllm_url, dtype=occasion.dtype, log=_log(occasion), progress=occasion.progress,
            say=occasion.say,
        ) as found:  # fmt: skip
            yield found

    def declaration(self, occasion: Occasion) -> str:
        """Whose they are, and that they are not exact."""
        server = ", ".join(self.vllm_url) or "a server of its own"
        return (
            f"samples come from vLLM ({server}): almost those of the trained model, not exact; a training run says in "
            "its metrics.jsonl by how much the log-probabilities differ"
        )


def _log(occasion: Occasion) -> Path | None:
    return occasion.folder / "vllm.log" if occasion.folder else None
