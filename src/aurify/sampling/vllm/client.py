"""Sample from vLLM servers: a request for each sample, many at once, answers in the order asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

from aurify.errors import AurifyError
from aurify.pulse import give
from aurify.questions.special import text_of
from aurify.sampling.protocol import Completion, OnCompletion, Prompt, advice_on_length, check_request
from aurify.sampling.stop import first_stop
from aurify.sampling.vllm import wire
from aurify.sampling.vllm.endpoints import Endpoints, VllmEndpoint
from aurify.sampling.vllm.http import Unreachable

MAX_REQUESTS = 256
"""Requests in flight at a server: as many as vLLM batches by default."""


class VllmSampler:
    """Draws completions from vLLM servers of one model, by token ids, each with a seed of its own.

    Nothing is truncated or penalised. vLLM's arithmetic is not the trainer's, and depends on what it batches
    together: a draw repeats only nearly always, and is an exact sample of the server's model alone.

    Args:
        endpoints: the servers, which share the work; one that dies leaves its part to the others.
        tokenizer: decodes the text.
        eos: the token ids that end a sample.
        max_length: tokens that the servers take, prompt and completion together.
        progress: called with (completions done, completions asked) as they finish.
        say: is told when a server is left out.
    """

    def __init__(
        self,
        endpoints: Sequence[VllmEndpoint],
        tokenizer: Any,
        *,
        eos: Collection[int],
        max_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.endpoints, self.tokenizer, self.eos = Endpoints(endpoints, say), tokenizer, frozenset(eos)
        self.max_length, self.progress = max_length, progress
        self._pool = ThreadPoolExecutor(MAX_REQUESTS * len(endpoints), thread_name_prefix="vllm")

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
    ) -> list[tuple[wire.ServedCompletion, VllmEndpoint]]:
        """What :meth:`sample` draws, prompt after prompt in one list, with a log-probability a token and its server."""
        self._check(prompts, max_new_tokens, temperature, stop)
        bodies = [
            wire.request(
                prompt.token_ids, seed, max_new_tokens=prompt.most(max_new_tokens), temperature=temperature,
                stop=stop, eos=self.eos,
            )
            for prompt in prompts
            for seed in prompt.seeds
        ]  # fmt: skip
        owners = [(index, seed) for index, prompt in enumerate(prompts) for seed in prompt.seeds]
        asked = [self._pool.submit(self.endpoints.ask, body) for body in bodies]
        owner_of = dict(zip(asked, owners, strict=True))
        if self.progress and asked:
            self.progress(0, len(asked))
        try:
            for done, future in enumerate(as_completed(asked), start=1):
                drawn, _ = future.result()
                give("moved")
                if on_completion:
                    owner, seed = owner_of[future]
                    on_completion(owner, replace(self._completion(drawn, stop), seed=seed))
                if self.progress:
                    self.progress(done, len(asked))
        except Unreachable:
            raise self.lost() from None
        finally:
            _cancel(asked)
        return [future.result() for future in asked]

    def completions(
        self,
        prompts: Sequence[Prompt],
        drawn: Sequence[tuple[wire.ServedCompletion, VllmEndpoint]],
        stop: Sequence[str],
    ) -> list[list[Completion]]:
        """What was drawn, a list a prompt, with its text; that is cut before a stop string."""
        rest = iter(drawn)
        return [[self._completion(next(rest)[0], stop) for _ in prompt.seeds] for prompt in prompts]

    def lost(self) -> AurifyError:
        """The error of servers that answered before, of which none is left."""
        told = "; ".join(one.told() for one in self.endpoints.every)
        return AurifyError(f"{told}; start again (a training run goes on with --resume)")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _completion(self, drawn: wire.ServedCompletion, stop: Sequence[str]) -> Completion:
        text = text_of(self.tokenizer, drawn.token_ids)
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
                f"{self.max_length} that the vLLM server takes: {advice_on_length(self.max_length - longest)}"
            )


def _cancel(futures: Sequence[Future[Any]]) -> None:
    """Give up what has not begun: after an error nothing more is asked."""
    for future in futures:
        future.cancel()
