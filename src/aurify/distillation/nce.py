"""NCE: self-distillation in which a rationale weighs more where NAT and its negative adapter disagree.

    KL_i     = mean_t Σ_v P_neg(v) (log P_neg(v) - log P_nat(v))         over the rationale's tokens
    nce_weight_i = 1/2 + tanh(KL_i)                                      in [1/2, 3/2), 1/2 where both agree
    loss     = 1/T Σ_i Σ_t [ -1/2 log p(z_it) + 1/2 nce_weight_i CE(P_nat, P_student)_t ]

T is the number of the batch's rationale tokens. The paper's code counts the question's tokens too, which drown the
rationale's. Both teachers are frozen, so a rationale's weight is found once, when a step first needs it; later steps
run one teacher, on the same base weights as the student. Source: docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from aurify.distillation.examples import Example
from aurify.distillation.gradient import Descent, ExampleScorer
from aurify.distillation.token_weights import spread, token_lines

BALANCE = 0.5
"""The share of the teacher's term in the loss; the rest is likelihood."""

Acting = Callable[[], AbstractContextManager[None]]
"""A block in which the model is a teacher; outside it is the student."""


def nce_weights(kl: Tensor) -> Tensor:
    """1/2 + tanh(KL), of any shape; float noise below 0 counts as 0."""
    return 0.5 + torch.tanh(kl.clamp(min=0))


def token_kl(neg_logits_KV: Tensor, nat_logits_KV: Tensor) -> Tensor:
    """KL(P_neg || P_nat) in nats at each of K positions, shape (K,)."""
    neg_KV, nat_KV = neg_logits_KV.log_softmax(-1), nat_logits_KV.log_softmax(-1)
    return (neg_KV.exp() * (neg_KV - nat_KV)).sum(-1)


def find_divergences(scorer: ExampleScorer, examples: Sequence[Example], *, nat: Acting, neg: Acting) -> list[Tensor]:
    """KL(P_neg || P_nat) in nats at every token of every example, (T_n,) each."""
    return scorer.budget.spend(lambda: _find_divergences(scorer, examples, nat, neg))


@torch.no_grad()
def _find_divergences(scorer: ExampleScorer, examples: Sequence[Example], nat: Acting, neg: Acting) -> list[Tensor]:
    found: list[Tensor] = [torch.empty(0)] * len(examples)
    for indices, sequences in scorer.batches(examples):
        with nat():
            nat_logits_KV = scorer.token_logits(sequences)
        with neg():
            kl_K = token_kl(scorer.token_logits(sequences), nat_logits_KV)
        for index, kl_T in zip(indices, torch.split(kl_K, [len(ids) for _, ids in sequences]), strict=True):
            found[index] = kl_T.cpu()
    return found


class KeptWeights:
    """Weights (T_n,) of rationales, each found when it is first asked for.

    Args:
        find: gives those of some rationales. It is called at every turn, be there none to find: processes that share a
            sharded model must go through it together.
    """

    def __init__(self, find: Callable[[Sequence[Example]], Sequence[Tensor]]) -> None:
        self._find = find
        self._found: dict[Example, Tensor] = {}

    def __call__(self, examples: Sequence[Example]) -> list[Tensor]:
        new = [example for example in examples if example not in self._found]
        self._found.update(zip(new, self._find(new), strict=True))
        return [self._found[example] for example in examples]


def rationale_weights(kl_T: Tensor, by_token: bool) -> Tensor:
    """The weight of every token of a rationale (T,): one number, of its mean divergence, unless ``by_token``."""
    return nce_weights(kl_T if by_token else kl_T.mean().expand(len(kl_T)))


def weight_lines(
    examples: Sequence[Example], weights: Sequence[Tensor], kl: Sequence[Tensor], decode: Callable[[int], str]
) -> list[dict[str, Any]]:
    """For nce_weights.jsonl: the distribution of the weights over tokens, each rationale's mean weight, then tokens.

    The last lines are of the weights that tokens have by themselves: the most extreme ones, and some texts.

    Args:
        weights: (T_n,) of each example, that its tokens have in the loss.
        kl: (T_n,) of each example.
        decode: the text of a token id.
    """
    every = torch.cat(list(weights))
    summary = {**spread(every), "tokens": len(every)}
    rows = [
        {"question_id": example.question_id, "weight": float(weights_T.mean()), "tokens": len(weights_T)}
        for example, weights_T in zip(examples, weights, strict=True)
    ]
    return [summary, *rows, *token_lines(examples, [nce_weights(kl_T)[None] for kl_T in kl], decode)]


def accumulate_distillation(
    scorer: ExampleScorer,
    examples: Sequence[Example],
    weights: Sequence[Tensor],
    *,
    tokens: int,
    teacher: Acting,
) -> float:
    """Add the gradient of the loss above to the student's ``grad``; the loss is returned.

    Args:
        weights: of every token of the examples, (T_n,) each.
        tokens: T, of the whole batch, of which ``examples`` may be a part.

    Raises:
        AurifyError: the loss is not finite; the message names the questions.
    """
    return scorer.gradient(lambda: _accumulate(scorer, examples, weights, tokens, teacher))


def _accumulate(
    scorer: ExampleScorer, examples: Sequence[Example], weights: Sequence[Tensor], tokens: int, teacher: Acting
) -> float:
    descent = Descent()
    for indices, sequences in scorer.batches(examples):
        with teacher(), torch.no_grad():
            probs_KV = scorer.token_logits(sequences).softmax(-1)
        logprobs_KV = scorer.token_logits(sequences).log_softmax(-1)
        targets = [token for _, ids in sequences for token in ids]
        targets_K = torch.tensor(targets, dtype=torch.long, device=logprobs_KV.device)
        weights_K = torch.cat([torch.zeros(0), *(weights[index] for index in indices)]).to(logprobs_KV)
        own_K = -logprobs_KV.gather(1, targets_K[:, None])[:, 0]
        soft_K = -(probs_KV * logprobs_KV).sum(-1)
        losses_K = ((1 - BALANCE) * own_K + BALANCE * weights_K * soft_K) / tokens
        losses = [part.sum() for part in torch.split(losses_K, [len(ids) for _, ids in sequences])]
        descent.add(torch.stack(losses) if losses else losses_K, [examples[index] for index in indices])
    return descent.total()
