"""Methods: each an E-step that says which rationales to learn from, with which signed weight. No I/O in here.

In expectation all of them ascend the success probability pi of every question, each with its own weight on grad pi:
RLOO 1, GRPO 1 / sqrt(pi (1 - pi)) in large groups, TRICE 1 / pi, and rejection sampling and the incorrect-only
estimator (1 - (1 - pi)^K) / pi, K draws a question.
"""

from aurify.methods.base import EStep, Method, Term
from aurify.methods.grpo import GRPO
from aurify.methods.incorrect_only import IncorrectOnly
from aurify.methods.rejection import RejectionSampling
from aurify.methods.rloo import RLOO
from aurify.methods.trice import Trice

__all__ = ["GRPO", "RLOO", "EStep", "IncorrectOnly", "Method", "RejectionSampling", "Term", "Trice"]
