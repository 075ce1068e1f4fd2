"""TRICE on one page, from questions with known answers to a model that reasons, with the library's own pieces.

    python examples/trice.py ../shared/data/bbh/object_counting.json

The numbers are the steps of Algorithm 1 in Phan, Hoffman et al., "Training Chain-of-Thought via Latent-Variable
Inference", 2023 (arXiv 2312.02179). The same run, with the very same weights at its end, is

    aurify train trice --model nugget --data DATA --holdout 0.4 --steps 20 --questions 16 --lr 5e-4 --clip 1.0
        --memory guide --max-new-tokens 160
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from aurify import Question, load_model, load_questions, split_questions
from aurify.answers import Grader
from aurify.methods.moves import independent
from aurify.methods.terms import merged_terms
from aurify.methods.trice import estimator_weights, leave_one_out_acceptance
from aurify.questions import PromptTemplate
from aurify.rationales import Drawing, Memory
from aurify.rationales.draw import Request
from aurify.sampling import LocalSampler
from aurify.training.m_step import accumulate_gradient, ascend, build_optimizer
from aurify.training.schedule import batch_of_step, learning_rate


def trice(
    questions: Sequence[Question], *, holdout: float = 0.4, steps: int = 20, size: int = 16, rate: float = 5e-4,
    clip: float = 1.0, max_new_tokens: int = 160, seed: int = 0,
) -> Any:  # fmt: skip
    """Train the embedded model in ``steps`` steps of ``size`` questions, and return it."""
    # Questions x_n with answers y_n, some of them held out; a model p(z | x), all of whose weights are trained.
    train, held_out = split_questions(questions, holdout, seed)
    model, tokenizer = load_model("nugget")
    parameters = list(model.requires_grad_(True).parameters())
    optimizer = build_optimizer(parameters, "full", rate=rate, weight_decay=0.0)
    template = PromptTemplate.named("plain")

    with Grader() as grader:
        drawing = Drawing(LocalSampler(model, tokenizer), grader, "nugget", seed, max_new_tokens)

        def accuracy(step: int) -> float:
            prompts = template.encode_all(tokenizer, held_out)
            greedy = drawing.draw(held_out, prompts, step=step, temperature=0.0)
            return sum(row[0].right for row in greedy) / len(held_out)

        print(f"before: {accuracy(0):.1%} of {len(held_out)} held-out questions right")
        memory = Memory()  # of every question a rationale z_n, the state of its Markov chain
        for step in range(1, steps + 1):
            # 2. A minibatch of M different questions: shuffled epochs, without replacement.
            batch = batch_of_step(train, size, step, seed)
            chains = [memory[question.id] for question in batch]

            # 1. A chain without a right rationale is started by the guide q(z | x, y): a prompt that tells the answer.
            # 3. E-step: a proposal z~ from p(z | x), the model as it is now, at temperature 1, for every chain.
            #    A rationale is the whole continuation, and right, c(z, y) = 1, where it ends in the answer y.
            new = [question for question, chain in zip(batch, chains, strict=True) if not chain.right]
            prompts = template.encode_all(tokenizer, batch)
            guide = Request(new, template.encode_all(tokenizer, new, hinted=True), source="guide")
            first_rows, proposals = drawing.draw_all([guide, Request(batch, prompts)], step=step)
            firsts = {row[0].question_id: row[0] for row in first_rows}
            chains = [
                chain.started(firsts[chain.question_id], step) if chain.question_id in firsts else chain
                for chain in chains
            ]

            #    A Metropolis-Hastings transition: the ratio is c(z~, y) / c(z, y), so a right proposal is accepted.
            memory.update(
                chain.visited(row, row[0] if row[0].right else None, step)
                for chain, row in zip(chains, proposals, strict=True)
            )

            #    The gradient of the mean log p(y | x), with a control variate that has mean 0, since E[s(z~)] = 0:
            #        1 / sum_m c'_m  sum_m c'_m [ s(z'_m) - beta_m s(z~_m) ],      s(z) = grad log p(z | x)
            #    beta_m: the acceptance rate of the other chains. Merged by rationale: sum_i w_i s(z_i).
            right_QS = np.array([[sample.right for sample in row] for row in proposals])
            held_Q = np.array([chain.right for chain in chains])
            scale_Q = leave_one_out_acceptance(right_QS.mean(axis=1), held_Q)
            weights = estimator_weights(independent(right_QS, held_Q), held_Q, scale_Q)
            terms = merged_terms(chains, proposals, weights.memory_Q, weights.proposals_QS)

            # 4. M-step: one optimiser step for the batch; none where all were accepted, for then all w_i are 0.
            if terms:
                by_id = dict(zip((question.id for question in batch), prompts, strict=True))
                terms.sort(key=lambda term: (-len(term.token_ids), term.question_id))
                accumulate_gradient(model, terms, by_id, pad_token_id=tokenizer.pad_token_id, token_budget=4096)
                ascend(optimizer, parameters, rate=learning_rate(step, steps, rate, 0.1, 0), clip=clip)
            print(f"step {step}: {right_QS.mean():.0%} of the proposals right")
        print(f"after: {accuracy(steps):.1%}")
    return model


if __name__ == "__main__":
    trice(list(load_questions(sys.argv[1])))
