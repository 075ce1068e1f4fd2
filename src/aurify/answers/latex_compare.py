"""Comparison by computer algebra with math-verify. Imported only in the worker process, which can be killed."""

from __future__ import annotations

from typing import Any

from latex2sympy2_extended import NormalizationConfig
from math_verify import LatexExtractionConfig, parse, verify

from aurify.answers.latex import without_name

_CONFIG = LatexExtractionConfig(
    # units off: its list holds single letters, and would read "2 - t" as "2 -"
    normalization_config=NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
    )
)


def compare_latex(pred: str, gold: str) -> tuple[str, str]:
    """The verdict's word and its reason, of two tidied answers.

    math-verify is not symmetric (an equation on the gold side is not unwrapped), so both directions are asked.
    """
    itself = pred == gold
    pred, gold = without_name(pred, gold)
    ours = parse_latex(pred)
    if not ours:
        return "unparsable", "not an expression that math-verify can read"
    if itself:
        return "right", "the same expression"
    theirs = parse_latex(gold)
    if not theirs:
        return "unparsable", "the gold answer is not an expression that math-verify can read"
    for a, b in ((theirs, ours), (ours, theirs)):
        if verify(a, b, timeout_seconds=None, raise_on_error=False):
            return "right", "an equal expression (math-verify)"
    return "wrong", "not an equal expression (math-verify)"


def parse_latex(text: str) -> list[Any]:
    """What math-verify reads, nothing where it fails: the whole text or nothing, never a part of it."""
    parsed: list[Any] = parse(
        "$" + " ".join(text.split()) + "$",
        [_CONFIG],
        fallback_mode="no_fallback",
        extraction_mode="first_match",
        parsing_timeout=None,
    )
    return parsed
