"""A small world for bench/reproduce_tdg.py: chain arithmetic in two wordings, a teacher that slips, a student.

A question is a start and a few operations, told either as commands (in domain) or as a story (out of domain). A
rationale does one operation a sentence. The teacher gets each step wrong with probability SLIP and goes on from what
it wrote. Negatives come in three kinds:

    slips      the teacher's own: most of their steps are right
    procedure  every step computed rightly, but of another procedure: "take away" is read as "add"
    format     right steps without their results, in another form, and an answer that is wrong
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from aurify import nugget
from aurify.nugget.pretrain import Recipe, build, loss_of
from aurify.questions import PromptTemplate, Question

SLIP = 0.2
MOST = 30
"""The largest value: few enough sums for a student of one million parameters to learn from some thousand rationales."""
KINDS = ("slips", "procedure", "format")
_TEMPLATE = PromptTemplate("plain")


@dataclass(frozen=True)
class Chain:
    """A start and operations (sign, number)."""

    start: int
    operations: tuple[tuple[str, int], ...]

    def values(self) -> list[int]:
        """The value after each operation."""
        found, value = [], self.start
        for sign, number in self.operations:
            value = value + number if sign == "+" else value - number
            found.append(value)
        return found


def draw_chain(rng: random.Random, low: int = 3, high: int = 5) -> Chain:
    """A chain whose values stay within 0 to MOST."""
    start = value = rng.randint(5, MOST - 5)
    operations = []
    for _ in range(rng.randint(low, high)):
        number = rng.randint(2, 9)
        sign = "-" if value - number >= 0 and (value + number > MOST or rng.random() < 0.5) else "+"
        value += number if sign == "+" else -number
        operations.append((sign, number))
    return Chain(start, tuple(operations))


def ask(chain: Chain, wording: str, rng: random.Random, name: str) -> Question:
    """The question in a wording: commands or story."""
    if wording == "commands":
        told = [f"{'add' if sign == '+' else 'take away'} {number}" for sign, number in chain.operations]
        text = f"Start with {chain.start}, {', '.join(told)}. What is the result?"
    else:
        who = rng.choice(["Ann", "Bob", "Mia", "Tom"])
        told = [f"{who} {'finds' if sign == '+' else 'loses'} {number} more." for sign, number in chain.operations]
        text = f"{who} has {chain.start} coins. {' '.join(told)} How many coins does {who} have?"
    return Question(name, text, str(chain.values()[-1]), "number", task=wording)


def write(chain: Chain, rng: random.Random, *, slip: float = 0.0, kind: str = "slips") -> str:
    """A rationale; ``slip`` is the probability that a step's result is off."""
    value, parts = chain.start, []
    for sign, number in chain.operations:
        sign = "+" if kind == "procedure" else sign
        result = value + number if sign == "+" else value - number
        if rng.random() < slip:
            result += rng.choice([-10, -2, -1, 1, 2, 10])
        parts.append(f"{value} {sign} {number}" + (";" if kind == "format" else f" = {result}."))
        value = result
    if kind == "format":
        value += rng.choice([-10, -2, -1, 1, 2, 10])
    return f"{' '.join(parts)} So the answer is {value}."


def draw_questions(n: int, wording: str, seed: int) -> tuple[list[Question], list[Chain]]:
    """Questions and their chains; the same seed gives the same ones."""
    rng = random.Random(f"{wording}-{seed}")
    chains = [draw_chain(rng) for _ in range(n)]
    return [ask(chain, wording, rng, f"{wording}-{seed}-{i:05d}") for i, chain in enumerate(chains)], chains


def teach(
    questions: Sequence[Question], chains: Sequence[Chain], samples: int, kind: str, seed: int
) -> list[dict[str, str]]:
    """The teacher's rationales; those of the kind of negatives asked stand in the place of its own wrong ones."""
    rng = random.Random(f"teacher-{seed}")
    rows = []
    for question, chain in zip(questions, chains, strict=True):
        for _ in range(samples):
            text = write(chain, rng, slip=SLIP)
            if kind != "slips" and not text.endswith(f" {question.answer}."):
                text = write(chain, rng, kind=kind)
            rows.append({"question_id": question.id, "rationale": text})
    return rows


def build_student(folder: Path, steps: int, batch: int = 64, rate: float = 2e-3) -> None:
    """A base of one million parameters that knows the form of both wordings, stopped before it can calculate."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(nugget.path())
    model = build(Recipe(seed=1), len(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    rng = random.Random("base")
    for step in range(steps):
        rows = []
        for _ in range(batch):
            chain = draw_chain(rng)
            prompt = _TEMPLATE.render(ask(chain, rng.choice(["commands", "story"]), rng, "base"))
            rows.append((tokenizer(prompt)["input_ids"], [*tokenizer(write(chain, rng))["input_ids"], 1]))
        longest = max(len(p) + len(c) for p, c in rows)
        ids, weights = torch.zeros(batch, longest, dtype=torch.long), torch.zeros(batch, longest)
        for i, (prompt_ids, continuation) in enumerate(rows):
            ids[i, : len(prompt_ids) + len(continuation)] = torch.tensor([*prompt_ids, *continuation])
            weights[i, len(prompt_ids) : len(prompt_ids) + len(continuation)] = 1.0
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50, (steps - step) / (0.3 * steps))
        loss = loss_of(model, ids, weights)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
