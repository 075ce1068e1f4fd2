"""aurify check DATA: read a question file, verify every gold answer against itself, and preview the prompts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import FEW_SHOT, PROMPT, PromptName, System, TemplateArgs
from aurify.cli.options import add_command
from aurify.cli.progress import progress_bar
from aurify.errors import AurifyError, UsageError
from aurify.progress import Progress
from aurify.registry import Registry
from aurify.settings import Settings
from aurify.text import printable

if TYPE_CHECKING:
    from aurify.questions import LoadedQuestions, PromptTemplate, Question

LISTED = 20
"""Problems of a kind that are listed; the rest are counted."""
ALIKE = 3
"""Of problems that read the same in other places, how many are listed."""
ROOM_FOR_RATIONALE = 256
"""Tokens that a rationale needs behind its prompt: where fewer are left a prompt is called too long."""
PROMPT_SHOWN = 3000
"""Characters of a prompt that are shown; what is more is left out of its middle."""


class CheckSettings(Settings):
    """What is checked, and how its questions would be asked."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"answers": ANSWER_TYPES}

    data: str = Field(description="A question file, a folder of such files, or hf:NAME[:CONFIG[:SPLIT]].")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    model: str | None = Field(
        None, description="The model that would be asked: its tokenizer gives prompts and lengths; nugget is built in."
    )
    prompt: PromptName = Field("auto", description=PROMPT)
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None

    @property
    def max_new_tokens(self) -> None:
        """A check draws nothing."""


def run(settings: CheckSettings) -> None:
    """Read a question file, verify every gold answer against itself, and preview the prompts.

    The exit status is 1 where rows are bad (unless --skip-bad leaves them out) or gold answers do not verify.
    """
    from aurify.questions import read_questions

    template, tokenizer, how = _template(settings)
    questions = read_questions(
        settings.data,
        answers=settings.answers,
        question_field=settings.question_field,
        answer_field=settings.answer_field,
        skip_bad=True,
    )
    with progress_bar("gold answers") as progress:
        unverified = _unverified(questions, progress)
    for line in _overview(questions):
        _write(line)
    _write(f"bad rows      {len(questions.skipped)}")
    _list(questions.skipped)
    verifiable = sum(1 for question in questions if _verifiable(question))
    told = f"; {len(questions) - verifiable} have none to verify" if verifiable < len(questions) else ""
    _write(f"gold answers  {verifiable - len(unverified)} verify against themselves, {len(unverified)} do not{told}")
    _list(unverified)
    if questions:
        _write(how)
        lengths = _lengths(questions, template, tokenizer)
        _write(f"prompts       {_spread(lengths, tokenizer)}")
        if settings.model is not None:
            _list_long(lengths, settings.model)
        for question in _shown(questions):
            _show_prompts(question, template)
    problems = ([] if settings.skip_bad else questions.skipped) + unverified
    if problems and not questions:
        raise AurifyError(f"{settings.data}: no row can be read; the first is {': '.join(problems[0])}")
    if problems:
        first = ": ".join(problems[0])
        raise AurifyError(
            f"{settings.data}: {_count(len(questions.skipped), 'bad row')}, and "
            f"{_count(len(unverified), 'gold answer')} that cannot be verified; the first is {first}; "
            "mend the file, or leave bad rows out with --skip-bad"
        )
    if not questions:
        raise AurifyError(f"{settings.data}: no question is left")


register = partial(add_command, name="check", kind=CheckSettings, run=run, positional="data")


def _template(settings: CheckSettings) -> tuple[PromptTemplate, Any, str]:
    """How the questions would be asked, with the model's tokenizer if one is named, and a line that says it."""
    if settings.model is None:
        from aurify.questions import PromptTemplate

        if settings.prompt == "chat" or settings.system or settings.template_args:
            raise UsageError("a chat is shown in a model's own template: name it by --model")
        name = "plain" if settings.prompt == "auto" else settings.prompt
        template = PromptTemplate.named(name, None, settings.few_shot)
        return template, None, f"prompt: {name} (--model NAME shows how that model is asked)"
    from aurify.models.load import load_tokenizer
    from aurify.models.prompting import prompt_form

    tokenizer = load_tokenizer(settings.model)
    form = prompt_form(settings, settings.model, tokenizer)
    return form.template(tokenizer), tokenizer, form.line()


def _unverified(questions: Sequence[Question], progress: Progress) -> list[tuple[str, str]]:
    """(``file:line``, why) of every gold answer that is not judged right against itself."""
    from aurify.answers import Grader

    found = []
    with Grader() as grader:
        for done, question in enumerate(questions, start=1):
            for answer in _verifiable(question):
                grade = grader.grade(answer, replace(question, answer=answer, accepted=()))
                if not grade.right:
                    shown = printable(answer, 60)
                    found.append((question.where, f"the {question.answer_type} answer '{shown}': {grade.reason}"))
            progress(done, len(questions))
    return found


def _verifiable(question: Question) -> tuple[str, ...]:
    """The gold answers that must be right by their own type."""
    from aurify.answers import Judging, answer_type

    kind = answer_type(question.answer_type)
    verified = bool(question.answer) and (not isinstance(kind, Judging) or kind.verifies)
    return (question.answer, *question.accepted) if verified else ()


def _overview(questions: LoadedQuestions) -> list[str]:
    """How many questions there are, of which types, and the same a task where there are several."""
    from aurify.questions.forms import FORMS

    types = _types(questions.answer_types)
    several = [len(question.accepted) + 1 for question in questions if question.accepted]
    lines = [
        f"questions     {len(questions)} from {questions.source}",
        *(f"form          {count} {FORMS[word].word}: {FORMS[word].about}" for word, count in questions.forms.items()),
        f"answers       {types or 'none'} ({'inferred' if questions.inferred else 'as told by --answers'})",
        f"rationales    {sum(question.rationale is not None for question in questions)} rows hold a gold rationale",
    ]
    if several:
        lines.append(f"acceptable    {_count(len(several), 'question')} with several answers, {sum(several)} in all")
    tasks: dict[str, Counter[str]] = {}
    for question in questions:
        tasks.setdefault(question.task, Counter())[question.answer_type] += 1
    if len(tasks) > 1:
        width = max(len(printable(task, 60)) for task in tasks)
        for task, of_task in tasks.items():
            lines.append(f"  {printable(task, 60):<{width}}  {of_task.total():>6}  {_types(of_task)}")
    return lines + [f"note          {note}" for note in questions.notes]


def _types(types: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in types.most_common())


def _lengths(questions: Sequence[Question], template: PromptTemplate, tokenizer: Any) -> list[tuple[int, str]]:
    """(length, place) of every prompt, the shortest first: in tokens, or in characters where no model is named."""
    if tokenizer is None:
        return sorted((len(template.render(question)), question.where) for question in questions)
    encoded = template.encode_all(tokenizer, questions)
    return sorted((len(ids), question.where) for ids, question in zip(encoded, questions, strict=True))


def _spread(lengths: Sequence[tuple[int, str]], tokenizer: Any) -> str:
    unit, note = ("characters", "; --model NAME gives tokens") if tokenizer is None else ("tokens", "")
    middle, high = lengths[len(lengths) // 2][0], lengths[min(len(lengths) - 1, len(lengths) * 95 // 100)][0]
    longest, where = lengths[-1]
    return f"{lengths[0][0]} to {longest} {unit}, median {middle}, 95th percentile {high}, longest at {where}{note}"


def _list_long(lengths: Sequence[tuple[int, str]], model: str) -> None:
    """The prompts that leave a rationale little room, or none, before the model's last position."""
    from aurify.models.load import positions_of

    limit = positions_of(model)
    long = [
        (where, f"{length} tokens")
        for length, where in reversed(lengths)
        if limit and length > limit - ROOM_FOR_RATIONALE
    ]
    if long:
        most = f"{limit} positions less {ROOM_FOR_RATIONALE} for a rationale"
        _write(f"too long      {_count(len(long), 'prompt')} of more than {most}")
        _list(long)


def _shown(questions: Sequence[Question]) -> list[Question]:
    """The first question, and the first with options where that is another."""
    choice = next((question for question in questions if question.answer_type == "choice"), None)
    return [questions[0]] if choice is None or choice is questions[0] else [questions[0], choice]


def _show_prompts(question: Question, template: PromptTemplate) -> None:
    """The prompts of one question, as they are sent."""
    shown = [("prompt", template.render(question))]
    if question.answer:
        shown.append(("hinted prompt", template.render_hinted(question)))
    for title, text in shown:
        _write(f"--- {title} of {question.id} ({question.where})")
        text = _without_middle(text)
        sys.stdout.write(printable(text, newlines=True) + ("" if text.endswith("\n") else "\n"))


def _without_middle(text: str) -> str:
    """A text whose middle is left out where it is long: both ends of a prompt say how a model is asked."""
    more = len(text) - PROMPT_SHOWN
    if more <= 100:
        return text
    return f"{text[: PROMPT_SHOWN // 2]}\n[... {more:,} characters ...]\n{text[len(text) - PROMPT_SHOWN // 2 :]}"


def _list(problems: Sequence[tuple[str, str]]) -> None:
    """Problems with their places; of those that read the same the first few, and how many more there are."""
    alike = Counter(reason for _, reason in problems)
    told: Counter[str] = Counter()
    lines = []
    for where, reason in problems:
        told[reason] += 1
        if told[reason] <= ALIKE:
            lines.append(f"  {where}: {reason}")
        if told[reason] == ALIKE and alike[reason] > ALIKE:
            lines.append(f"  and {_count(alike[reason] - ALIKE, 'more row')} for the same reason")
    for line in lines[:LISTED]:
        _write(line)
    if len(lines) > LISTED:
        _write(f"  and {len(lines) - LISTED} more")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _write(line: str) -> None:
    sys.stdout.write(printable(line) + "\n")
