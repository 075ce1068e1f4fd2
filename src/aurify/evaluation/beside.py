"""A question put to a run's model as it was before the run and as it is after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aurify.answers.grader import Grader, grader_of
from aurify.errors import AurifyError, UsageError
from aurify.models.precision import settle_dtype
from aurify.models.prompting import PromptForm
from aurify.parsing import read_toml
from aurify.progress import each_once
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.limit import PLAIN
from aurify.running.asked import read_asked
from aurify.running.folder import RunFolder
from aurify.sampling import Occasion
from aurify.sampling.local_factory import Local
from aurify.text import single_spaced


@dataclass
class BesideEachOther:
    """The model before and after a run, asked in the run's own form."""

    known: dict[str, Question]
    """The run's questions, by id and by text, in single spaces as somebody types it."""
    asked: list[tuple[Drawing, Any, PromptTemplate]]
    """Of the model before and of the one after: how it is drawn from, its tokenizer, its prompt."""
    count: int = field(default=0)
    """Questions put so far: each has seeds of its own."""

    def question(self, typed: str) -> Question | None:
        """The run's question with this text or id; None where it has none."""
        return self.known.get(typed) or self.known.get(single_spaced(typed))

    def ask(self, typed: str, *, temperature: float = 0.0) -> tuple[Rationale, Rationale]:
        """What the model wrote before and after; with a verdict where the question is one of the run's.

        The verdict on any other question means nothing: nobody knows its answer.
        """
        question = self.question(typed) or Question("typed", typed, "", "text")
        self.count += 1
        before, after = (
            drawing.draw(
                [question], template.encode_all(tokenizer, [question]), step=self.count, temperature=temperature
            )[0][0]
            for drawing, tokenizer, template in self.asked
        )
        return before, after


@contextmanager
def beside_each_other(
    folder: str, *, seed: int = 0, say: Callable[[str], None] = lambda text: None
) -> Iterator[BesideEachOther]:
    """Both models of a finished run of ``aurify train`` or ``aurify distill``.

    Args:
        folder: the run's.
        seed: of the samples.
        say: is told how the models are asked.

    Raises:
        AurifyError: it is no finished run's folder, or a model cannot be loaded.
    """
    run = RunFolder(folder)
    config, form = _of_run(run)
    say(form.line())
    known: dict[str, Question] = {}
    for question, _ in read_asked(run.questions):
        known |= {single_spaced(question.text): question, question.id: question}
    once = each_once(say)  # both models say what device and precision they are on
    with ExitStack() as stack:
        try:
            grader = grader_of(SimpleNamespace(**config), run.path)
        except UsageError as error:  # a function that is not here, as one that a script gave
            say(f"no verdicts: {error}")
            grader, known = Grader(), {}
        stack.enter_context(grader)
        asked = []
        for name in (str(config["model"]), str(run.model)):
            occasion = Occasion(name, settle_dtype("auto", name, say=once), say=once)
            sampler, tokenizer = stack.enter_context(Local().of_name(occasion))
            template = form.template(tokenizer)
            drawing = Drawing(
                sampler, grader, name, seed, form.max_new_tokens or PLAIN, template.stop, opening=template.opening
            )
            asked.append((drawing, tokenizer, template))
        yield BesideEachOther(known, asked)


def _of_run(run: RunFolder) -> tuple[dict[str, Any], PromptForm]:
    """The settings of a finished run, and how its model is asked."""
    if not run.config.is_file():
        raise AurifyError(f"{run.path}: no folder of a run; name the --out of aurify train or aurify distill")
    config = read_toml(run.config)
    form = PromptForm.read(run.path)
    if not run.model.is_dir() or not config.get("model") or form is None:
        raise AurifyError(f"{run.path}: has no model yet; end the run, or go on with it by --resume")
    return config, form
