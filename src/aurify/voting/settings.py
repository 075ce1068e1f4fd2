"""What ``aurify rank`` and ``aurify vote`` can be told; each field is a flag and a TOML key."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from aurify.answers.types import ANSWERS_HELP
from aurify.asking import WeightsDtype
from aurify.settings import MAX_RANK, NUMBERS_HELP, Settings
from aurify.unused import unused

_QUESTION_FIELD = "The field that holds the question."
_ANSWER_FIELD = "The field that holds the answer."

_OF_FAST = ("alone", "words")
_OF_NEURAL = ("model", "loss", "power", "lora_rank", "lr", "epochs", "questions", "max_tokens", "token_budget", "dtype",
              "save_every")  # fmt: skip

_OF_QUESTIONS = ("question_field", "answer_field", "skip_bad")


def check_vote(vote: str | None, ranker: str | None, stop: str) -> None:
    """Do nothing where such a vote can be held.

    Raises:
        ValueError: it cannot, in one line.
    """
    if vote in ("ws", "asc", "best") and ranker is None:
        raise ValueError(f"--vote {vote} needs --ranker (aurify rank makes one)")
    if stop == "certain" and vote == "best":
        raise ValueError("--stop certain is not for --vote best, whose last sample can always win")
    if vote == "logprob" and (ranker is not None or stop != "never"):
        raise ValueError("--vote logprob ranks all samples of a question: leave out --ranker and --stop")


class RankSettings(Settings):
    """Settings of ``aurify rank``."""

    from_: str = Field(description="Right and wrong rationales: a run's folder, a rationale table, or a file.")
    data: str = Field(description="Their questions: a file, a folder, or hf:NAME[:CONFIG[:SPLIT]].")
    out: str = Field(description="A new folder for the ranker.")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description=_QUESTION_FIELD)
    answer_field: str | None = Field(None, description=_ANSWER_FIELD)
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")
    seed: int = Field(0, ge=0, description="Of the split, of the training and of the intervals.")

    ranker: Literal["fast", "neural"] = Field("fast", description="Trees on features, or a transformer with a head.")
    samples: int = Field(8, ge=1, description="Candidates a pool, as they will be voted on; more are cut into pools.")
    holdout: float = Field(0.3, gt=0, lt=1, description="The share of questions held out: half calibrate, half report.")
    calibration: Literal["sigmoid", "isotonic", "none"] = Field(
        "sigmoid", description="Of the scores: a line in log-odds, or any rising curve."
    )
    weight: float = Field(1.0, ge=0, allow_inf_nan=False, description="lambda of adaptive voting, in the report.")

    alone: bool = Field(False, description="fast: look at each candidate by itself, not at the question's others.")
    words: bool = Field(False, description="fast: learn from the words too (hashed uni- and bigrams).")

    model: str = Field("nugget", description="neural: an encoder or a causal model, by folder or hub name.")
    loss: Literal["pair", "pointwise"] = Field(
        "pair", description="neural: (1 - s+)^p + (s-)^p over pairs, or log loss."
    )
    power: float = Field(3.0, ge=1, allow_inf_nan=False, description="neural: p of the pair loss.")
    lora_rank: int = Field(0, ge=0, le=MAX_RANK, description="neural: rank of LoRA matrices; 0 trains all weights.")
    lr: float | None = Field(None, gt=0, le=1e6, description="neural: peak learning rate [2e-5; with LoRA 1e-4]")
    epochs: int = Field(5, ge=1, description="neural: passes over the questions, a random pair of each.")
    questions: int = Field(8, ge=1, description="neural: questions a step.")
    max_tokens: int = Field(512, ge=2, description="neural: longer rows lose the question's beginning.")
    token_budget: int = Field(4096, ge=1, description="neural: tokens at once; changes speed and memory, not results.")
    dtype: WeightsDtype = "auto"
    save_every: int = Field(50, ge=1, description="neural: steps between checkpoints.")
    resume: bool = Field(False, description="neural: continue the training in --out from its last checkpoint.")

    json_: str | None = Field(None, description=NUMBERS_HELP)

    @model_validator(mode="after")
    def _consistent(self) -> RankSettings:
        if self.resume and self.ranker == "fast":
            raise ValueError("--resume is for --ranker neural: the fast one is trained at once")
        return self

    @property
    def unused(self) -> list[str]:
        """A line for each reason why something that is set means nothing."""
        other = _OF_FAST if self.ranker == "neural" else _OF_NEURAL
        pointwise = self.ranker == "neural" and self.loss == "pointwise"
        lines = [
            unused(self, other, f"no setting of a {self.ranker} ranker"),
            unused(self, ["power"] if pointwise else [], f"no setting that --loss {self.loss} looks at"),
        ]
        return [*filter(None, lines)]


class VoteSettings(Settings):
    """Settings of ``aurify vote FILE``."""

    file: str = Field(description="Several samples a question: a run's folder, a rationale table, or a file of rows.")
    data: str | None = Field(None, description="The questions, by id or text; with their answers the votes are judged.")
    answers: str | None = Field(None, description=ANSWERS_HELP)
    question_field: str | None = Field(None, description=_QUESTION_FIELD)
    answer_field: str | None = Field(None, description=_ANSWER_FIELD)
    skip_bad: bool = Field(False, description="Leave malformed rows out, and count them.")

    vote: Literal["sc", "ws", "asc", "best", "logprob"] | None = Field(
        None, description="sc counts, ws sums scores, asc counts and scores, best takes the best, logprob weighs by "
        "the rank of a sample's log-probability [asc; no ranker: sc]"
    )  # fmt: skip
    ranker: str | None = Field(None, description="The folder of a ranker (aurify rank), for ws, asc and best.")
    weight: float = Field(1.0, ge=0, allow_inf_nan=False, description="lambda of asc: a sample counts 1 + lambda s.")
    samples: int = Field(0, ge=0, description="The most samples a question, the first ones; 0: all.")
    stop: Literal["never", "certain", "beta"] = Field(
        "never", description="Stop early when the vote cannot change (certain) or is sure enough (beta)."
    )
    sure: float = Field(0.95, gt=0.5, lt=1, description="For --stop beta: how sure is sure enough.")

    cases: int = Field(0, ge=0, description="Questions that are shown with all their candidates, changed ones first.")
    out: str | None = Field(None, description="The file for the answers (JSON Lines), instead of standard output.")
    seed: int = Field(0, ge=0, description="Of the intervals.")

    @model_validator(mode="after")
    def _consistent(self) -> VoteSettings:
        check_vote(self.vote, self.ranker, self.stop)
        return self

    @property
    def unused(self) -> list[str]:
        """A line for each reason why something that is set means nothing."""
        from aurify.rationales.reading import is_table

        told = self.data is not None or not is_table(self.file)
        lines = [
            unused(self, ["weight"] if self.ranker is None else [], "there are no scores without --ranker"),
            unused(self, ["sure"] if self.stop != "beta" else [], f"no setting that --stop {self.stop} looks at"),
            unused(self, () if told else _OF_QUESTIONS, "a table holds no questions: name them with --data"),
        ]
        return [*filter(None, lines)]
