"""The decode loop of the local sampler: prompts wait, are prefilled once each, and their samples decode as rows."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.clock import Clock
from aurify.errors import AurifyError
from aurify.models.eos import eos_ids
from aurify.models.prefix import n_virtual_tokens
from aurify.models.vocabulary import n_ids
from aurify.pulse import give
from aurify.questions.special import text_of
from aurify.sampling.draw import draw_tokens
from aurify.sampling.engine import PREFILL_TOKENS, Engine, Prefilled
from aurify.sampling.protocol import Completion, OnCompletion, Prompt
from aurify.sampling.rows import Rows
from aurify.sampling.stop import first_stop, tokens_to_stop

_REFILL_SHARE = 6  # rows leave, and new ones enter, once one in this many is free
_TELL_EVERY = 4  # steps between two words on how many samples are done, though none was since
_STOP_EVERY = 8  # steps between two looks for stop strings; what was drawn past one is cut off exactly


class Decoding:
    """One call of ``LocalSampler.sample``, whose arguments these are."""

    def __init__(
        self,
        engine: Engine,
        model: nn.Module,
        tokenizer: Any,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        max_rows: int,
        max_cache_tokens: int | None,
        progress: Callable[[int, int], None] | None,
        clock: Clock,
        on_completion: OnCompletion | None,
    ) -> None:
        self.tokenizer, self.prompts = tokenizer, prompts
        self.max_new_tokens, self.temperature, self.stop = max_new_tokens, temperature, stop
        self.max_rows, self.max_cache_tokens, self.progress = max_rows, max_cache_tokens, progress
        self.clock, self.on_completion = clock, on_completion
        self.engine = engine
        self.device = next(model.parameters()).device
        self.n_virtual = n_virtual_tokens(model)
        self.eos_ids = eos_ids(model, tokenizer)
        self.n_ids = n_ids(model)
        self.is_eos_V = torch.empty(0)
        # Longest prompts first: neighbours in a prefill are alike, and memory is shortest at the start, not later.
        order = sorted(
            (i for i, prompt in enumerate(prompts) if prompt.seeds), key=lambda i: -len(prompts[i].token_ids)
        )
        self.waiting = deque(order)
        self.started: _Started | None = None
        self.done: list[list[Completion | None]] = [[None] * len(prompt.seeds) for prompt in prompts]
        self.n_done = 0
        self.rows: Rows | None = None

    def run(self) -> list[list[Completion]]:
        self._refill()
        step = 0
        while self.rows is not None:
            self._step(self.rows)
            step += 1
            if self.stop and step % _STOP_EVERY == 0:
                self._end_at_stop_strings(self.rows)
            if step % _TELL_EVERY == 0:  # the first of many rows may be whole after minutes
                self._tell()
            n_alive = int(self.rows.alive_R.sum())
            if n_alive == 0 or len(self.rows) - n_alive >= max(1, len(self.rows) // _REFILL_SHARE):
                self._refill()
        return [[completion for completion in row if completion is not None] for row in self.done]

    def _step(self, rows: Rows) -> None:
        """Feed every row its last token, and draw the next."""
        give("moved")
        begun = time.perf_counter()
        logits_RV = self.engine.step(rows.token_R)[:, : self.n_ids]
        rows.record(*draw_tokens(logits_RV, rows.next_uniforms(), self.temperature), self.is_eos_V)
        columns = int((rows.length_R + rows.count_R).sum())
        self.clock.add("decode", time.perf_counter() - begun, len(rows), columns)

    def _refill(self) -> None:
        """Hand over the rows that are done, drop them from the cache, and put waiting samples in their place."""
        alive_R = held_R = torch.zeros(0, dtype=torch.long, device=self.device)
        rows: list[Rows] = []
        if self.rows is not None:
            alive_R = self.rows.alive_R
            self._hand_over(self.rows.select((~alive_R).nonzero()[:, 0]))
            # The newest token is not fed yet, so a row holds one position fewer than its tokens.
            held_R = self.rows.length_R + self.rows.count_R - 1
            rows.append(self.rows.select(alive_R.nonzero()[:, 0]))
        added: list[tuple[Prefilled, Tensor]] = []
        while (self.waiting or self.started) and (free := self._capacity(rows) - sum(map(len, rows))) > 0:
            source = self.started or self._prefill(free)
            self._tell()
            new, at = self._first_tokens(source, free)
            self.started = source if source.jobs else None
            rows.append(new)
            added.append((source.prefilled, at))
        kept = self.engine.refill(alive_R.bool(), held_R, added)
        if self.rows is not None:
            rows[0] = self.rows.select(kept)
        rows = [part for part in rows if len(part)]
        self.rows = rows[0].join(rows[1:]) if rows else None

    def _capacity(self, rows: Sequence[Rows]) -> int:
        """How many rows fit, were the longest of them to reach its limit. Prompts come longest first."""
        if self.max_cache_tokens is None:
            return self.max_rows
        longest = max((int(part.length_R.max()) for part in rows if len(part)), default=0)
        if not longest:
            longest = int(self.started.prefilled.held_Q.max()) if self.started else self._length(self.waiting[0])
        return min(self.max_rows, max(1, self.max_cache_tokens // (longest + self.max_new_tokens)))

    def _length(self, index: int) -> int:
        return self.n_virtual + len(self.prompts[index].token_ids)

    def _prefill(self, n_samples: int) -> _Started:
        """Run the next prompts, as many as ``n_samples`` need, once each; their caches serve all their samples."""
        chosen: list[int] = []
        wanted = tokens = 0
        while self.waiting and wanted < n_samples:
            tokens += self._length(chosen[0] if chosen and self.engine.pads else self.waiting[0])
            if chosen and tokens > PREFILL_TOKENS:
                break
            chosen.append(self.waiting.popleft())
            wanted += len(self.prompts[chosen[-1]].seeds)
        with self.clock.measure("prefill", sum(map(self._length, chosen))):
            prefilled = self.engine.prefill([self.prompts[i].token_ids for i in chosen])
            prefilled.logits_QV = prefilled.logits_QV[:, : self.n_ids]
        if not len(self.is_eos_V):
            n_vocabulary = prefilled.logits_QV.shape[-1]
            self.is_eos_V = torch.zeros(n_vocabulary, dtype=torch.bool, device=self.device)
            self.is_eos_V[[i for i in self.eos_ids if 0 <= i < n_vocabulary]] = True
        seeds = [(row, index, self.prompts[index].seeds) for row, index in enumerate(chosen)]
        jobs = deque((row, index, k, seed) for row, index, many in seeds for k, seed in enumerate(many))
        return _Started(prefilled, jobs)

    def _first_tokens(self, source: _Started, n: int) -> tuple[Rows, Tensor]:
        """Begin the next ``n`` samples of prefilled prompts: rows still alive, and the prompt that each continues."""
        jobs = [source.jobs.popleft() for _ in range(min(n, len(source.jobs)))]
        at = torch.tensor([job[0] for job in jobs], device=self.device)
        limits = [self.prompts[index].most(self.max_new_tokens) for _, index, _, _ in jobs]
        rows = Rows.begin(
            [job[1:] for job in jobs], source.prefilled.held_Q[at], torch.tensor(limits, device=self.device),
            self.max_new_tokens, len(self.is_eos_V),
        )  # fmt: skip
        rows.record(*draw_tokens(source.prefilled.logits_QV[at], rows.next_uniforms(), self.temperature), self.is_eos_V)
        self._hand_over(rows.select((~rows.alive_R).nonzero()[:, 0]))
        alive = rows.alive_R.nonzero()[:, 0]
        return rows.select(alive), at[alive]

    def _end_at_stop_strings(self, rows: Rows) -> None:
        """End the rows whose newest text holds a stop string; where exactly is settled when they are handed over."""
        window = _STOP_EVERY + 8 + 2 * max(len(word.encode()) for word in self.stop)
        alive = rows.alive_R.nonzero()[:, 0]
        newest = zip(rows.tokens_RM[alive].tolist(), rows.count_R[alive].tolist(), strict=True)
        found = [
            first_stop(text_of(self.tokenizer, tokens[max(0, count - window) : count]), self.stop) is not None
            for tokens, count in newest
        ]
        rows.alive_R[alive] = ~torch.tensor(found, dtype=torch.bool, device=self.device)

    def _hand_over(self, rows: Rows) -> None:
        """Turn finished rows into completions, in their places."""
        for prompt, sample, count, tokens, logprobs in zip(
            rows.prompt_R.tolist(),
            rows.sample_R.tolist(),
            rows.count_R.tolist(),
            rows.tokens_RM.tolist(),
            rows.logprobs_RM.tolist(),
            strict=True,
        ):
            completion = self.done[prompt][sample] = self._completion(
                tokens[:count], logprobs[:count], self.prompts[prompt].seeds[sample]
            )
            if self.on_completion is not None:
                self.on_completion(prompt, completion)
        self.n_done += len(rows)
        if len(rows):
            self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.n_done, sum(map(len, self.done)))

    def _completion(self, tokens: list[int], logprobs: list[float], seed: int) -> Completion:
        if not math.isfinite(logprobs[-1]):
            raise AurifyError(
                f"the model's logits are not finite (token {len(tokens)} of a sample): "
                "its weights have diverged, or overflow in this dtype; load an earlier checkpoint, or use float32"
            )
        at_stop = tokens_to_stop(self.tokenizer, tokens, self.stop)
        if at_stop is not None:
            tokens, logprobs = tokens[:at_stop], logprobs[:at_stop]
        text = text_of(self.tokenizer, tokens)
        if at_stop is not None:
            text = text[: first_stop(text, self.stop)]
        ended = at_stop is not None or tokens[-1] in self.eos_ids
        return Completion(
            tuple(tokens), text, math.fsum(logprobs), "stop" if ended else "length", tuple(logprobs), seed
        )


@dataclass
class _Started:
    """Prompts that ran, and the samples of them still to begin: (index there, prompt index, sample index, seed)."""

    prefilled: Prefilled
    jobs: deque[tuple[int, int, int, int]]
