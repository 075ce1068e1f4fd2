"""The decode loop of the local sampler: prompts wait, are prefilled once each, and their samples decode as rows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

from aurify.errors import AurifyError
from aurify.models.prefix import n_virtual_tokens, next_token_logits, position_limit
from aurify.sampling.cache import gather, new_cache
from aurify.sampling.draw import draw_tokens
from aurify.sampling.protocol import Completion, Prompt
from aurify.sampling.rows import Rows
from aurify.sampling.stop import decode, eos_ids, first_stop, tokens_to_stop

_PREFILL_TOKENS = 16_384  # padded prompt tokens in one forward pass
_REFILL_SHARE = 4  # rows leave, and new ones enter, once one in so many is free
_STOP_EVERY = 8  # steps between two looks for stop strings; what was drawn past one is cut off exactly
_MASK_AHEAD = 256  # columns of the mask that are made in advance


class Decoding:
    """One call of ``LocalSampler.sample``, whose arguments these are."""

    def __init__(
        self,
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
    ) -> None:
        self.model, self.tokenizer, self.prompts = model, tokenizer, prompts
        self.max_new_tokens, self.temperature, self.stop = max_new_tokens, temperature, stop
        self.max_rows, self.max_cache_tokens, self.progress = max_rows, max_cache_tokens, progress
        self.device = next(model.parameters()).device
        self.n_virtual = n_virtual_tokens(self.model)
        self.last_position = (position_limit(self.model) or 2**31) - 1
        self.eos_ids = eos_ids(self.model, self.tokenizer)
        self.is_eos_V = torch.empty(0)
        # Longest prompts first: neighbours in a prefill are alike, and memory is shortest at the start, not later.
        order = sorted(
            (i for i, prompt in enumerate(prompts) if prompt.seeds), key=lambda i: -len(prompts[i].token_ids)
        )
        self.waiting = deque(order)
        self.prefilled: _Prefilled | None = None
        self.done: list[list[Completion | None]] = [[None] * len(prompt.seeds) for prompt in prompts]
        self.n_done = 0
        self.rows: Rows | None = None
        self.cache: Cache = new_cache()
        self.position_R = self.mask_RC = torch.empty(0)
        self.columns = 0

    def run(self) -> list[list[Completion]]:
        self._refill()
        step = 0
        while self.rows is not None:
            self._step(self.rows)
            step += 1
            if self.stop and step % _STOP_EVERY == 0:
                self._end_at_stop_strings(self.rows)
            n_alive = int(self.rows.alive_R.sum())
            if n_alive == 0 or len(self.rows) - n_alive >= max(1, len(self.rows) // _REFILL_SHARE):
                self._refill()
        return [[completion for completion in row if completion is not None] for row in self.done]

    def _step(self, rows: Rows) -> None:
        """Feed every row its last token, and draw the next."""
        self.columns += 1
        if self.columns > self.mask_RC.shape[1]:
            self.mask_RC = nn.functional.pad(self.mask_RC, (0, _MASK_AHEAD), value=1)
        logits_R1V = next_token_logits(
            self.model,
            rows.token_R[:, None],
            keep=1,
            attention_mask=self.mask_RC[:, : self.columns],
            position_ids=self.position_R[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        # Rows that are done run on until they are dropped: their positions must stay within the model's.
        self.position_R = (self.position_R + 1).clamp_(max=self.last_position)
        token_R, logprob_R = draw_tokens(logits_R1V[:, -1], rows.next_uniforms(), self.temperature)
        rows.record(token_R, logprob_R, self.is_eos_V)

    def _refill(self) -> None:
        """Hand over the rows that are done, drop them from the cache, and put waiting samples in their place."""
        parts: list[tuple[Cache, Tensor]] = []
        rows: list[Rows] = []
        if self.rows is not None:
            self._hand_over(self.rows.select((~self.rows.alive_R).nonzero()[:, 0]))
            alive = self.rows.alive_R.nonzero()[:, 0]
            if len(alive):
                rows.append(self.rows.select(alive))
                parts.append((self.cache, alive))
        while (self.waiting or self.prefilled) and (free := self._capacity(rows) - sum(map(len, rows))) > 0:
            source = self.prefilled or self._prefill(free)
            new, kept = self._first_tokens(source, free)
            self.prefilled = source if source.jobs else None
            if len(new):
                rows.append(new)
                parts.append((source.cache, kept))
        self.rows = rows[0].join(rows[1:]) if rows else None
        self.cache = new_cache()
        if self.rows is None:
            return
        # The newest token is not fed yet, so a row holds one position fewer than its tokens.
        held_R = self.rows.length_R + self.rows.count_R - 1
        self.columns = int(held_R.max())
        self.cache = gather(parts, self.columns)
        self.position_R = held_R
        self.mask_RC = _mask(held_R, self.columns, self.columns + _MASK_AHEAD)

    def _capacity(self, rows: Sequence[Rows]) -> int:
        """How many rows fit, were the longest of them to reach its limit. Prompts come longest first."""
        budget = self.max_cache_tokens
        if budget is None:
            return self.max_rows
        if rows:
            longest = max(int(part.length_R.max()) for part in rows)
        elif self.prefilled:
            longest = int(self.prefilled.held_Q.max())
        else:
            longest = self.n_virtual + len(self.prompts[self.waiting[0]].token_ids)
        return min(self.max_rows, max(1, budget // (longest + self.max_new_tokens)))

    def _prefill(self, n_samples: int) -> _Prefilled:
        """Run the next prompts, as many as ``n_samples`` need, once each; their caches serve all their samples."""
        chosen: list[int] = []
        wanted = 0
        while self.waiting and wanted < n_samples:
            longest = self.n_virtual + len(self.prompts[(chosen or self.waiting)[0]].token_ids)
            if chosen and (len(chosen) + 1) * longest > _PREFILL_TOKENS:
                break
            chosen.append(self.waiting.popleft())
            wanted += len(self.prompts[chosen[-1]].seeds)
        lengths = [self.n_virtual + len(self.prompts[i].token_ids) for i in chosen]
        columns = max(lengths)
        ids_QC = torch.zeros(len(chosen), columns, dtype=torch.long)
        for row, index in enumerate(chosen):
            ids_QC[row, columns - len(self.prompts[index].token_ids) :] = torch.tensor(self.prompts[index].token_ids)
        held_Q = torch.tensor(lengths, device=self.device)
        cache = new_cache()
        logits_Q1V = next_token_logits(
            self.model,
            ids_QC.to(self.device),
            soft_prompt_at_B=columns - held_Q,
            keep=1,
            attention_mask=_mask(held_Q, columns, columns),
            position_ids=(torch.arange(columns, device=self.device) - (columns - held_Q)[:, None]).clamp_(min=0),
            past_key_values=cache,
            use_cache=True,
        )
        if not len(self.is_eos_V):
            n_vocabulary = logits_Q1V.shape[-1]
            self.is_eos_V = torch.zeros(n_vocabulary, dtype=torch.bool, device=self.device)
            self.is_eos_V[[i for i in self.eos_ids if 0 <= i < n_vocabulary]] = True
        seeds = [(row, index, self.prompts[index].seeds) for row, index in enumerate(chosen)]
        jobs = deque((row, index, k, seed) for row, index, many in seeds for k, seed in enumerate(many))
        return _Prefilled(cache, logits_Q1V[:, -1], held_Q, jobs)

    def _first_tokens(self, source: _Prefilled, n: int) -> tuple[Rows, Tensor]:
        """Begin the next ``n`` samples of prefilled prompts: rows still alive, and the cache rows they continue."""
        jobs = [source.jobs.popleft() for _ in range(min(n, len(source.jobs)))]
        at = torch.tensor([job[0] for job in jobs], device=self.device)
        rows = Rows.begin([job[1:] for job in jobs], source.held_Q[at], self.max_new_tokens, len(self.is_eos_V))
        rows.record(*draw_tokens(source.logits_QV[at], rows.next_uniforms(), self.temperature), self.is_eos_V)
        self._hand_over(rows.select((~rows.alive_R).nonzero()[:, 0]))
        alive = rows.alive_R.nonzero()[:, 0]
        return rows.select(alive), at[alive]

    def _end_at_stop_strings(self, rows: Rows) -> None:
        """End the rows whose newest text holds a stop string; where exactly is settled when they are handed over."""
        window = _STOP_EVERY + 8 + 2 * max(len(word.encode()) for word in self.stop)
        alive = rows.alive_R.nonzero()[:, 0]
        newest = zip(rows.tokens_RM[alive].tolist(), rows.count_R[alive].tolist(), strict=True)
        found = [
            first_stop(decode(self.tokenizer, tokens[max(0, count - window) : count]), self.stop) is not None
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
            self.done[prompt][sample] = self._completion(tokens[:count], logprobs[:count])
        self.n_done += len(rows)
        if self.progress is not None and len(rows):
            self.progress(self.n_done, sum(map(len, self.done)))

    def _completion(self, tokens: list[int], logprobs: list[float]) -> Completion:
        if not math.isfinite(logprobs[-1]):
            raise AurifyError(
                f"the model's logits are not finite (token {len(tokens)} of a sample): "
                "its weights have diverged, or overflow in this dtype; load an earlier checkpoint, or use float32"
            )
        at_stop = tokens_to_stop(self.tokenizer, tokens, self.stop)
        if at_stop is not None:
            tokens, logprobs = tokens[:at_stop], logprobs[:at_stop]
        text = decode(self.tokenizer, tokens)
        if at_stop is not None:
            text = text[: first_stop(text, self.stop)]
        ended = at_stop is not None or tokens[-1] in self.eos_ids
        return Completion(tuple(tokens), text, math.fsum(logprobs), "stop" if ended else "length")


@dataclass
class _Prefilled:
    """Prompts that ran once: cache and next-token logits a prompt, and the samples that are still to begin.

    A job is (row of the cache, prompt index, sample index, seed).
    """

    cache: Cache
    logits_QV: Tensor
    held_Q: Tensor
    jobs: deque[tuple[int, int, int, int]]


def _mask(held_R: Tensor, columns: int, width: int) -> Tensor:
    """1 where a row aligned at the right of ``columns`` columns holds a token, or will hold one; shape (R, width)."""
    return (torch.arange(width, device=held_R.device) >= (columns - held_R)[:, None]).long()
