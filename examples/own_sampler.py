"""A sampler of your own, in one file: it takes token ids and seeds, and gives token ids and log-probabilities.

    aurify train trice --sampler own_sampler:Generate --model nugget --data questions.jsonl
    aurify sample   --sampler own_sampler:Generate --model nugget --data questions.jsonl --out table
    aurify evaluate --sampler own_sampler:Generate --top-p 0.9 --model nugget --data questions.jsonl --samples 4
    aurify train trice --sampler own_sampler:Generate --help

Run these where this file lies, or with its folder in PYTHONPATH. A distribution brings a sampler under a word by an
entry point: in its pyproject.toml, [project.entry-points."aurify.samplers"] generate = "own_sampler:Generate".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from aurify.questions.special import text_of
from aurify.registry import setting
from aurify.sampling import Completion, Occasion, OnCompletion, Prompt, Sampler, SamplerFactory
from aurify.sampling.stop import first_stop


@dataclass(frozen=True)
class Generate(SamplerFactory):
    """transformers' own generate, one sample at a time: slow, and exact unless --top-p cuts it."""

    # 1. Settings of its own: flags (--top-p), keys of a TOML file, lines of config.toml. Wrong values are refused.
    top_p: float = setting(1.0, "Draw from the likeliest tokens with this much probability only.", gt=0, le=1)

    # 2. Whether the draws are exact samples of the model: what a run says once, or nothing.
    def declaration(self, occasion: Occasion) -> str:
        return "" if self.top_p == 1 else f"samples are cut to {self.top_p} of the probability: not exact ones"

    # 3. The sampler of a model that lies in this process; evaluate and sample load theirs and come here, too.
    @contextmanager
    def of_model(self, model: Any, tokenizer: Any, occasion: Occasion) -> Iterator[Sampler]:
        yield GenerateSampler(model, tokenizer, self.top_p)


class GenerateSampler:
    """Draws by ``model.generate``."""

    def __init__(self, model: Any, tokenizer: Any, top_p: float) -> None:
        self.model, self.tokenizer, self.top_p = model, tokenizer, top_p

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        stop: Sequence[str] = (),
        on_completion: OnCompletion | None = None,
    ) -> list[list[Completion]]:
        """One list a prompt, one completion a seed: the same seeds give the same completions."""
        found: list[list[Completion]] = []
        was_training = self.model.training
        self.model.eval()
        for index, prompt in enumerate(prompts):
            found.append(
                [self._one(prompt.token_ids, seed, max_new_tokens, temperature, stop) for seed in prompt.seeds]
            )
            for completion in found[-1] if on_completion else ():  # so that it is judged while others are drawn
                on_completion(index, completion)
        self.model.train(was_training)
        return found

    def _one(
        self, prompt: tuple[int, ...], seed: int, max_new_tokens: int, temperature: float, stop: Sequence[str]
    ) -> Completion:
        ids = torch.tensor([prompt], device=self.model.device)
        how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": self.top_p}
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed % 2**63)
            out = self.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=max_new_tokens, output_logits=True,
                return_dict_in_generate=True, pad_token_id=self.tokenizer.pad_token_id,
                **(how if temperature > 0 else {"do_sample": False}),
                **({"stop_strings": list(stop), "tokenizer": self.tokenizer} if stop else {}),
            )  # fmt: skip
        drawn = out.sequences[0, len(prompt) :]
        # The log-probability is the model's at temperature 1, whatever the draw was made with.
        logprobs = torch.stack(out.logits)[:, 0].float().log_softmax(-1).gather(1, drawn[:, None])
        token_ids, text = tuple(drawn.tolist()), text_of(self.tokenizer, drawn.tolist())
        cut = first_stop(text, stop)
        ended = token_ids[-1] == self.tokenizer.eos_token_id or cut is not None
        return Completion(token_ids, text[:cut], float(logprobs.sum()), "stop" if ended else "length")
