"""One point of ``growth``: seconds and peak memory of sampling and updating, or of steps over many questions."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from speed_parts import shared
from speed_parts.child import plan_of_worker, say
from speed_parts.update_worker import start_of_memory


def main() -> None:
    plan = plan_of_worker()
    say(over_questions(plan["questions"], plan["repeats"]) if "questions" in plan else of_a_step(plan))


def of_a_step(plan: dict[str, Any]) -> dict[str, float]:
    """Sampling and the gradient of the samples; ``length`` 0 is long-tailed, else every sample is cut there."""
    from aurify.methods import Term
    from aurify.sampling import LocalSampler, Prompt
    from aurify.training.m_step import accumulate_gradient

    shape = shared.SHAPES[plan["shape"]]
    model, tokenizer = shared.random_model(shape), shared.word_tokenizer(shape["vocab_size"])
    if plan["length"]:
        model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    prompts = shared.random_prompts(plan["rollouts"], shape["vocab_size"])
    by_id = {str(row): prompt for row, prompt in enumerate(prompts)}
    sampler = LocalSampler(model, tokenizer)

    def step(turn: int) -> None:
        asked = [Prompt(prompt, (1_000_000 * turn + row,)) for row, prompt in enumerate(prompts)]
        drawn = sampler.sample(asked, max_new_tokens=plan["length"] or shared.MAX_NEW_TOKENS)
        terms = [Term(str(row), one[0].token_ids, 1 / len(drawn)) for row, one in enumerate(drawn)]
        accumulate_gradient(model, terms, by_id, pad_token_id=0, token_budget=4096)
        model.zero_grad(set_to_none=True)

    before = start_of_memory()
    step(0)
    return {"peak_mb": peak(before), "seconds": timed(step, plan["repeats"], plan["limit_s"])}


def over_questions(n: int, repeats: int) -> dict[str, float]:
    """Steps of TRICE over a number of made-up questions; the first, which warms up, is not counted."""
    from aurify import nugget
    from aurify.models import load_model
    from aurify.training.run import run_training
    from aurify.training.settings import TrainSettings

    load_model("nugget")  # so that what was imported counts for no number of questions
    before = start_of_memory()
    made = nugget.generate("object_counting", min(n, 1000), 0)
    questions = [replace(made[i % len(made)], id=str(i)) for i in range(n)]
    with TemporaryDirectory() as folder:
        settings = TrainSettings(
            method="trice", model="nugget", data="", out=f"{folder}/run", questions=16, steps=repeats + 1,
            max_new_tokens=128, save_every=repeats + 1,
        )  # fmt: skip
        run = run_training(settings, questions=questions, held_out=[])
        lines = [json.loads(line) for line in (run.out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return {"peak_mb": peak(before), "seconds": statistics.median(line["timing"]["seconds"] for line in lines[1:])}


def peak(before: float) -> float:
    """MiB above ``before`` that the process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def timed(step: Callable[[int], None], repeats: int, limit_s: float) -> float:
    """The median seconds of the repeats that begin within the limit."""
    taken: list[float] = []
    for turn in range(1, repeats + 1):
        begun = time.perf_counter()
        step(turn)
        taken.append(time.perf_counter() - begun)
        if sum(taken) > limit_s:
            break
    return statistics.median(taken)


if __name__ == "__main__":
    main()
