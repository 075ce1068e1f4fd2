"""An evaluation from settings to numbers: the order of things, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aurify.answers import Grade
from aurify.answers.grader import grader_of
from aurify.errors import UsageError
from aurify.evaluation.adaptive import drawn_until_sure
from aurify.evaluation.result import Evaluation, GroupScores, Tally
from aurify.evaluation.scores import Outcome, score
from aurify.evaluation.settings import EvaluateSettings
from aurify.evaluation.table import sampled_outcome, table_outcomes
from aurify.files import sweep
from aurify.lock import is_unused, sole_writer
from aurify.models.load import model_hashes
from aurify.models.precision import settle_dtype
from aurify.models.prefix import room_behind
from aurify.models.prompting import PromptForm, prompt_form
from aurify.progress import Counted
from aurify.questions import PromptTemplate, Question
from aurify.questions.chosen import chosen_questions
from aurify.questions.fingerprint import fingerprint, of_files
from aurify.questions.given import DataInPython
from aurify.questions.needs import need_votes
from aurify.rationales import Drawing, Rationale, RationaleTable
from aurify.rationales.limit import PLAIN, limit_by_rule, within_room
from aurify.sampling import LocalSampler, Occasion, Sampler
from aurify.sampling.chosen import declared_sampler
from aurify.sampling.journal import JOURNAL, Journal
from aurify.seeds import stable_seed

if TYPE_CHECKING:
    from aurify.voting.voter import Voter

RATIONALES_AT_A_TIME = 4096
"""Rationales that are drawn, judged, written and forgotten at a time: many times what decodes at once."""


def run_evaluation(
    settings: EvaluateSettings,
    *,
    questions: DataInPython | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Counted = lambda done, asked, right: None,
) -> Evaluation:
    """Measure a model as the settings say; with ``settings.out`` its rationales are kept there.

    Args:
        questions: in the place of reading ``settings.data``.
        say: is given lines for the user.
        progress: is called with (rationales done, rationales asked, right so far).

    Raises:
        UsageError: the folder ``settings.out`` is in use.
        AurifyError: bad data, or a model that cannot be loaded or does not hold the prompts.
    """
    for line in settings.unused:
        say(line)
    voter = _voter(settings, say)
    asked = chosen_questions(settings, questions, say, "evaluate on")
    if settings.vote is not None:
        need_votes(asked, f"--vote {settings.vote}")
    if settings.from_ is not None:
        begun = time.perf_counter()
        with grader_of(settings, say=say) as grader:
            asked, outcomes, tally = table_outcomes(settings, asked, grader, say, voter)
        return _evaluation(settings, asked, outcomes, {"sampled": tally}, time.perf_counter() - begun)
    tallies = {"greedy": Tally(), **({"sampled": Tally()} if settings.samples else {})}
    total, right_ones = len(asked) * (1 + settings.samples), [0]

    def tell(done: int, _: int) -> None:
        progress(sum(tally.verdicts.total() for tally in tallies.values()) + done, total, right_ones[0])

    def judged(grade: Grade) -> None:
        right_ones[0] += grade.right

    dtype = settle_dtype(settings.dtype, settings.model, say=say)
    occasion = Occasion(settings.model, dtype, progress=tell, say=say)
    with (
        _tables(settings.out, say) as tables,
        grader_of(settings, settings.out, say=say) as grader,
        declared_sampler(settings, occasion).of_name(occasion) as (sampler, tokenizer),
        ExitStack() as stack,
    ):
        begun = time.perf_counter()
        form = prompt_form(settings, settings.model, tokenizer)
        template = form.template(tokenizer)
        if settings.out:
            sampler = stack.enter_context(_journal(settings, sampler, asked, say))
            for unfinished in tables.values():
                unfinished.drop_after(-1)  # an evaluation that was stopped is written again, from its journal
        prompts = template.encode_all(tokenizer, asked)
        room = room_behind(sampler.model, prompts) if isinstance(sampler, LocalSampler) else None
        settings, limit = _settled(settings, form, template, room)
        say(f"{form.line()}; {limit}")
        drawing = Drawing(
            sampler, grader, settings.model, settings.seed, settings.max_new_tokens or PLAIN, template.stop,
            opening=template.opening, judged=judged,
        )  # fmt: skip
        outcomes = []
        for _, (greedy,) in _drawn(drawing, asked, prompts, 1, 0.0, tallies["greedy"], tables.get("greedy")):
            outcomes.append(Outcome(None if greedy.left_out else greedy.right))
        if settings.stop != "never" and voter:
            size = max(1, RATIONALES_AT_A_TIME // settings.samples)
            for number, start in enumerate(range(0, len(asked), size)):
                part = slice(start, start + size)
                found = drawn_until_sure(drawing, asked[part], prompts[part], settings, voter, grader)
                for index, (pool, credit) in enumerate(found, start):
                    tallies["sampled"].add(pool)
                    if table := tables.get("samples"):
                        table.append(pool)
                    outcomes[index] = replace(outcomes[index], votes={f"{settings.vote}@<={settings.samples}": credit})
                if table := tables.get("samples"):
                    table.flush(number)
        elif settings.samples:
            pools = _drawn(
                drawing, asked, prompts, settings.samples, settings.temperature, tallies["sampled"],
                tables.get("samples"),
            )  # fmt: skip
            for index, (question, pool) in enumerate(pools):
                sampled = sampled_outcome(question, pool, grader, voter)
                outcomes[index] = replace(sampled, right=outcomes[index].right)
        seconds = time.perf_counter() - begun
    for name, tally in tallies.items():
        if n := tally.verdicts["left-out"]:
            told = "" if name == "greedy" else "; a question with one is left out of what is said of samples"
            say(f"{n} {name} rationales are neither right nor wrong (left-out), and not counted{told}")
    return _evaluation(settings, asked, outcomes, tallies, seconds)


def _settled(
    settings: EvaluateSettings, form: PromptForm, template: PromptTemplate, room: int | None
) -> tuple[EvaluateSettings, str]:
    """The settings with the form and the token limit that were found, and what is said of the limit.

    No pilot is drawn: a limit that holds 95 % of the right rationales would take the others from the accuracy.
    """
    tokens, line = form.max_new_tokens, f"token limit {form.max_new_tokens}"
    if tokens is None:
        rule = within_room(limit_by_rule(form.prompt, thinking=template.thinks), room)
        tokens, line = rule.tokens, rule.line()
    return settings.model_copy(update={"prompt": form.prompt, "max_new_tokens": tokens}), line


def _voter(settings: EvaluateSettings, say: Callable[[str], None]) -> Voter | None:
    """Who votes on the samples besides the majority."""
    if settings.vote is None:
        return None
    from aurify.voting.voter import Voter

    return Voter(settings.vote, settings.ranker, settings.weight, settings.stop, say)


def _evaluation(
    settings: EvaluateSettings,
    asked: Sequence[Question],
    outcomes: Sequence[Outcome],
    tallies: dict[str, Tally],
    seconds: float,
) -> Evaluation:
    return Evaluation(
        settings,
        GroupScores(len(outcomes), score(outcomes, stable_seed(settings.seed, "bootstrap"))),
        _by([question.task for question in asked], outcomes, settings.seed),
        _by([question.level for question in asked], outcomes, settings.seed, without=""),
        tallies,
        seconds,
    )


@contextmanager
def _tables(out: str | None, say: Callable[[str], None]) -> Iterator[dict[str, RationaleTable]]:
    """The tables to fill, in a folder that holds none, and that is this process's as long as they are filled."""
    if out is None:
        yield {}
        return
    folder = Path(out)
    with sole_writer(folder, say):
        if not is_unused(folder) and not (folder / JOURNAL).is_file():
            raise UsageError(f"--out {out}: not empty: choose another folder")
        sweep(folder)
        yield {name: RationaleTable(folder / name) for name in ("greedy", "samples")}


@contextmanager
def _journal(
    settings: EvaluateSettings, sampler: Sampler, asked: Sequence[Question], say: Callable[[str], None]
) -> Iterator[Journal]:
    """What is drawn is written down until all of it is in the tables, and found there after a stop."""
    own = settings.model_dump(exclude={"out", "json_", "limit", "skip_bad"}, mode="json")
    read = [fingerprint({"questions": asked}), model_hashes(settings.model), of_files([settings.few_shot])]
    about = json.dumps([own, *read], sort_keys=True)
    digest = hashlib.sha256(about.encode()).hexdigest()
    journal = Journal(sampler, Path(settings.out or "") / JOURNAL, digest, say)
    try:
        yield journal
    except BaseException:
        journal.close()
        raise
    journal.end()


def _drawn(
    drawing: Drawing,
    questions: Sequence[Question],
    prompts: Sequence[tuple[int, ...]],
    samples: int,
    temperature: float,
    tally: Tally,
    table: RationaleTable | None,
) -> Iterator[tuple[Question, list[Rationale]]]:
    """Every question with its rationales, in order; they are counted, and written to the table."""
    size = max(1, RATIONALES_AT_A_TIME // samples)
    for part, start in enumerate(range(0, len(questions), size)):
        chunk = questions[start : start + size]
        rows = drawing.draw(chunk, prompts[start : start + size], step=0, samples=samples, temperature=temperature)
        for row in rows:
            tally.add(row)
            if table:
                table.append(row)
        if table:
            table.flush(part)  # a file a chunk: flushes of one step would rewrite one file again and again
        yield from zip(chunk, rows, strict=True)


def _by(
    names: Sequence[str], outcomes: Sequence[Outcome], seed: int, without: str | None = None
) -> dict[str, GroupScores]:
    """The outcomes scored a name, "Level 9" before "Level 10"; those named ``without`` are left out."""
    groups: dict[str, list[Outcome]] = {}
    for name, outcome in zip(names, outcomes, strict=True):
        groups.setdefault(name, []).append(outcome)
    return {
        name: GroupScores(len(groups[name]), score(groups[name], stable_seed(seed, "bootstrap", name)))
        for name in sorted(groups, key=_natural)
        if name != without
    }


def _natural(name: str) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
