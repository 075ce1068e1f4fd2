"""What can be told of one candidate without a model and without its rivals: shape, arithmetic, the answer's form.

No gold answer enters. The cues of the question's wording are English; elsewhere they are simply all zero.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from aurify.rationales.arithmetic import check_arithmetic, value_of_arithmetic

Features = dict[str, float]

NUMBER_PATTERN = re.compile(r"\d+(?:\.\d+)?")
_HEDGES = re.compile(
    r"\b(?:assum|approximat|however|but |mistake|cannot|not possible|guess|instead|suppose|error|sorry|hence)",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"frac\{(\d{1,18})\}\{(\d{1,18})\}|frac(\d)(\d)|(\d{1,18})/(\d{1,18})")
_VARIABLE = re.compile(r"(?<![\\a-z])[a-zA-Z](?![a-zA-Z])")
_WORDS = re.compile(r"\\text|(?<!\\)\b[a-z]{3,}")
_ASKS = {
    "fraction": ("fraction",),
    "count": ("how many", "number of"),
    "pi": ("\\pi",),
    "probability": ("probability",),
    "angle": ("degree", "angle"),
    "list": ("separated by commas", "all "),
    "interval": ("interval",),
    "radical": ("radical", "simplest"),
    "figure": ("[asy]",),
    "extreme": ("smallest", "largest", "greatest", "least", "maximum", "minimum"),
    "value": ("value of",),
}


@lru_cache(maxsize=4096)
def text_features(text: str) -> Features:
    """Of a rationale's text; do not change the result, it is remembered."""
    sums = check_arithmetic(text)
    return {
        "log_characters": math.log1p(len(text)),
        "log_lines": math.log1p(text.count("\n")),
        "log_formulas": math.log1p(text.count("$") / 2 + text.count("\\[")),
        "log_equals": math.log1p(text.count("=")),
        "log_numbers": math.log1p(len(NUMBER_PATTERN.findall(text))),
        "log_doubts": math.log1p(len(_HEDGES.findall(text))),
        "boxes": min(text.count("\\boxed"), 3),
        "log_sums": math.log1p(sums.checked),
        "false_sums": min(sums.false, 4),
        "last_sum_false": float(sums.last_false),
        "breaks_off": float(text.rstrip()[-1:] not in (".", "$", "]", ")", "}", "!")),
    }


def answer_features(answer: str | None, question: str) -> Features:
    """Of the answer that a candidate states, as bare text."""
    bare = (answer or "").replace("$", "").strip()
    value = value_of_arithmetic(bare)
    fraction = _FRACTION.search(bare)
    above, below = (int(part) for part in fraction.groups() if part is not None) if fraction else (1, 2)
    return {
        "no_answer": float(answer is None),
        "answer_log_characters": math.log1p(len(bare)),
        "answer_number": float(value is not None),
        "answer_integer": float(value is not None and value == int(value)),
        "answer_negative": float(bare.startswith("-")),
        "answer_decimal": float("." in bare),
        "answer_magnitude": math.copysign(math.log1p(abs(value)), value) if value is not None else 0.0,
        "answer_fraction": float(fraction is not None or "frac" in bare),
        "answer_unreduced": float(math.gcd(above, below) > 1 or below < 2),
        "answer_root": float("sqrt" in bare),
        "answer_pi": float("\\pi" in bare),
        "answer_list": float("," in bare),
        "answer_bracket": float(bare[:1] in "([" and bool(bare)),
        "answer_variable": float(_VARIABLE.search(bare) is not None),
        "answer_words": float(_WORDS.search(bare) is not None),
        "answer_in_question": float(
            bool(bare) and re.search(rf"(?<![\w.]){re.escape(bare)}(?![\w.])", question) is not None
        ),
        "answer_unfinished": float(value is not None and re.fullmatch(r"-?[\d.,]+", bare) is None),
        "answer_operators": float(sum(bare.count(sign) for sign in "+*^=") + bare.count("cdot")),
    }


@lru_cache(maxsize=1024)
def question_features(question: str, level: str) -> Features:
    """Of the question; they matter together with others, such as an answer's form."""
    low = question.lower()
    number = NUMBER_PATTERN.search(level)
    asks = {f"asks_{name}": float(any(word in low for word in words)) for name, words in _ASKS.items()}
    return {"level": float(number.group()) if number else 0.0, "question_log_characters": math.log1p(len(low)), **asks}
