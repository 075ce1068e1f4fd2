"""What ``aurify sample`` can be told; each field is a flag and a TOML key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from aurify.answers.types import ANSWER_TYPES, ANSWERS_HELP
from aurify.asking import FEW_SHOT, LENGTH, PROMPT, PromptName, System, TemplateArgs, WeightsDtype
from aurify.collecting.keys import OPENAI, written_url
from aurify.parsing import parse_json
from aurify.registry import Registry
from aurify.sampling import SAMPLERS
from aurify.sampling.chosen import SAMPLER_HELP, check_sampler
from aurify.settings import Settings

RESERVED_FIELDS = {
    "messages": "", "prompt": "", "stream": "", "model": "",
    "max_tokens": ": use --max-new-tokens", "max_completion_tokens": ": use --max-new-tokens",
    "best_of": ": the server bills samples that it does not send",
}  # fmt: skip
"""Fields of a request that ``--request`` may not set, since the caps count on what the other settings say."""

_OF_AN_API = (
    "key_env", "request", "choices", "concurrency", "timeout", "retries", "first_wait", "money_cap", "token_cap",
    "price_in", "price_out", "cache",
)  # fmt: skip


class SampleSettings(Settings):
    """Settings of ``aurify sample``."""

    doors: ClassVar[Mapping[str, Registry[Any]]] = {"sampler": SAMPLERS, "answers": ANSWER_TYPES}

    model: str = Field(
        description="A Hugging Face folder or hub name, an adapter folder, or 'nugget'; with --api the server's name."
    )
    data: str = Field(description="The questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    out: str = Field(
        description="The folder for rationales/ (the table) and the cache; the same command goes on in it."
    )
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description="The field that holds the question.")
    answer_field: str | None = Field(None, description="The field that holds the answer.")
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    limit: int = Field(
        0,
        ge=0,
        description="At most this many questions, of those that a run with this --seed trains on first; 0: all. "
        "--limit 100 is a quick look.",
    )
    seed: int = Field(0, ge=0, description="Of the samples and of the choice of questions.")

    samples: int = Field(8, ge=1, le=10000, description="Samples a question.")
    temperature: float = Field(1.0, ge=0, allow_inf_nan=False, description="Of the samples; 0 is greedy.")
    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description=f"{LENGTH} [1024 for an API; else as for train]",
    )
    prompt: PromptName = Field("auto", description=f"{PROMPT} For an API: a chat.")
    few_shot: str | None = Field(None, description=FEW_SHOT)
    system: System = None
    template_args: TemplateArgs = None
    dtype: WeightsDtype = "auto"

    sampler: str = Field("local", description=f"{SAMPLER_HELP} Not for an API.")

    api: str | None = Field(None, description=f"An OpenAI-compatible server's URL up to /v1, or 'openai' ({OPENAI}).")
    key_env: str | None = Field(
        None, description="The environment variable with the key [OPENAI_API_KEY for OpenAI, else AURIFY_API_KEY]"
    )
    request: str | None = Field(
        None, description='More fields of every request, as JSON: {"top_p": 0.95}; null takes a field out.'
    )
    choices: int = Field(
        8, ge=1, le=128, description="Samples that one request asks for; they share the prompt's cost."
    )
    concurrency: int = Field(8, ge=1, le=1024, description="Requests at a time.")
    timeout: float = Field(120.0, gt=0, le=86400, description="Seconds for one request.")
    retries: int = Field(6, ge=0, le=100, description="Further attempts after time-outs, 429 and 5xx, with back-off.")
    first_wait: float = Field(0.5, ge=0, le=60, description="Seconds before the first further attempt; then doubled.")
    money_cap: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="USD that all runs on this cache together may cost; 0: no cap."
    )
    token_cap: int = Field(0, ge=0, description="Tokens, prompts' and samples', that they may take; 0: no cap.")
    price_in: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="USD per million prompt tokens [a table of list prices]"
    )
    price_out: float | None = Field(None, ge=0, allow_inf_nan=False, description="USD per million sampled tokens.")
    cache: str | None = Field(None, description="The SQLite file with all that was paid for [OUT/requests.sqlite]")

    @property
    def url(self) -> str:
        """The server's URL; empty for a local model."""
        return OPENAI if self.api == "openai" else (self.api or "")

    @property
    def extra(self) -> dict[str, Any]:
        """The further fields of every request."""
        return parse_json(self.request) if self.request else {}

    @field_validator("api")
    @classmethod
    def _is_url(cls, api: str | None) -> str | None:
        return api if api is None or api == "openai" else written_url(api)

    @field_validator("request")
    @classmethod
    def _is_object(cls, request: str | None) -> str | None:
        try:
            fields = parse_json(request) if request else {}
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise ValueError('expected a JSON object such as {"top_p": 0.95}')
        if clash := sorted(RESERVED_FIELDS.keys() & fields.keys()):
            raise ValueError(f"'{clash[0]}' is not for this setting{RESERVED_FIELDS[clash[0]]}")
        if fields.get("n") not in (None, 1):  # some servers know no n, or none above 1
            raise ValueError("'n' may be null or 1 here: use --choices")
        return request

    @model_validator(mode="after")
    def _fit(self) -> SampleSettings:
        if not self.api:
            defaults = type(self).model_fields
            for name in _OF_AN_API:
                if getattr(self, name) != defaults[name].default:
                    raise ValueError(f"--{name.replace('_', '-')} is for an API: say which with --api")
        if self.api and self.dtype != "auto":
            raise ValueError(f"--dtype {self.dtype} is for a model in hand: leave it with --api")
        if self.api and self.sampler != "local":
            raise ValueError(f"--sampler {self.sampler} draws from a model in hand: leave it with --api")
        check_sampler(self)
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("--price-in and --price-out go together")
        return self
