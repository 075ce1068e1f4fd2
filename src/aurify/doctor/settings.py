"""What ``aurify doctor`` can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator
from typing_extensions import Self

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import FEW_SHOT, LENGTH, PROMPT, PromptName, System, TemplateArgs, WeightsDtype
from aurify.registry import Registry
from aurify.running.duration import seconds_of
from aurify.settings import NUMBERS_HELP, Settings


class DoctorSettings(Settings):
    """Settings of ``aurify doctor``."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"answers": ANSWER_TYPES}

    model: str = Field(description="A Hugging Face folder or hub name, an adapter folder, or 'nugget'.")
    data: str = Field(description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    questions: int = Field(16, ge=2, description="Questions of the pilot.")
    samples: int = Field(4, ge=1, description="Rationales drawn of each, for every trial.")
    seed: int = Field(0, ge=0, description="Chooses the questions and the samples.")
    prompt: PromptName = Field("auto", description=PROMPT)
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None
    max_new_tokens: int | None = Field(None, ge=1, description=f"{LENGTH} [by the prompt's form]")
    dtype: WeightsDtype = "auto"
    max_time: str = Field(
        "10m",
        description="About how long it may take once the model is loaded (10m, 1h): a slow model is asked fewer "
        "questions, in fewer ways.",
    )
    trials: bool = Field(True, description="Also try other prompts, a longer limit and the guide, side by side.")
    examples: str = Field(
        "worked_examples.txt",
        description="Where worked examples made of the pilot's own right rationales are written, if they help.",
    )
    json_: str | None = Field(None, description=NUMBERS_HELP)

    @model_validator(mode="after")
    def _checked(self) -> Self:
        try:
            seconds_of(self.max_time)
        except ValueError as error:
            raise ValueError(f"--max-time {error}") from None
        return self
