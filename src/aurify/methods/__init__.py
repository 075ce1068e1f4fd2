"""Methods: each an E-step that says which rationales to learn from, with which signed weight. No I/O in here."""

from aurify.methods.base import EStep, Method, Term
from aurify.methods.trice import Trice

__all__ = ["EStep", "Method", "Term", "Trice"]
