"""The gradient of a weighted batch, in micro-batches, and what the batch costs under the present model.

Source: docs/methods.md, "Negative assistant training (NAT)" (the loss counts the rationale's tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from aurify.distillation.examples import Example
from aurify.distillation.objectives import Weighted
from aurify.errors import AurifyError
from aurify.models.autocast import products_in_bfloat16
from aurify.models.logprobs import Scored, batches, no_sequences, token_logits, token_logprobs
from aurify.models.token_budget import TokenBudget, drop_gradients

_SUREST = -1e-6
"""log p of a token in log(1 - p) is at most this, so that a token of probability 1 has a finite loss."""


@dataclass(frozen=True)
class ExampleScorer:
    """A model, the prompts of its questions, and how many tokens it takes at a time."""

    model: Any
    prompts: Mapping[str, tuple[int, ...]]
    pad_token_id: int
    token_budget: int | TokenBudget
    bf16: bool = False
    """Whether its products are in bfloat16."""

    @cached_property
    def budget(self) -> TokenBudget:
        """See ``TokenBudget``."""
        return self.token_budget if isinstance(self.token_budget, TokenBudget) else TokenBudget(self.token_budget)

    def batches(
        self, examples: Sequence[Example], budget: int | None = None
    ) -> Iterator[tuple[list[int], list[Scored]]]:
        """Micro-batches: indices into the examples, and their prompts and tokens."""
        sequences = [(self.prompts[example.question_id], example.token_ids) for example in examples]
        for indices in batches(self.model, sequences, budget or self.budget.tokens):
            yield indices, [sequences[i] for i in indices]

    def padded(self, sequences: Sequence[Scored]) -> Tensor:
        """Their token ids (N, C), padded on the right, where no real token sees the padding."""
        rows = [torch.tensor([*prompt, *ids]) for prompt, ids in sequences]
        ids_NC = pad_sequence(rows, batch_first=True, padding_value=self.pad_token_id)
        return ids_NC.to(next(self.model.parameters()).device)

    def token_logprobs(self, sequences: Sequence[Scored]) -> list[Tensor]:
        """log p of every rationale token, (T_n,) a sequence."""
        with self.precision():
            return token_logprobs(self.model, sequences, pad_token_id=self.pad_token_id)

    def token_logits(self, sequences: Sequence[Scored]) -> Tensor:
        """The logits, float32, from which each rationale token is drawn: (K, V), sequence after sequence.

        Of no sequences (0, V), of a pass that other processes take part in.
        """
        with self.precision():
            return token_logits(self.model, sequences, pad_token_id=self.pad_token_id)

    def precision(self) -> AbstractContextManager[object]:
        """A block in which the model computes as it is to; gradients stay in the parameters' own dtype."""
        return products_in_bfloat16(self.model, self.bf16)

    def means(self, examples: Sequence[Example]) -> list[float]:
        """The mean log-probability, in nats, of each example's tokens under the present model."""
        return self.budget.spend(lambda: self._means(examples))

    def gradient(self, work: Callable[[], float]) -> float:
        """What ``work`` gives, which adds to the gradients of this step and is alone to do so."""
        return self.budget.spend(work, undo=lambda: drop_gradients(self.model))

    @torch.no_grad()
    def _means(self, examples: Sequence[Example]) -> list[float]:
        found = [0.0] * len(examples)
        for indices, sequences in self.batches(examples):
            for index, logprobs_T in zip(indices, self.token_logprobs(sequences), strict=True):
                found[index] = float(logprobs_T.mean())
        return found


def accumulate(scorer: ExampleScorer, batch: Sequence[Weighted]) -> float:
    """Add the gradient of the batch's loss (see ``objectives``) to the parameters' ``grad``; the loss is returned.

    Raises:
        AurifyError: the loss is not finite; the message names the questions.
    """
    return scorer.gradient(lambda: _accumulate(scorer, batch))


def _accumulate(scorer: ExampleScorer, batch: Sequence[Weighted]) -> float:
    descent = Descent()
    examples = [weighted.example for weighted in batch]
    for indices, sequences in scorer.batches(examples):
        if not indices:
            descent.add(no_sequences(scorer.model), [])
            continue
        losses = []
        for index, logprobs_T in zip(indices, scorer.token_logprobs(sequences), strict=True):
            loss = -batch[index].likelihood * logprobs_T.sum()
            if batch[index].unlikelihood:
                rest_T = torch.log(-torch.expm1(logprobs_T.clamp(max=_SUREST)))
                loss = loss - batch[index].unlikelihood * rest_T.sum()
            losses.append(loss)
        descent.add(torch.stack(losses), [examples[index] for index in indices])
    return descent.total()


class Descent:
    """Adds up the gradients of losses, micro-batch by micro-batch."""

    def __init__(self) -> None:
        self._total, self._bad = 0.0, set[str]()

    def add(self, losses_N: Tensor, examples: Sequence[Example]) -> None:
        """Back-propagate the sum of some examples' losses."""
        finite = losses_N.detach().isfinite().tolist()
        self._bad |= {example.question_id for example, fine in zip(examples, finite, strict=True) if not fine}
        loss = losses_N.sum()
        torch.autograd.backward(loss)
        self._total += float(loss.detach())

    def total(self) -> float:
        """The sum of all losses.

        Raises:
            AurifyError: one of them is not finite. Not before, since other processes may take part in each pass.
        """
        if self._bad:
            raise AurifyError(
                f"the loss is not finite for {', '.join(sorted(self._bad))}: the weights have diverged; "
                "resume from an earlier checkpoint with a lower --lr"
            )
        return self._total
