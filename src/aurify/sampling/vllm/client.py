"""Sample from a vLLM server: a request for each sample, many at once, answers in the order asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

from aurify.errors import AurifyError
from aurify.sampling.protocol import Completion, OnCompletion, Prompt, check_request
from aurify.sampling.stop import decode, first_stop
from aurify.sampling.vllm import wire
from aurify.sampling.vllm.http import Http, Unreachable

MAX_REQUESTS = 256
"""Requests in flight: as many as a vLLM server batches by default."""


class VllmSampler:
    """Draws completions from a vLLM server, by token ids, each with a seed of its own.

    Nothing is truncated or penalised. vLLM's arithmetic is not the trainer's, and depends on what it batches
    together: a draw repeats only nearly always, and is an exact sample of the server's model alone.

    Args:
        http: the server.
        model: the name under which it serves what is sampled; it may be changed between calls.
        tokenizer: decodes the text.
        eos: the token ids that end a sample.
        max_length: tokens that the server takes, prompt and completion together.
        explain: says, half a line, why the server does not answer; without it the connection's own reason is told.
        progress: called with (completions done, completions asked) as they finish.
    """

    def __init__(
        self,
        http: Http,
        model: str,
        tokenizer: Any,
        *,
        eos: Collection[int],
        max_length: int | None = None,
        explain: Callable[[], str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.http, self.model, self.tokenizer, self.eos = http, model, tokenizer, frozenset(eos)
        self.max_length, self.progress = max_length, progress
        self._explain = explain
        self._pool = ThreadPoolExecutor(MAX_REQUESTS, thread_name_prefix="vllm")

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

        ``on_completion`` is called with each, and the index of its prompt, while the others are being drawn.

        Raises:
            UsageError: a temperature, a length or a stop string that means nothing.
            AurifyError: the server does not answer, refuses, or cannot hold a prompt.
        """
        drawn = self.draw(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, stop=stop, on_completion=on_completion
        )
        return self.completions(prompts, drawn, stop)

    def draw(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float,
        stop: Sequence[str],
        on_completion: OnCompletion | None = None,
    ) -> list[wire.ServedCompletion]:
        """What :meth:`sample` draws, prompt after prompt in one list, with a log-probability a token."""
        self._check(prompts, max_new_tokens, temperature, stop)
        bodies = [
            wire.request(
                self.model, prompt.token_ids, seed, max_new_tokens=prompt.most(max_new_tokens), temperature=temperature,
                stop=stop, eos=self.eos,
            )
            for prompt in prompts
            for seed in prompt.seeds
        ]  # fmt: skip
        owners = [(index, seed) for index, prompt in enumerate(prompts) for seed in prompt.seeds]
        asked = [self._pool.submit(self._ask, body) for body in bodies]
        owner_of = dict(zip(asked, owners, strict=True))
        try:
            for done, future in enumerate(as_completed(asked), start=1):
                drawn = future.result()
                if on_completion:
                    owner, seed = owner_of[future]
                    on_completion(owner, replace(self._completion(drawn, stop), seed=seed))
                if self.progress:
                    self.progress(done, len(asked))
        except Unreachable as error:
            raise self.lost(error) from None
        finally:
            _cancel(asked)
        return [future.result() for future in asked]

    def _ask(self, body: dict[str, Any]) -> wire.ServedCompletion:
        return wire.read(self.http.post(wire.PATH, body), self.http.url)

    def completions(
        self, prompts: Sequence[Prompt], drawn: Sequence[wire.ServedCompletion], stop: Sequence[str]
    ) -> list[list[Completion]]:
        """What was drawn, a list a prompt, with its text; that is cut before a stop string."""
        rest = iter(drawn)
        return [[self._completion(next(rest), stop) for _ in prompt.seeds] for prompt in prompts]

    def lost(self, error: Unreachable) -> AurifyError:
        """The error of a server that answered before and no longer does."""
        told = self._explain() if self._explain else f"the vLLM server no longer answers: {error}"
        return AurifyError(f"{told}; start again (a training run goes on with --resume)")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _completion(self, drawn: wire.ServedCompletion, stop: Sequence[str]) -> Completion:
        text = decode(self.tokenizer, drawn.token_ids)
        return Completion(drawn.token_ids, text[: first_stop(text, stop)], sum(drawn.logprobs), drawn.finish_reason)

    def _check(self, prompts: Sequence[Prompt], max_new_tokens: int, temperature: float, stop: Sequence[str]) -> None:
        check_request(max_new_tokens, temperature, stop)
        if any(not prompt.token_ids for prompt in prompts):
            raise AurifyError("a prompt is empty, so its first token has no probability; give at least a BOS token")
        pairs = [(len(prompt.token_ids), prompt.most(max_new_tokens)) for prompt in prompts]
        longest, most = max(pairs, key=sum, default=(0, 0))
        if self.max_length is not None and prompts and longest + most > self.max_length:
            raise AurifyError(
                f"the longest prompt has {longest} tokens, and with {most} new ones would pass the "
                f"{self.max_length} that the vLLM server takes: lower the token limit to "
                f"{max(0, self.max_length - longest)}, or leave out long questions"
            )


def _cancel(futures: Sequence[Future[Any]]) -> None:
    """Give up what has not begun: after an error nothing more is asked."""
    for future in futures:
        future.cancel()
