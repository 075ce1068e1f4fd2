"""Sample from a Hugging Face causal LM in this process: exact, seeded a sample, finished rows dropped."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from aurify.clock import Clock
from aurify.errors import AurifyError, UsageError, out_of_memory
from aurify.models.heap import blocks_together, give_back
from aurify.models.memory import available, cache_bytes
from aurify.models.prefix import causal_lm, keeps_states, n_virtual_tokens, position_limit, takes_cache
from aurify.sampling.agreement import Agreement, ScoredDraw
from aurify.sampling.decoding import Decoding
from aurify.sampling.engine import Engine
from aurify.sampling.fused import FusedEngine, weights_of
from aurify.sampling.general import GeneralEngine
from aurify.sampling.protocol import Completion, OnCompletion, Prompt, advice_on_length, check_request
from aurify.sampling.rerun import RerunEngine

MAX_ROWS = 256
"""Samples that decode at once, where nothing else is said."""
_SHARE = 0.6
"""Of the free memory that a cache may take; the rest is for copies while rows come and go, and for logits."""


class LocalSampler:
    """Draws completions from ``model``, which may carry a LoRA adapter or a soft prompt, on the device it is on.

    At temperature 1 the draws are exact samples of the model: nothing is truncated or penalised, and the
    generation config is read for its EOS ids alone. Token t of a sample is decided by its own share of the
    uniforms of the sample's own seed, so a completion depends neither on what it is batched with nor on the batch
    size, but for float noise, which in float32 flips about one token in a million (see ``draw``).
    Log-probabilities are the model's at temperature 1, at any temperature.

    Args:
        model: any causal LM of transformers; one without a key-value cache is slow (see ``rerun``). It samples in
            evaluation mode, then returns to the mode it was in.
        tokenizer: decodes the text, and names an EOS id.
        max_rows: how many samples decode at once.
        max_cache_tokens: bound on rows times columns of the cache, and so on its memory, prompts that wait beside it
            not counted; one row always runs [as many as fit into what is free].
        fused: take the fast path where the model allows it (see ``fused``); the samples are the same without it.
        dtype: compute in this one [the weights' own]. In bfloat16 the samples are no exact ones of a float32 model any
            more, only nearly, and ``logprob`` is what they were drawn with.
        progress: called with (completions done, completions asked): none at the beginning, then as they finish.
        clock: is told the seconds and tokens of "prefill" and "decode".
        agreement: compares the first call's log-probabilities with the trainer's, and the next one's after each
            :meth:`compare_next`.
        say: is told where memory runs out.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        *,
        max_rows: int = MAX_ROWS,
        max_cache_tokens: int | None = None,
        fused: bool = True,
        dtype: torch.dtype | None = None,
        progress: Callable[[int, int], None] | None = None,
        clock: Clock | None = None,
        agreement: Agreement | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        if max_rows < 1:
            raise UsageError(f"max_rows is {max_rows}, and must be at least 1")
        self.model = model
        self.tokenizer = tokenizer
        self.max_rows = max_rows
        self.max_cache_tokens = max_cache_tokens
        self.fused = fused
        self.dtype = dtype
        self.progress = progress
        self.clock, self.say = clock or Clock(), say
        self._told_slow = self._told_few = False
        self._agreement, self._compares = agreement, agreement is not None

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
        on_completion: OnCompletion | None = None,
    ) -> list[list[Completion]]:
        """One list a prompt, one completion a seed, in the order given. Temperature 0 is greedy.

        A sample that writes a stop string ends with the token that completes it; ``text`` is cut before the string,
        ``token_ids`` and ``logprob`` hold exactly what was drawn.

        Raises:
            UsageError: a temperature, a length or a stop string that means nothing.
            AurifyError: an empty prompt, more tokens than the model has positions, or logits that are not finite.
        """
        _check(self.model, prompts, max_new_tokens, temperature, stop)
        draw = partial(self._draw, prompts, max_new_tokens, temperature, tuple(stop))
        asked = sum(len(prompt.seeds) for prompt in prompts)
        if self.progress is not None:
            self.progress(0, asked)
        drawn = self._what_fits(draw, on_completion, asked)
        if self._agreement is not None and self._compares and any(drawn):
            self._compares = False
            with _evaluating(self.model):
                self._agreement.compare(
                    [
                        ScoredDraw(prompt.token_ids, one.token_ids, one.token_logprobs)
                        for prompt, row in zip(prompts, drawn, strict=True)
                        for one in row
                    ]
                )
        give_back(self.model)
        return drawn

    def compare_next(self) -> None:
        """See ``Compared``."""
        self._compares = True

    def report(self) -> dict[str, Any]:
        """See ``Compared``."""
        return self._agreement.report() if self._agreement is not None else {}

    def engine(self, prompts: Sequence[Prompt], max_new_tokens: int) -> Engine:
        """What computes the logits for these prompts: the fast path where the model allows it."""
        weights = weights_of(self.model, self.dtype) if self.fused and prompts else None
        if weights is None:
            self._tell_slow(bool(self.fused and prompts))
            return engine_of(self.model)(self.model)
        return FusedEngine(self.model, weights, [prompt.token_ids for prompt in prompts], max_new_tokens)

    def _room(self, engine: Engine, prompts: Sequence[Prompt], max_new_tokens: int) -> int | None:
        """Tokens that the cache may hold: as many as were told, else as fit into what is free.

        A CPU's memory that runs out is no error: the process is killed. What is free is rounded to a power of two, so
        that a repeated call mostly draws as many samples at once.
        """
        if self.max_cache_tokens is not None or isinstance(engine, RerunEngine):
            return self.max_cache_tokens
        free, a_token = available(), cache_bytes(self.model, self.dtype or next(self.model.parameters()).dtype)
        if free is None or not a_token:
            return None
        room = 1 << (max(1, int(_SHARE * free / a_token)).bit_length() - 1)
        longest = max((len(prompt.token_ids) for prompt in prompts), default=0) + max_new_tokens
        asked, rows = sum(len(prompt.seeds) for prompt in prompts), max(1, room // longest)
        if rows < min(asked, self.max_rows) and not self._told_few:
            self._told_few = True
            one = f"one of {longest} tokens may hold {_size(longest * a_token)}"
            self.say(f"samples drawn at a time: at most {rows}, since {one}")
        return room

    def _tell_slow(self, surprising: bool) -> None:
        if surprising and not self._told_slow:
            self._told_slow = True
            self.say("samples are drawn by the model's own forward pass: its form has no faster way here")

    def _what_fits(
        self,
        draw: Callable[[OnCompletion | None], list[list[Completion]]],
        on_completion: OnCompletion | None,
        asked: int,
    ) -> list[list[Completion]]:
        """What ``draw`` gives; where memory runs out, again with half as many of the rows asked, from now on."""
        told: Counter[tuple[int, tuple[int, ...]]] = Counter()
        while True:
            before = told.copy()

            def once(index: int, completion: Completion, before: Counter[Any] = before) -> None:
                key = index, completion.token_ids
                if before[key]:  # the attempt before this one told of it
                    before[key] -= 1
                elif on_completion is not None:
                    told[key] += 1
                    on_completion(index, completion)

            try:
                return draw(once if on_completion else None)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error) or self.max_rows == 1:
                    raise
            self.max_rows = max(1, min(self.max_rows, asked) // 2)
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self.say(f"out of memory: drawn again with {self.max_rows} samples at a time, and so it goes on")

    def _draw(
        self,
        prompts: Sequence[Prompt],
        max_new_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        on_completion: OnCompletion | None,
    ) -> list[list[Completion]]:
        with _evaluating(self.model), torch.no_grad(), ExitStack() as stack:
            engine = self.engine(prompts, max_new_tokens)
            if isinstance(engine, FusedEngine):  # no tensor of it outlives this call, as one of a module's own could
                stack.enter_context(torch.inference_mode())
                stack.enter_context(blocks_together(self.model))  # other engines' caches grow: their blocks fit nowhere
            elif self.dtype is not None:  # the fused engine has weights of its own
                stack.enter_context(torch.autocast(next(self.model.parameters()).device.type, self.dtype))
            return Decoding(
                engine,
                self.model,
                self.tokenizer,
                prompts,
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                stop=stop,
                max_rows=self.max_rows,
                max_cache_tokens=self._room(engine, prompts, max_new_tokens),
                progress=self.progress,
                clock=self.clock,
                on_completion=on_completion,
            ).run()


def engine_of(model: nn.Module) -> type[GeneralEngine] | type[RerunEngine]:
    """What draws the model's completions where the fast path does not."""
    if not keeps_states(model):
        return GeneralEngine if takes_cache(model) else RerunEngine
    try:
        from aurify.sampling.states import StatesEngine, carries_states
    except ImportError:  # a transformers whose cache holds no states
        return RerunEngine
    return StatesEngine if carries_states(model) else RerunEngine


def reruns(model: nn.Module) -> bool:
    """Whether the model's completions are drawn without a cache, which takes long (see ``rerun``)."""
    return engine_of(model) is RerunEngine


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Every module in evaluation mode, so that dropout is off; then each as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _check(
    model: nn.Module, prompts: Sequence[Prompt], max_new_tokens: int, temperature: float, stop: Sequence[str]
) -> None:
    check_request(max_new_tokens, temperature, stop)
    if not prompts:
        return
    lm, n_virtual, limit = causal_lm(model), n_virtual_tokens(model), position_limit(model)
    widest = max(prompts, key=lambda prompt: len(prompt.token_ids) + prompt.most(max_new_tokens))
    longest, most = n_virtual + len(widest.token_ids), widest.most(max_new_tokens)
    if limit is not None and longest + most > limit:
        soft = f" ({n_virtual} of them a soft prompt)" if n_virtual else ""
        raise AurifyError(
            f"the longest prompt has {longest} tokens{soft}, and with {most} new ones would pass the model's "
            f"{limit} positions: {advice_on_length(limit - longest)}"
        )
    if n_virtual == 0 and any(not prompt.token_ids for prompt in prompts):
        raise AurifyError("a prompt is empty, so its first token has no probability; give at least a BOS token")
    n_embeddings = len(lm.get_input_embeddings().weight)
    largest = max((max(prompt.token_ids) for prompt in prompts if prompt.token_ids), default=0)
    if largest >= n_embeddings:
        raise AurifyError(
            f"token id {largest} is outside the model's {n_embeddings} embeddings: "
            "the tokenizer belongs to another model; load both from one folder"
        )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.0f} MiB"
