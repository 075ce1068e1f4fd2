"""``--sampler local``: this process draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from aurify.registry import setting
from aurify.sampling.factory import Occasion, SamplerFactory
from aurify.sampling.protocol import Sampler


@dataclass(frozen=True)
class Local(SamplerFactory):
    """This process: exact samples of the model."""

    sample_dtype: Literal["weights", "bfloat16"] = setting(
        "weights", "The local sampler's: as the weights, or bfloat16, then samples are not exact ones."
    )
    exact: ClassVar[bool] = True

    @contextmanager
    def of_model(self, model: Any, tokenizer: Any, occasion: Occasion) -> Iterator[Sampler]:
        """A ``LocalSampler``; of a model that is trained, one that compares itself with the trainer now and then."""
        import torch

        from aurify.sampling.agreement import Agreement, limit_of
        from aurify.sampling.local import LocalSampler, reruns

        lowered, trained_in = self._lowers(occasion), occasion.trained_in
        agreement = None
        if trained_in is not None:
            alike = trained_in == "float32" and not lowered
            agreement = Agreement(
                model, tokenizer.pad_token_id, limit=limit_of(torch.float32 if alike else torch.bfloat16),
                who=("the sampler's", ", so what is learned from is not what was drawn: leave --dtype and "
                     "--sample-dtype"),
                autocast=None if trained_in == "float32" else torch.bfloat16,
            )  # fmt: skip
        if reruns(model):
            occasion.say("this model's layers keep states that are no key-value cache: sampling runs without, slowly")
        yield LocalSampler(
            model, tokenizer, dtype=torch.bfloat16 if lowered else None, clock=occasion.clock,
            progress=occasion.progress, agreement=agreement, say=occasion.say,
        )  # fmt: skip

    def declaration(self, occasion: Occasion) -> str:
        """Nothing, unless it computes in a lower precision than the weights may have."""
        if not self._lowers(occasion):
            return ""
        whose = "trained model" if occasion.trained_in else "model"
        return f"samples are drawn in bfloat16: almost those of the {whose}, not exact"

    def _lowers(self, occasion: Occasion) -> bool:
        """Whether it computes in bfloat16 what may be held in float32, as the trained weights of a bfloat16 run are."""
        if occasion.trained_in is not None:
            return "bfloat16" in (occasion.trained_in, self.sample_dtype)
        return self.sample_dtype == "bfloat16" and occasion.dtype != "bfloat16"
