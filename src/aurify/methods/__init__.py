"""Methods: each an E-step that says which rationales to learn from, with which signed weight. No I/O in here.

Those that learn from fresh samples or from the memory ascend, in expectation, the success probability pi of every
question, each with its own weight on grad pi: RLOO 1, GRPO 1 / sqrt(pi (1 - pi)) in large groups, TRICE (with a checker
or with a likelihood) 1 / pi, rejection sampling and the incorrect-only estimator (1 - (1 - pi)^K) / pi, K draws a
question. JEPO ascends lower bounds of log pi. STaR, ReST-EM, direct tuning and CoT tuning fit a fixed set of texts;
prompting learns nothing.
"""

from aurify.methods.base import EStep, Method, Term
from aurify.methods.cot import CoT
from aurify.methods.direct import Direct
from aurify.methods.grpo import GRPO
from aurify.methods.incorrect_only import IncorrectOnly
from aurify.methods.jepo import Jepo
from aurify.methods.likelihood import TriceLikelihood
from aurify.methods.prompting import Prompting
from aurify.methods.rejection import RejectionSampling
from aurify.methods.rest_em import RestEM
from aurify.methods.rloo import RLOO
from aurify.methods.star import Star
from aurify.methods.trice import Trice

__all__ = [
    "GRPO",
    "RLOO",
    "CoT",
    "Direct",
    "EStep",
    "IncorrectOnly",
    "Jepo",
    "Method",
    "Prompting",
    "RejectionSampling",
    "RestEM",
    "Star",
    "Term",
    "Trice",
    "TriceLikelihood",
]
