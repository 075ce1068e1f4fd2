"""How chains start, and what is learned from where that is given: the words of ``--memory``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aurify.answers import Grader
from aurify.methods import Method
from aurify.models.prompting import PromptForm
from aurify.questions import Prompts, Question
from aurify.questions.needs import lacking_answer, need_answers
from aurify.rationales.known_questions import KnownQuestions
from aurify.rationales.reading import read_with_texts
from aurify.running.asked import texts_asked
from aurify.training.first_rationales import Drawn, Empty, Given, Starter
from aurify.training.settings import TrainSettings


def settled_start(
    settings: TrainSettings, method: Method, train: Sequence[Question], say: Callable[[str], None]
) -> str:
    """How chains start: as ``--memory`` says, and where it leaves that to us, by what the questions hold.

    Raises:
        UsageError: the method, or the start that is asked for, needs gold answers that are not there.
    """
    told = any(question.rationale for question in train)
    by_us = settings.memory == "auto"
    if lacking_answer(train) is not None:
        if method.answers_alone or method.scores_answers or method.rationalises:
            need_answers(train, settings.method)
        if method.corrects_guide:
            need_answers(train, f"{settings.method} with a corrected guide, which tells the answer in the prompt,")
        if settings.memory == "guide":
            need_answers(train, "--memory guide, which tells the answer in the prompt,")
        if by_us and not method.given:
            say("memory: none, since some questions have no gold answer that a guide could tell")
            return "none"
        if by_us and not told:
            need_answers(train, f"{settings.method} without gold rationales, which a guide would write,")
    if by_us and method.given:
        return "gold" if told else "guide"
    return settings.memory


def starters(
    settings: TrainSettings, form: PromptForm, prompts: Prompts, written: dict[str, Given]
) -> dict[str, Starter]:
    """The ways to start a chain that these settings allow, by the word of ``--memory``."""
    found: dict[str, Starter] = {
        "guide": Drawn(prompts, "guide", hinted=True),
        "none": Empty(),
        **written,
    }
    if settings.memory == "few-shot":
        examples = form.template(prompts.tokenizer, few_shot=settings.memory_from)
        encoded = Prompts(examples, prompts.tokenizer)
        found["few-shot"] = Drawn(encoded, "few-shot", stop=examples.stop)
    return found


def written_rationales(
    settings: TrainSettings,
    method: Method,
    prompts: Prompts,
    grader: Grader,
    train: Sequence[Question],
    say: Callable[[str], None],
) -> dict[str, Given]:
    """The rationales that somebody wrote, by the word of ``--memory``; the answers, where these alone are learned."""

    def encode(text: str) -> Sequence[int]:
        return prompts.template.encode_reply(prompts.tokenizer, text)

    def gold(question: Question) -> list[str]:
        if method.answers_alone:
            return [f" {question.answer}"]
        return [question.rationale] if question.rationale else []

    written = {"gold": Given(gold, encode, grader, source="gold", model="")}
    if settings.memory == "table" and settings.memory_from:
        texts: dict[str, list[str]] = {}
        read, by_id = read_with_texts(settings.memory_from)
        for rationale in KnownQuestions(train).renamed(read, by_id or texts_asked(Path(settings.memory_from))):
            texts.setdefault(rationale.question_id, []).append(rationale.text)

        def told(question: Question) -> Sequence[str]:
            return texts.get(question.id, ())

        if lacking := sum(not told(question) for question in train):
            say(f"--memory-from {settings.memory_from}: nothing of {lacking} of {len(train)} training questions")
        written["table"] = Given(told, encode, grader, source="teacher", model=settings.memory_from)
    return written
