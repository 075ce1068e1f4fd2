"""NAT on one page: a student that learns from right and from wrong rationales, with the library's own pieces.

    aurify train rloo --model nugget --data DATA --steps 5 --out runs/source     # or any other table of rationales
    python examples/distil.py DATA runs/source

The equations are those of Y. Li et al., "Turning Dust into Gold: Distilling Complex Reasoning Capabilities from LLMs by
Leveraging Negative Data", 2023 (arXiv 2312.12832). The same run, with the very same weights at its end, is

    aurify distill nat --model nugget --data DATA --from runs/source --steps 20 --rationales 16 --lr 2e-3 --clip 1.0
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from aurify import Question, load_model, load_questions, split_questions
from aurify.answers import Grader
from aurify.distillation.examples import choose
from aurify.distillation.gradient import ExampleScorer, accumulate
from aurify.distillation.objectives import likelihood
from aurify.models import trainable_parameters
from aurify.models.nat import NatConfig, adapters, add_nat
from aurify.models.nat.layer import BOTH, NEG
from aurify.models.nat.model import NEGATIVE_STAGE, POSITIVE_STAGE, begin_units, train_only
from aurify.questions import PromptTemplate
from aurify.rationales import Drawing, Rationale, read_rationales
from aurify.rationales.judging import TableJudge
from aurify.sampling import LocalSampler
from aurify.seeds import stable_seed
from aurify.training.m_step import ascend, build_optimizer
from aurify.training.schedule import batch_of_step, learning_rate


def distil(
    questions: Sequence[Question], rationales: Iterable[Rationale], *, holdout: float = 0.2, steps: int = 20,
    size: int = 16, rate: float = 2e-3, clip: float = 1.0, max_new_tokens: int = 256, seed: int = 0,
) -> Any:  # fmt: skip
    """Train a student on the embedded model, ``steps`` steps of ``size`` rationales a stage, and return it."""
    # 1. Questions with known answers, some held out; the student is the base model with two LoRA adapters in its
    #    queries and values, one of wrong and one of right rationales, and a unit in each layer that joins them.
    train, held_out = split_questions(questions, holdout, seed)
    model, tokenizer = load_model("nugget")
    student = add_nat(model, NatConfig(), seed=seed)
    template = PromptTemplate.named("plain")
    known = [*train, *held_out]
    prompts = dict(zip((question.id for question in known), template.encode_all(tokenizer, known), strict=True))

    with Grader() as grader:
        # 2. Rationales are right or wrong by our own verdict. Those of the training questions are learned from.
        own = {question.id: prompts[question.id] for question in train}
        chosen = choose(TableJudge(known, grader).judged(rationales), own, tokenizer, template)
        drawing = Drawing(LocalSampler(student, tokenizer), grader, "nugget", seed, max_new_tokens)

        def accuracy(step: int) -> float:
            asked = [prompts[question.id] for question in held_out]
            greedy = drawing.draw(held_out, asked, step=step, temperature=0.0)
            return sum(row[0].right for row in greedy) / len(held_out)

        # 3. Stage 1: the negative adapter alone learns the wrong rationales (equation 3).
        # 4. Stage 2: both adapters act, joined token by token by the unit (equations 4 and 5). The positive adapter and
        #    the unit learn the right rationales; the negative adapter stays as it is, and the unit finds out where to
        #    subtract and where to add what it knows.
        scorer = ExampleScorer(student, prompts, tokenizer.pad_token_id, token_budget=4096)
        stages = (("neg", NEG, NEGATIVE_STAGE, chosen.wrong()), ("pos", BOTH, POSITIVE_STAGE, chosen.right()))
        for number, (name, mode, parts, examples) in enumerate(stages, start=1):
            if mode == BOTH:
                begin_units(student)  # from the output of the base model
            train_only(student, parts)
            trained = list(trainable_parameters(student).values())
            optimizer = build_optimizer(trained, "lora", rate=rate, weight_decay=0.0)
            for step in range(1, steps + 1):
                batch = batch_of_step(examples, size, step, stable_seed(seed, name))
                with adapters(student, mode):  # the mean of -log p over the tokens of the batch
                    loss = accumulate(scorer, likelihood(batch))
                ascend(optimizer, trained, rate=learning_rate(step, steps, rate, 0.1, 0), clip=clip)
            with adapters(student, mode):
                right = accuracy(number * steps)
            print(f"stage {name}: loss {loss:.4f}, {right:.1%} of {len(held_out)} held-out questions right")
    return student


if __name__ == "__main__":
    distil(list(load_questions(sys.argv[1])), read_rationales(sys.argv[2]))
