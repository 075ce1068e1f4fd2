"""What an evaluation can be told; each field is a flag and a TOML key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import FEW_SHOT, LENGTH, PROMPT, PromptName, System, TemplateArgs, WeightsDtype
from aurify.registry import Registry
from aurify.sampling import SAMPLERS
from aurify.sampling.chosen import SAMPLER_HELP, check_sampler
from aurify.settings import NUMBERS_HELP, Settings
from aurify.unused import unused
from aurify.voting.settings import check_vote

_OF_DRAWING = ("temperature", "max_new_tokens", "prompt", "few_shot", "system", "template_args", "dtype")


class EvaluateSettings(Settings):
    """Settings of ``aurify evaluate``."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"sampler": SAMPLERS, "answers": ANSWER_TYPES}

    model: str = Field(description="A Hugging Face folder or hub name, an adapter folder, or 'nugget'.")
    data: str = Field(description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    from_: str | None = Field(
        None, description="Score what --model wrote into this table (aurify sample, aurify import); nothing is drawn."
    )
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    limit: int = Field(
        0,
        ge=0,
        description="At most this many questions, of those that a run with this --seed holds out first; 0: all. "
        "--limit 100 is a quick look.",
    )
    seed: int = Field(0, ge=0, description="Of the samples, of the choice of questions and of the intervals.")

    samples: int = Field(
        0, ge=0, description="Samples a question, for maj@k and pass@k; 0: greedy accuracy only, or all of --from."
    )
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False, description="Of the samples.")
    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description=f"{LENGTH} [as the model was trained; else 1024 in a chat, 4096 if it thinks, 256 otherwise]",
    )
    prompt: PromptName = Field("auto", description=PROMPT)
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None
    dtype: WeightsDtype = "auto"

    sampler: str = Field("local", description=SAMPLER_HELP)

    vote: Literal["sc", "ws", "asc", "best", "logprob"] | None = Field(
        None, description="Also vote among the samples: sc (counts), ws, asc or best (with a ranker's scores), logprob "
        "(by the rank of a sample's log-probability)."
    )  # fmt: skip
    ranker: str | None = Field(None, description="For --vote: the folder of a ranker (aurify rank).")
    weight: float = Field(1.0, ge=0, allow_inf_nan=False, description="For --vote asc: a sample counts 1 + weight s.")

    stop: Literal["never", "certain", "beta"] = Field(
        "never", description="With --vote, draw no more of a question once: certain, the rest cannot change the vote; "
        "beta, it is --sure enough (adaptive consistency). --samples is then the most."
    )  # fmt: skip
    sure: float = Field(0.95, gt=0.5, lt=1, description="For --stop beta: how sure.")

    json_: str | None = Field(None, description=NUMBERS_HELP)
    out: str | None = Field(None, description="A new folder for the rationales: greedy/ and samples/ (Parquet).")

    @model_validator(mode="after")
    def _consistent(self) -> EvaluateSettings:
        check_sampler(self)
        if self.from_ is not None and (self.out is not None or self.sampler != "local"):
            raise ValueError("--from draws nothing: leave out --out and --sampler")
        if self.vote is not None and not self.samples and self.from_ is None:
            raise ValueError(f"--vote {self.vote} needs --samples")
        if self.stop != "never" and (self.vote is None or self.from_ is not None):
            raise ValueError(f"--stop {self.stop} needs --vote and samples to draw; aurify vote stops within a table")
        check_vote(self.vote, self.ranker, self.stop)
        if self.ranker is not None and self.vote is None:
            raise ValueError("--ranker needs --vote")
        return self

    @property
    def unused(self) -> list[str]:
        """A line for each reason why something that is set means nothing."""
        drawn = self.from_ is None
        lines = [
            unused(self, () if drawn else _OF_DRAWING, "nothing is drawn with --from"),
            unused(self, ["temperature"] if drawn and not self.samples else [], "a greedy answer has no temperature"),
            unused(self, ["weight"] if self.vote != "asc" else [], "only --vote asc looks at it"),
            unused(self, ["sure"] if self.stop != "beta" else [], f"no setting that --stop {self.stop} looks at"),
        ]
        return [*filter(None, lines)]
