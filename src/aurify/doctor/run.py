"""A diagnosis from settings to findings: the order of things, and nothing else."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from aurify.answers import Grade, Grader
from aurify.answers.grader import grader_of
from aurify.clock import peak_memory_mb
from aurify.doctor.advice import advise
from aurify.doctor.report import Cost, Findings
from aurify.doctor.settings import DoctorSettings
from aurify.doctor.trial import Trial
from aurify.doctor.worked import EXAMPLES_SHOWN, shown_to, worked_examples
from aurify.errors import AurifyError
from aurify.files import write_atomically
from aurify.methods import Term
from aurify.models import load_model, prepare
from aurify.models.device import best_device, device_line
from aurify.models.precision import settle_dtype
from aurify.models.prefix import room_behind
from aurify.models.prompting import PromptForm, first_prompt, prompt_form
from aurify.progress import Counted
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import read_as
from aurify.questions.needs import lacking_answer
from aurify.rationales import Drawing, Rationale
from aurify.rationales.draw import Request
from aurify.rationales.limit import limit_by_rule
from aurify.sampling import LocalSampler
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
    right: Counter[bool] = Counter()

    def judged(grade: Grade) -> None:
        right.update([True] if grade.right else [])

    def tell(done: int, asked: int) -> None:
        before = sum(len(trial.all) for trial in trials)
        progress(before + done, before + asked, right.total())

    with grader_of(settings) as grader:
        pilot = _Pilot(settings, chosen, LocalSampler(model, tokenizer, progress=tell), tokenizer, grader, judged, say)
        for trial in pilot.trials(form):
            trials.append(trial)
            say(f"{trial.name}: {100 * trial.rate:.0f} % right, {trial.seconds:.0f} s")
        advice = advise(settings, trials, told_rationales=any(question.rationale for question in questions))
        if advice.chosen.flags.get("--few-shot") and pilot.examples:
            text = "\n\n".join(list(pilot.examples.values())[:EXAMPLES_SHOWN])
            write_atomically(settings.examples, text + "\n")
            say(f"worked examples written to {settings.examples}; look through them before you use them")
        limit = int(advice.chosen.flags.get("--max-new-tokens") or pilot.limit(form))
        cost = _cost(model, tokenizer, form.template(tokenizer), chosen, advice.chosen, settings, dtype, limit)
    return Findings(chosen, trials, advice, cost, first_prompt(form.template(tokenizer), chosen[0]))


class _Pilot:
    """Asks the same questions in several ways."""

    def __init__(
        self,
        settings: DoctorSettings,
        questions: Sequence[Question],
        sampler: LocalSampler,
        tokenizer: Any,
        grader: Grader,
        judged: Callable[[Grade], None],
        say: Callable[[str], None],
    ) -> None:
        self._settings, self._questions, self._tokenizer, self._say = settings, questions, tokenizer, say
        self._sampler, self._grader, self._judged = sampler, grader, judged
        self.examples: dict[str, str] = {}
        """Worked examples that were tried, by question id."""

    def trials(self, form: PromptForm) -> Iterator[Trial]:
        """As the settings say; then, if wanted, other forms, a longer limit, worked examples and the guide."""
        first = self._trial(form, self._name(form), {})
        yield first
        if not self._settings.trials:
            return
        for name, ask in self._other_ways(form, first):
            try:
                yield ask()
            except AurifyError as error:  # what one way cannot do must not lose what the others have found
                self._say(f"{name}: left out, as it cannot be asked so: {error}")

    def _other_ways(self, form: PromptForm, first: Trial) -> Iterator[tuple[str, Callable[[], Trial]]]:
        for other in self._other_forms(form):
            flags: dict[str, str | None] = {"--prompt": other.prompt}
            yield self._name(other), partial(self._trial, other, self._name(other), flags)
        if form.prompt == "chat" and _may_think_less(form.template(self._tokenizer)):
            args = {**(form.template_args or {}), "enable_thinking": False}
            name, flags = f"{self._name(form)}, no thought", {"--template-args": json.dumps(args)}
            yield name, partial(self._trial, replace(form, template_args=args), name, flags)
        if first.share("truncated") > 0 and self._room(form) > self.limit(form):
            yield "a longer limit", partial(self._longer, form, first)
        self.examples = {} if form.few_shot else worked_examples(self._questions, first.rows)
        if len(self.examples) > 1:
            yield "worked examples", partial(self._shown, form)
        if lacking_answer(self._questions) is None:
            name = "the answer told (guide)"
            yield name, partial(self._trial, form, name, {}, hinted=True)

    def _name(self, form: PromptForm) -> str:
        return f"{form.prompt} prompt" + (", worked examples" if form.few_shot else "")

    def _other_forms(self, form: PromptForm) -> Iterator[PromptForm]:
        if form.prompt != "plain":
            yield replace(form, prompt="plain", system=None, template_args=None)
        elif getattr(self._tokenizer, "chat_template", None):
            yield replace(form, prompt="chat")
        if form.few_shot:
            yield replace(form, few_shot=None)

    def _trial(self, form: PromptForm, name: str, flags: dict[str, str | None], *, hinted: bool = False) -> Trial:
        template = form.template(self._tokenizer)
        begun = time.perf_counter()
        rows = self._draw(template, self._questions, self.limit(form), hinted=hinted)
        return Trial(name, rows, time.perf_counter() - begun, flags, deployable=not hinted)

    def _shown(self, form: PromptForm) -> Trial:
        """With worked examples of the model's own, each question shown those of others."""
        texts = [shown_to(question, self.examples) for question in self._questions]
        begun = time.perf_counter()
        rows: list[list[Rationale]] = [[] for _ in texts]
        for text in dict.fromkeys(texts):
            template = replace(form, few_shot=text).template(self._tokenizer)
            places = [i for i, other in enumerate(texts) if other == text]
            drawn = self._draw(template, [self._questions[i] for i in places], self.limit(form))
            for i, row in zip(places, drawn, strict=True):
                rows[i] = row
        flags: dict[str, str | None] = {"--few-shot": self._settings.examples}
        return Trial("worked examples, its own", rows, time.perf_counter() - begun, flags)

    def _longer(self, form: PromptForm, first: Trial) -> Trial:
        """The same samples under twice the limit: those that were cut go on, since a seed decides every token."""
        template = form.template(self._tokenizer)
        limit = min(2 * self.limit(form), self._room(form))
        begun = time.perf_counter()
        cut = [i for i, row in enumerate(first.rows) if any(one.finish_reason == "length" for one in row)]
        longer = iter(self._draw(template, [self._questions[i] for i in cut], limit))
        rows = [next(longer) if i in cut else row for i, row in enumerate(first.rows)]
        return Trial(f"a limit of {limit} tokens", rows, time.perf_counter() - begun, {"--max-new-tokens": str(limit)})

    def _draw(
        self, template: PromptTemplate, questions: Sequence[Question], limit: int, *, hinted: bool = False
    ) -> list[list[Rationale]]:
        settings = self._settings
        drawing = Drawing(
            self._sampler, self._grader, settings.model, stable_seed(settings.seed, "doctor"), limit, template.stop,
            opening=template.opening, judged=self._judged,
        )  # fmt: skip
        prompts = template.encode_all(self._tokenizer, questions, hinted)
        request = Request(questions, prompts, "guide" if hinted else "self", settings.samples)
        return drawing.draw_all([request], step=0)[0]

    def limit(self, form: PromptForm) -> int:
        """The most tokens of a rationale that is asked for in this form."""
        if form.max_new_tokens is not None:
            return form.max_new_tokens
        thinking = form.template(self._tokenizer).thinks
        return min(limit_by_rule(form.prompt, thinking=thinking).tokens, self._room(form))

    def _room(self, form: PromptForm) -> int:
        """The most tokens of a rationale that the model has positions for, behind the longest of the prompts."""
        prompts = form.template(self._tokenizer).encode_all(self._tokenizer, self._questions, hinted=True)
        room = room_behind(self._sampler.model, prompts)
        return sys.maxsize if room is None else max(1, room)


def _may_think_less(template: PromptTemplate) -> bool:
    """Whether the model is asked to think, and its template has the switch that tells it not to."""
    off = replace(template, template_args={**template.template_args, "enable_thinking": False})
    return template.thinks and not off.thinks


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
