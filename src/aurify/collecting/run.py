"""``aurify sample`` from settings to a table: the order of things, for a local model and for an API."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aurify.answers import Grade
from aurify.answers.grader import grader_of
from aurify.collecting.api import Cache, Price
from aurify.collecting.api.cache import Spent
from aurify.collecting.api.prices import settled_price
from aurify.collecting.keys import OPENAI, api_key
from aurify.collecting.settings import SampleSettings
from aurify.collecting.teaching import Server, Teaching, graded_replies
from aurify.errors import AurifyError, UsageError
from aurify.files import sweep, write_atomically
from aurify.lock import is_unused, sole_writer
from aurify.models.load import model_hashes
from aurify.models.prompting import PromptForm, prompt_form
from aurify.parsing import parse_json
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import chosen_questions
from aurify.questions.fingerprint import changes, fingerprint, of_files
from aurify.questions.given import DataInPython
from aurify.rationales.draw import Drawing
from aurify.rationales.limit import (
    CHAT,
    PLAIN,
    Limit,
    limit_by_rule,
    limit_from_pilot,
    within_room,
    worth_a_pilot,
)
from aurify.rationales.record import Rationale
from aurify.rationales.table import RationaleTable
from aurify.running.folder import difference, elsewhere
from aurify.running.precision import with_dtype
from aurify.sampling import Occasion
from aurify.sampling.chosen import declared_sampler
from aurify.sampling.journal import JOURNAL, Journal

FINGERPRINT_FILE = "read.json"
"""In the folder: the fingerprint of what was read."""
PART = 4096
"""Rationales a file of the table, about: whole questions."""

FREE_ON_REPEAT = {"concurrency", "timeout", "retries", "first_wait", "money_cap", "token_cap", "price_in", "price_out",
                  "choices", "key_env", "out", "cache"}  # fmt: skip
"""Settings that a repeated command may change in the same folder."""
FREE_WITH_CACHE = {"samples", "limit", "skip_bad"}
"""And these where a cache keeps what was drawn: the table is written again."""


class SamplingWatcher:
    """Is told how far the work is; this one does not listen."""

    def begin(self, known: int, asked: int) -> None:
        """``known`` samples are here already, of ``asked``."""

    def came(self, samples: int, cost: float, tokens: int) -> None:
        """``samples`` more came from an API; cost and tokens are all that was billed so far."""

    def at(self, done: int, right: int) -> None:
        """How many samples a local model has drawn, and how many of them are right."""


@dataclass
class Sampled:
    """What came of a run."""

    folder: Path
    questions: int
    asked: int
    verdicts: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)
    """What a reward function gave."""
    failures: list[str] = field(default_factory=list)
    stopped: str | None = None
    """Which cap ended it."""
    spent: Spent | None = None
    """All that was billed on the cache; None for a local model."""
    unsure: Spent | None = None
    """Of that, requests that failed or were cut off, of which nobody knows whether they were billed."""
    price: Price | None = None

    def add(self, rationales: Sequence[Rationale]) -> None:
        """Count these."""
        self.verdicts.update(str(rationale.verdict) for rationale in rationales)
        self.scores += [rationale.score for rationale in rationales if rationale.score is not None]


def run_sample(
    settings: SampleSettings,
    *,
    questions: DataInPython | None = None,
    say: Callable[[str], None] = lambda text: None,
    watcher: SamplingWatcher | None = None,
) -> Sampled:
    """Draw rationales as the settings say, into ``settings.out``. The same settings again go on where it stopped.

    Args:
        questions: in the place of reading ``settings.data``.
        say: is given lines for the user.
        watcher: is told how far the work is.

    Raises:
        UsageError: the folder is in use by something else, a key or a price is missing.
        AurifyError: bad data, a model that cannot be loaded, or a server that refuses everything.
    """
    key = api_key(settings.url, settings.key_env, "--api")
    price, watcher = known_price(settings), watcher or SamplingWatcher()
    settings = settings if settings.api else with_dtype(settings, say)
    folder = Path(settings.out)
    asked = chosen_questions(settings, questions, say, "ask", to_learn=True)
    with sole_writer(folder, say):
        _claim(folder, settings, asked)
        found = Sampled(folder, len(asked), len(asked) * settings.samples, price=price)
        if settings.api:
            known = f"counted at ${price.input:g} in and ${price.output:g} out per million tokens" if price else (
                "its price is not known, so no cost is counted: --price-in and --price-out give it"
            )  # fmt: skip
            say(f"{settings.model}: {known}")
            _from_api(settings, asked, found, key, say, watcher)
        else:
            _from_model(settings, asked, found, say, watcher)
        return found


def _from_api(
    settings: SampleSettings,
    asked: list[Question],
    found: Sampled,
    key: tuple[str, str | None],
    say: Callable[[str], None],
    watcher: SamplingWatcher,
) -> None:
    cache = Cache(settings.cache or found.folder / "requests.sqlite")
    try:
        teaching = Teaching(
            Server(
                settings.url, key[1], key[0], settings.timeout, settings.concurrency, settings.choices,
                settings.retries, settings.first_wait,
            ),
            cache,
            PromptTemplate.for_server(
                "chat" if settings.prompt == "auto" else settings.prompt, settings.few_shot, system=settings.system,
                template_args=json.loads(settings.template_args) if settings.template_args else None,
            ),
            settings.model,
            settings.seed,
            settings.max_new_tokens or CHAT,
            found.price,
            settings.money_cap,
            settings.token_cap,
            settings.extra,
            "max_completion_tokens" if settings.url == OPENAI else "max_tokens",
            progress=lambda samples, budget: watcher.came(samples, budget.cost, budget.tokens),
            say=say,
        )  # fmt: skip
        asks = teaching.asks(asked, samples=settings.samples, temperature=settings.temperature)
        watcher.begin(teaching.known(asks), found.asked)
        answers = teaching.ask(asks)
        found.failures, found.stopped = answers.failures, answers.stopped
        found.spent, found.unsure = cache.spent("paid", "unknown"), cache.spent("unknown")
    finally:
        cache.close()
    table = RationaleTable(found.folder / "rationales")
    table.drop_after(-1)
    with grader_of(settings, found.folder, say=say) as grader:
        for part, (start, chunk) in enumerate(_chunks(asked, settings.samples)):
            end = start + len(chunk)
            for row in graded_replies(chunk, asks[start:end], answers.replies[start:end], grader, settings.model):
                found.add(row)
                table.append(row)
            table.flush(part)


def _from_model(
    settings: SampleSettings,
    asked: list[Question],
    found: Sampled,
    say: Callable[[str], None],
    watcher: SamplingWatcher,
) -> None:
    table = RationaleTable(found.folder / "rationales")
    before = {part: table.read_step(part) for part in table.steps()}
    watcher.begin(sum(map(len, before.values())), found.asked)

    right_ones = [0]  # of the part that is being drawn
    counts = [False]  # a pilot's rationales are none of those asked

    def tell(done: int, _: int) -> None:
        if counts[0]:
            watcher.at(found.verdicts.total() + done, found.verdicts["right"] + right_ones[0])

    def judged(grade: Grade) -> None:
        right_ones[0] += grade.right

    occasion = Occasion(settings.model, settings.dtype, folder=found.folder, progress=tell, say=say)
    with (
        grader_of(settings, found.folder, say=say) as grader,
        declared_sampler(settings, occasion).of_name(occasion) as (sampler, tokenizer),
    ):
        form = PromptForm.read(found.folder) or prompt_form(settings, settings.model, tokenizer)
        template = form.template(tokenizer)
        say(form.line())
        drawing = Drawing(
            sampler, grader, settings.model, settings.seed, form.max_new_tokens or PLAIN, template.stop,
            opening=template.opening, judged=judged,
        )  # fmt: skip
        if form.max_new_tokens is None:
            limit = _limit(form, template, tokenizer, drawing, asked, found.asked)
            say(limit.line())
            form = replace(form, max_new_tokens=limit.tokens)
            drawing = replace(drawing, max_new_tokens=limit.tokens)
        form.save(found.folder)
        counts[0] = True
        journal = Journal(sampler, found.folder / JOURNAL, say=say)
        drawing = replace(drawing, sampler=journal)
        for part, (_, chunk) in enumerate(_chunks(asked, settings.samples)):
            if part in before:
                found.add(before[part])
                continue
            right_ones[0] = 0
            prompts = template.encode_all(tokenizer, chunk)
            rows = drawing.draw(
                chunk, prompts, step=0, samples=settings.samples, temperature=settings.temperature,
                source="few-shot" if settings.few_shot else "self",
            )  # fmt: skip
            for row in rows:
                found.add(row)
                table.append(row)
            table.flush(part)
            journal.forget()
        journal.end()


def _limit(
    form: PromptForm, template: PromptTemplate, tokenizer: Any, drawing: Drawing, asked: list[Question], n: int
) -> Limit:
    """How long a rationale may become, where neither the settings nor the model's record say it."""
    from aurify.models.prefix import room_behind
    from aurify.sampling import LocalSampler

    rule = limit_by_rule(form.prompt, thinking=template.thinks)
    if form.prompt == "direct" or not isinstance(drawing.sampler, LocalSampler):
        return rule
    model = drawing.sampler.model
    room = room_behind(model, template.encode_all(tokenizer, asked))
    if not worth_a_pilot(sum(parameter.numel() for parameter in model.parameters()), n):
        return within_room(rule, room)
    return limit_from_pilot(
        asked, lambda piloted: template.encode_all(tokenizer, piloted), drawing, most=max(CHAT, rule.tokens),
        room=room,
    )  # fmt: skip


def _chunks(questions: list[Question], samples: int) -> Iterator[tuple[int, list[Question]]]:
    """The questions of each part of the table, and the place of the first."""
    size = max(1, PART // samples)
    for start in range(0, len(questions), size):
        yield start, questions[start : start + size]


def known_price(settings: SampleSettings) -> Price | None:
    """What the server's tokens are counted at; None where nobody says, and for a local model.

    Raises:
        UsageError: there is a cap on money and no price.
    """
    return settled_price(settings.model, settings.url, settings.price_in, settings.price_out, settings.money_cap)


def _same_read(folder: Path, settings: SampleSettings, asked: Sequence[Question]) -> None:
    """Refuse to go on with a table whose first parts are of other questions, worked examples or weights."""
    files, model = of_files([settings.few_shot]), model_hashes(settings.model)
    now = {**fingerprint({"questions": asked}), "files": files, "model": model}
    record = folder / FINGERPRINT_FILE
    if record.is_file():
        try:
            found = changes(parse_json(record.read_text(encoding="utf-8")), now)
        except (ValueError, AttributeError, TypeError):
            raise AurifyError(f"{record}: cannot be read; choose another --out") from None
        if found:
            raise UsageError(
                f"--out {folder}: what is read is not what its table was begun with ({found}): bring it back, or "
                "choose another folder"
            )
    write_atomically(record, json.dumps(now, ensure_ascii=False) + "\n")


def _claim(folder: Path, settings: SampleSettings, asked: Sequence[Question]) -> None:
    """Make the folder ready, or refuse without touching what it holds."""
    config = folder / "config.toml"
    if config.is_file():
        free = FREE_ON_REPEAT | elsewhere(folder / FINGERPRINT_FILE, settings)
        if found := difference(config, settings, free | (FREE_WITH_CACHE if settings.api else set())):
            raise UsageError(f"--out {folder}: there, {found}; go on with its own settings, or choose another folder")
    elif not is_unused(folder):
        raise UsageError(f"--out {folder}: already there and not empty: choose another folder")
    for place in (folder, folder / "rationales"):
        sweep(place)
    if not settings.api:
        _same_read(folder, settings, asked)
    write_atomically(config, settings.to_toml())
