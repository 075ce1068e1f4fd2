"""What the nugget is made by: sizes, lengths and rates, one flag of ``python -m aurify.nugget`` each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights depend on."""

    seed: int = 0
    steps: int = 7900
    tokens: int = 4096
    """Tokens a step, padding included."""
    block: int = 2048
    """Documents that are sorted by length together."""
    texts: int = 12000
    """Documents that the tokenizer is trained on."""
    muon_lr: float = 0.02
    adam_lr: float = 3e-3
    warmup: int = 100
    decay: float = 0.5
    """The share of the steps, at the end, over which the rates fall linearly to 0."""
    early: float = 0.72
    """The share of the steps whose writers are mostly careful."""
    opening: float = 6.0
    """The weight, once the early writers are done, of a rationale's first token, which decides its style."""
    drills: float = 0.08
    """The share of the steps, at the beginning, that are mostly copying exercises."""
    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 384
