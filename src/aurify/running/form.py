"""The form in which a run asks its questions: as it was recorded, where the run goes on, else as the settings say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aurify.models.prompting import PromptForm, first_prompt, prompt_form
from aurify.questions import PromptTemplate, Question
from aurify.running.context import RunContext


@dataclass(frozen=True)
class RunForm:
    """A run's form, and the template that it makes for the run's tokenizer."""

    form: PromptForm
    template: PromptTemplate
    recorded: bool
    """Whether the run began with it before."""

    @classmethod
    def of(cls, settings: Any, tokenizer: Any, context: RunContext) -> RunForm:
        """The form that the folder records, if the run goes on; else that of the settings."""
        recorded = PromptForm.read(context.folder.path) if settings.resume else None
        form = recorded or prompt_form(settings, settings.model, tokenizer)
        return cls(form, form.template(tokenizer), recorded is not None)

    def tell(self, context: RunContext, first: Question) -> None:
        """Say it in a line; where the run begins, with its first question as it is asked."""
        context.say(self.form.line())
        if not self.recorded:
            context.say(first_prompt(self.template, first))

    def limited(self, new_tokens: int) -> RunForm:
        """With the most tokens of a rationale."""
        return replace(self, form=replace(self.form, max_new_tokens=new_tokens))

    def save(self, context: RunContext) -> None:
        """Record it in the folder, for all processes."""
        if context.world.main:
            self.form.save(context.folder.path)
        context.world.wait()
