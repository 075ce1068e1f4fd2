"""Methods: each an E-step that says which rationales to learn from, with which signed weight. No I/O in here.

Those that learn from fresh samples or from the memory ascend, in expectation, the success probability pi of every
question, each with its own weight on grad pi: RLOO 1, GRPO 1 / sqrt(pi (1 - pi)) in large groups, TRICE (with a checker
or with a likelihood) 1 / pi, rejection sampling and the incorrect-only estimator (1 - (1 - pi)^K) / pi, K draws a
question, MaxRL the same with K - 1, negative reinforcement 1 + lambda. JEPO ascends lower bounds of log pi. STaR,
ReST-EM, direct tuning and CoT tuning fit a fixed set of texts; prompting learns nothing.

``METHODS`` gives each its word. A method is one file here and one line there, or a class of anybody's, chosen as
``module:Class`` or brought by a distribution under the entry-point group ``aurify.methods``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand
from aurify.registry import Alias, Registry

if TYPE_CHECKING:
    from aurify.methods.base import EStep, Method, Term

_RATIO = "samples are learned from once, by the model that drew them, so the clipped ratio is 1"

METHODS: Registry[Method] = Registry(
    "method",
    base="aurify.methods.base:Method",
    group="aurify.methods",
    entries={
        "trice": "aurify.methods.trice:Trice",
        "trice-likelihood": "aurify.methods.likelihood:TriceLikelihood",
        "star": "aurify.methods.star:Star",
        "rejection": "aurify.methods.rejection:RejectionSampling",
        "rest-em": "aurify.methods.rest_em:RestEM",
        "direct": "aurify.methods.direct:Direct",
        "cot": "aurify.methods.cot:CoT",
        "rloo": "aurify.methods.rloo:RLOO",
        "grpo": "aurify.methods.grpo:GRPO",
        "incorrect-only": "aurify.methods.incorrect_only:IncorrectOnly",
        "jepo": "aurify.methods.jepo:Jepo",
        "jepo-single": "aurify.methods.jepo:JepoSingle",
        "guided": "aurify.methods.guided:Guided",
        "maxrl": "aurify.methods.maxrl:MaxRL",
        "negative-reinforcement": "aurify.methods.negative_reinforcement:NegativeReinforcement",
        "prompting": "aurify.methods.prompting:Prompting",
    },
    aliases={
        "ppo": Alias("grpo", f"{_RATIO}, and the group stands in for the critic, so there is none"),
        "gspo": Alias("grpo", f"{_RATIO}, and no sequence is divided by its length"),
        "cispo": Alias("grpo", f"{_RATIO}, so its clipped weight is too"),
        "sapo": Alias("grpo", f"{_RATIO}, where its soft gate has slope 1"),
        "dapo": Alias("grpo", f"{_RATIO}; pure groups give nothing, but none is drawn again; its token mean is a rate"),
        "nft": Alias("grpo", f"{_RATIO}, and the implicit negative policy's gradient is the advantage's"),
        "latro": Alias("jepo-single", "without the divergence from a reference model, log p(y | x, z) is the reward"),
        "dr-grpo": Alias("rloo", "with K samples its gradient is (K - 1) / K times that, as a learning rate is"),
        "raft++": Alias("rejection", f"{_RATIO}, and every question's right samples count the same"),
    },
)

__all__ = ["METHODS", "EStep", "Method", "Term"]

_CLASSES = (entry.removeprefix(f"{__name__}.").split(":") for entry in METHODS.entries.values())
__getattr__ = on_demand(
    __name__, {**dict.fromkeys(("EStep", "Method", "Term"), "base"), **{name: module for module, name in _CLASSES}}
)
