"""The pilot: the same questions asked in several ways, for about as long as there is time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from aurify.answers import Grade, Grader
from aurify.doctor.settings import DoctorSettings
from aurify.doctor.trial import Trial
from aurify.doctor.worked import shown_to, worked_examples
from aurify.errors import AurifyError
from aurify.models.prefix import room_behind
from aurify.models.prompting import PromptForm
from aurify.progress import Counted
from aurify.questions import PromptTemplate, Question
from aurify.questions.needs import lacking_answer
from aurify.rationales import Drawing, Rationale
from aurify.rationales.draw import Request
from aurify.rationales.limit import limit_by_rule
from aurify.running.duration import seconds_of
from aurify.sampling import LocalSampler
from aurify.seeds import stable_seed

AHEAD = 4
"""Questions that are asked before the others, and tell how many there is time for."""
FIRST_SHARE = 0.5
"""How much of the time the first way may take."""


class UntriedWay(NamedTuple):
    """A way of asking that is yet to be tried."""

    name: str
    seconds: float
    """That it takes if rationales become as long as in the first way."""
    ask: Callable[[], Trial]


class Pilot:
    """Asks the same questions in several ways.

    Args:
        questions: those to ask, of which fewer are asked where time allows no more.
        progress: is told of the rationales as they are drawn.
        say: is told what the user should know meanwhile.
    """

    def __init__(
        self,
        settings: DoctorSettings,
        questions: Sequence[Question],
        model: Any,
        tokenizer: Any,
        grader: Grader,
        progress: Counted,
        say: Callable[[str], None],
    ) -> None:
        self._settings, self._model, self._tokenizer = settings, model, tokenizer
        self._sampler = LocalSampler(model, tokenizer, progress=self._tell)
        self._grader, self._progress, self._say = grader, progress, say
        self._n_drawn = self._n_right = 0
        """Rationales of the sampler's former calls, and right ones of all."""
        self.questions = questions
        """What every way asks."""
        self.examples: dict[str, str] = {}
        """Worked examples that were tried, by question id."""
        self.untried: list[str] = []
        """Ways that there was no time for."""

    def trials(self, form: PromptForm) -> Iterator[Trial]:
        """As the settings say; then, if wanted, other forms, a longer limit, worked examples and the guide."""
        seconds = seconds_of(self._settings.max_time)
        ends = time.perf_counter() + seconds
        first = self._first(form, seconds)
        yield first
        for way in self._other_ways(form, first) if self._settings.trials else ():
            if time.perf_counter() + way.seconds > ends:
                self.untried.append(way.name)
                continue
            try:
                yield way.ask()
            except AurifyError as error:  # what one way cannot do must not lose what the others have found
                self._say(f"{way.name}: left out, as it cannot be asked so: {error}")

    def _first(self, form: PromptForm, seconds: float) -> Trial:
        """As the settings say, with as many of the questions as there is time for."""
        wanted = self.questions
        self.questions = wanted[:AHEAD]
        ahead = self._trial(form, self._name(form), {})
        n = affordable(len(wanted), len(self.questions), ahead.seconds, FIRST_SHARE * seconds)
        if n < len(wanted):
            self._say(f"{n} of {len(wanted)} questions are asked, for time (--max-time {self._settings.max_time})")
        self.questions = wanted[len(self.questions) : n]
        rest = [self._trial(form, ahead.name, {})] if self.questions else []
        self.questions = wanted[:n]
        rows = [row for trial in (ahead, *rest) for row in trial.rows]
        return replace(ahead, rows=rows, seconds=sum(trial.seconds for trial in (ahead, *rest)))

    def _other_ways(self, form: PromptForm, first: Trial) -> Iterator[UntriedWay]:
        for other in self._other_forms(form):
            flags: dict[str, str | None] = {"--prompt": other.prompt}
            yield UntriedWay(self._name(other), first.seconds, partial(self._trial, other, self._name(other), flags))
        if form.prompt == "chat" and _may_think_less(form.template(self._tokenizer)):
            args = {**(form.template_args or {}), "enable_thinking": False}
            name, flags = f"{self._name(form)}, no thought", {"--template-args": json.dumps(args)}
            less = replace(form, template_args=args)
            yield UntriedWay(name, first.seconds, partial(self._trial, less, name, flags))
        cut = first.share("truncated")
        if cut > 0 and self._room(form) > self.limit(form):
            yield UntriedWay("a longer limit", cut * first.seconds, partial(self._longer, form, first))
        self.examples = {} if form.few_shot else worked_examples(self.questions, first.rows)
        if len(self.examples) > 1:
            yield UntriedWay("worked examples", first.seconds, partial(self._shown, form))
        if lacking_answer(self.questions) is None:
            name = "the answer told (guide)"
            yield UntriedWay(name, first.seconds, partial(self._trial, form, name, {}, hinted=True))

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
        rows = self._draw(template, self.questions, self.limit(form), hinted=hinted)
        return Trial(name, rows, time.perf_counter() - begun, flags, deployable=not hinted)

    def _shown(self, form: PromptForm) -> Trial:
        """With worked examples of the model's own, each question shown those of others."""
        texts = [shown_to(question, self.examples) for question in self.questions]
        begun = time.perf_counter()
        rows: list[list[Rationale]] = [[] for _ in texts]
        for text in dict.fromkeys(texts):
            template = replace(form, few_shot=text).template(self._tokenizer)
            places = [i for i, other in enumerate(texts) if other == text]
            drawn = self._draw(template, [self.questions[i] for i in places], self.limit(form))
            for i, row in zip(places, drawn, strict=True):
                rows[i] = row
        flags: dict[str, str | None] = {"--few-shot": self._settings.examples}
        return Trial("worked examples, its own", rows, time.perf_counter() - begun, flags)

    def _longer(self, form: PromptForm, first: Trial) -> Trial:
        """The same samples under twice the limit: those that were cut go on from where they are."""
        template = form.template(self._tokenizer)
        limit = min(2 * self.limit(form), self._room(form))
        begun = time.perf_counter()
        cut = [
            [i for i, row in enumerate(first.rows) if row[k].finish_reason == "length"] for k in range(first.samples)
        ]
        asked = [[self.questions[i] for i in places] for places in cut]
        requests = [
            Request(
                questions, template.encode_all(self._tokenizer, questions), first=k,
                stems=[first.rows[i][k].token_ids for i in places],
            )
            for k, (places, questions) in enumerate(zip(cut, asked, strict=True)) if places
        ]  # fmt: skip
        rows = [list(row) for row in first.rows]
        drawn = self._call(requests, template, limit, step=1)  # another step: its draws are not those of the stems
        for request, found in zip(requests, drawn, strict=True):
            for i, row in zip(cut[request.first], found, strict=True):
                rows[i][request.first] = row[0]
        seconds = first.seconds + time.perf_counter() - begun
        return Trial(f"a limit of {limit} tokens", rows, seconds, {"--max-new-tokens": str(limit)})

    def _draw(
        self, template: PromptTemplate, questions: Sequence[Question], limit: int, *, hinted: bool = False
    ) -> list[list[Rationale]]:
        prompts = template.encode_all(self._tokenizer, questions, hinted)
        request = Request(questions, prompts, "guide" if hinted else "self", self._settings.samples)
        return self._call([request], template, limit)[0]

    def _call(
        self, requests: Sequence[Request], template: PromptTemplate, limit: int, *, step: int = 0
    ) -> list[list[list[Rationale]]]:
        settings = self._settings
        drawing = Drawing(
            self._sampler, self._grader, settings.model, stable_seed(settings.seed, "doctor"), limit, template.stop,
            opening=template.opening, judged=self._judged, tokenizer=self._tokenizer,
        )  # fmt: skip
        found = drawing.draw_all(requests, step=step)
        self._n_drawn += sum(len(row) for rows in found for row in rows)
        return found

    def _judged(self, grade: Grade) -> None:
        self._n_right += grade.right

    def _tell(self, done: int, asked: int) -> None:
        self._progress(self._n_drawn + done, self._n_drawn + asked, self._n_right)

    def limit(self, form: PromptForm) -> int:
        """The most tokens of a rationale that is asked for in this form."""
        if form.max_new_tokens is not None:
            return form.max_new_tokens
        thinking = form.template(self._tokenizer).thinks
        return min(limit_by_rule(form.prompt, thinking=thinking).tokens, self._room(form))

    def _room(self, form: PromptForm) -> int:
        """The most tokens of a rationale that the model has positions for, behind the longest of the prompts."""
        prompts = form.template(self._tokenizer).encode_all(self._tokenizer, self.questions, hinted=True)
        room = room_behind(self._model, prompts)
        return sys.maxsize if room is None else max(1, room)


def affordable(wanted: int, asked: int, seconds: float, allowed: float) -> int:
    """How many questions may be asked in ``allowed`` seconds, where ``asked`` of them took ``seconds``."""
    return max(asked, min(wanted, int(asked * allowed / max(seconds, 1e-9))))


def _may_think_less(template: PromptTemplate) -> bool:
    """Whether the model is asked to think, and its template has the switch that tells it not to."""
    off = replace(template, template_args={**template.template_args, "enable_thinking": False})
    return template.thinks and not off.thinks
