"""What the nugget can do, by task: the table that ``python -m aurify.nugget --report`` prints."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from aurify.nugget.tasks import REGISTRY
from aurify.nugget.writers import OPENINGS, TASKS, generate, hinted_prompt, prompt
from aurify.questions.record import Question
from aurify.seeds import stable_seed

_ANSWER = re.compile(r"So the answer is (.+)\.\s*$")
SEED = 900
"""Questions of this seed are in no corpus."""
MOST_TOKENS, QUESTIONS_AT_ONCE = 224, 64
"""Of a continuation; prompts at a time."""


@dataclass(frozen=True)
class Continuation:
    """One continuation: its text, its tokens (end of text included) and whether it ended."""

    text: str
    tokens: int
    ended: bool

    def right(self, question: Question) -> bool:
        """Whether it ended with the right answer."""
        found = _ANSWER.search(self.text) if self.ended else None
        return found is not None and found[1] == question.answer


def load_folder(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in float32, ready to sample, and its tokenizer."""
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(str(folder))


@torch.inference_mode()
def complete(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    sample: bool,
) -> list[Continuation]:
    """Greedy or temperature-1 continuations, of prompts sorted by length so that little is padding."""
    done: list[Continuation | None] = [None] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    eos = tokenizer.eos_token_id
    torch.manual_seed(stable_seed("nugget-report", int(sample)) % 2**32)
    for start in range(0, len(order), QUESTIONS_AT_ONCE):
        chosen = order[start : start + QUESTIONS_AT_ONCE]
        inputs = tokenizer([prompts[i] for i in chosen], return_tensors="pt", padding=True)
        out_BT = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            do_sample=sample,
            temperature=1.0 if sample else None,
            top_k=0 if sample else None,
            top_p=1.0 if sample else None,
            max_new_tokens=MOST_TOKENS,
        )[:, inputs["input_ids"].shape[1] :]
        for i, row in zip(chosen, out_BT.tolist(), strict=True):
            ended = eos in row
            ids = row[: row.index(eos)] if ended else row
            done[i] = Continuation(tokenizer.decode(ids), len(ids) + ended, ended)
    return [s for s in done if s is not None]


def real_rows(task: str, folder: Path, n: int) -> list[Question]:
    """The first ``n`` BBH rows of a task; none where the folder lacks them."""
    file = folder / f"{task}.json"
    if not file.exists():
        return []
    rows = json.loads(file.read_text())["examples"][:n]
    kind = REGISTRY[task].answer_type
    return [Question(f"bbh-{task}-{i:05d}", r["input"], r["target"], kind, task=task) for i, r in enumerate(rows)]


def forced(question: Question) -> str:
    """The prompt with the first words of the careful style."""
    return prompt(question) + OPENINGS["careful"]


def measure_nugget(folder: Path, n: int = 100, bbh: Path | None = None) -> dict[str, dict[str, float]]:
    """Shares of right answers (and tokens a rationale) for every task, over ``n`` questions a figure."""
    model, tokenizer = load_folder(folder)
    table: dict[str, dict[str, float]] = {}
    for task in TASKS:
        lengths: list[int] = []

        def share(
            questions: list[Question], ask: Callable[[Question], str], sample: bool, into: list[int] = lengths
        ) -> float:
            got = complete(model, tokenizer, [ask(q) for q in questions], sample)
            into.extend(s.tokens for s in got if sample)
            return sum(s.right(q) for s, q in zip(got, questions, strict=True)) / max(1, len(questions))

        easy, hard = (generate(task, n, SEED, level) for level in ("easy", "hard"))
        mixed = generate(task, n, SEED)
        row = {
            "forced careful": share(mixed, forced, False),
            "forced careful, hard": share(hard, forced, False),
            "forced, sampled": share(mixed, forced, True),
            "sampled": share(mixed, prompt, True),
            "greedy easy": share(easy, prompt, False),
            "greedy hard": share(hard, prompt, False),
            "guide, sampled": share(mixed, hinted_prompt, True),
        }
        if rows := real_rows(task, bbh, n) if bbh else []:
            row["BBH forced"] = share(rows, forced, False)
            row["BBH greedy"] = share(rows, prompt, False)
            row["BBH sampled"] = share(rows, prompt, True)
            row["BBH guide"] = share(rows, hinted_prompt, True)
        row["tokens, median"] = statistics.median(lengths)
        row["tokens, max"] = max(lengths)
        table[task] = row
    return table


def render_table(table: dict[str, dict[str, float]], n: int) -> str:
    """A Markdown table, a task a line; shares in percent."""
    columns = list(dict.fromkeys(c for row in table.values() for c in row))
    lines = ["| task | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for task, row in table.items():
        cells = [
            f"{row[c]:.0f}" if c.startswith("tokens") else f"{100 * row[c]:.0f}" if c in row else "" for c in columns
        ]
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + f"\n\nPercent right over {n} questions a figure; tokens include the end of text."
