"""A diagnosis from settings to findings: the order of things, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from aurify.answers.grader import grader_of
from aurify.clock import peak_memory_mb
from aurify.doctor.advice import advise
from aurify.doctor.pilot import Pilot
from aurify.doctor.report import Cost, Findings
from aurify.doctor.settings import DoctorSettings
from aurify.doctor.trial import Trial
from aurify.doctor.worked import EXAMPLES_SHOWN
from aurify.files import write_atomically
from aurify.methods import Term
from aurify.models import load_model, prepare
from aurify.models.device import best_device, device_line
from aurify.models.precision import settle_dtype
from aurify.models.prompting import first_prompt, prompt_form
from aurify.progress import Counted
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import read_as
from aurify.seeds import stable_seed
from aurify.training.forecast import forecast
from aurify.training.m_step import accumulate_gradient
from aurify.training.settings import TrainSettings

STEP_QUESTIONS = 64
"""Questions of a training step, where nothing else is said."""
UPDATE_RATIONALES = 8
"""Rationales on which the cost of learning is measured."""


def run_doctor(
    settings: DoctorSettings,
    *,
    say: Callable[[str], None] = lambda text: None,
    progress: Counted = lambda done, asked, right: None,
) -> Findings:
    """Draw a small pilot from a model in several ways, and say what it needs.

    Raises:
        AurifyError: bad data, or a model that cannot be loaded or does not hold the prompts.
    """
    questions = read_as(settings, settings.data)
    chosen = sorted(questions, key=lambda question: stable_seed(settings.seed, "doctor", question.id))
    chosen = chosen[: settings.questions]
    if line := device_line(device := best_device()):
        say(line)
    dtype = settle_dtype(settings.dtype, settings.model, say=say)
    model, tokenizer = load_model(settings.model, dtype=dtype, device=device, say=say)
    form = prompt_form(settings, settings.model, tokenizer)
    say(form.line())
    trials: list[Trial] = []
    with grader_of(settings, say=say) as grader:
        pilot = Pilot(settings, chosen, model, tokenizer, grader, progress, say)
        for trial in pilot.trials(form):
            trials.append(trial)
            say(f"{trial.name}: {100 * trial.rate:.0f} % right, {trial.seconds:.0f} s")
        asked = pilot.questions
        advice = advise(settings, trials, told_rationales=any(question.rationale for question in questions))
        if advice.chosen.flags.get("--few-shot") and pilot.examples:
            text = "\n\n".join(list(pilot.examples.values())[:EXAMPLES_SHOWN])
            write_atomically(settings.examples, text + "\n")
            say(f"worked examples written to {settings.examples}; look through them before you use them")
        limit = int(advice.chosen.flags.get("--max-new-tokens") or pilot.limit(form))
        say("measuring what a step of training costs")
        cost = _cost(model, tokenizer, form.template(tokenizer), asked, advice.chosen, settings, dtype, limit)
    return Findings(asked, trials, advice, cost, first_prompt(form.template(tokenizer), asked[0]), pilot.untried)


def _cost(
    model: Any,
    tokenizer: Any,
    template: PromptTemplate,
    questions: Sequence[Question],
    trial: Trial,
    settings: DoctorSettings,
    dtype: str,
    limit: int,
) -> Cost:
    """Seconds and memory of a step, from the pilot's drawing and from a gradient on some of its rationales."""
    tuned = prepare(model, tokenizer, seed=settings.seed)
    rationales = sorted(trial.all, key=lambda one: (not one.right, one.question_id))
    learned = [one for one in rationales if one.token_ids][:UPDATE_RATIONALES]
    prompts = {question.id: template.encode(tokenizer, question) for question in questions}
    terms = [Term(one.question_id, one.token_ids, 1 / len(learned)) for one in learned]
    begun = time.perf_counter()
    accumulate_gradient(tuned.model, terms, prompts, pad_token_id=tokenizer.pad_token_id, token_budget=4096)
    seconds = time.perf_counter() - begun
    training = TrainSettings(
        method="trice", model=settings.model, data=settings.data, questions=STEP_QUESTIONS,
        dtype="mixed" if dtype == "bfloat16" and tuned.kind == "full" else dtype,
    )  # fmt: skip
    predicted = forecast(training, tuned, list(prompts.values()), new_tokens=limit, samples=1)
    return Cost(
        sample_seconds=trial.seconds * STEP_QUESTIONS / len(trial.all),
        gradient_seconds=seconds * STEP_QUESTIONS / max(1, len(learned)),
        peak_mb=peak_memory_mb(), questions=STEP_QUESTIONS, predicted=predicted.lines,
    )  # fmt: skip
