"""The features of a candidate among its rivals: its own, and how far the other samples of the question support it.

Everything is of one pool: nothing of another question, and no verdict, enters. So a ranker that is trained on other
questions cannot have seen anything of this one.

Ours (docs/methods.md, "Adaptive self-consistency (ASC)"; docs/decisions.md, "the fast ranker's features, and what
did not help").
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aurify.voting.candidate_features import (
    NUMBER_PATTERN,
    Features,
    answer_features,
    question_features,
    text_features,
)
from aurify.voting.pool import Candidate, CandidatePool

Floats = NDArray[np.float64]

_WORD = re.compile(r"[A-Za-z]{2,}|\d+(?:\.\d+)?")


def alone_features(pool: CandidatePool) -> Floats:
    """The features of every candidate by itself [S, F], F as in ``ALONE_COLUMNS``; all finite."""
    return _matrix([_alone(pool, candidate) for candidate in pool.candidates])


def pool_features(pool: CandidatePool) -> Floats:
    """The features of every candidate, its rivals taken in [S, F], F as in ``POOL_COLUMNS``; all finite."""
    return _matrix([{**_alone(pool, c), **row} for c, row in zip(pool.candidates, _together(pool), strict=True)])


def _matrix(rows: Sequence[Features]) -> Floats:
    return np.array([list(row.values()) for row in rows], dtype=np.float64)


def _alone(pool: CandidatePool, candidate: Candidate) -> Features:
    score = _per_token(candidate)
    return {
        **text_features(candidate.text),
        **answer_features(candidate.answer, pool.question),
        **question_features(pool.question, pool.level),
        "unparsable": float(candidate.group is None),
        "logprob_known": float(score is not None),
        "logprob": candidate.logprob or 0.0,
        "logprob_a_token": score or 0.0,
    }


def _together(pool: CandidatePool) -> list[Features]:
    candidates, size = pool.candidates, len(pool.candidates)
    votes = Counter(group for group in pool.groups if group is not None)
    answered = sum(votes.values())
    entropy = -sum(count / answered * math.log(count / answered) for count in votes.values())
    asked_numbers, asked_words = _numbers(pool.question), _words(pool.question)
    numbers = [_numbers(candidate.text) - asked_numbers for candidate in candidates]
    words = [_words(candidate.text) - asked_words for candidate in candidates]
    alike = [[_alike(ours, theirs) for theirs in words] for ours in words]
    false = [min(text_features(candidate.text)["false_sums"], 1.0) for candidate in candidates]
    unchecked = [float(text_features(candidate.text)["log_sums"] == 0) for candidate in candidates]
    lengths = [len(candidate.text) + 1 for candidate in candidates]
    mean_length = _mean(lengths)
    scores = [_per_token(candidate) for candidate in candidates]
    mean_score = _mean([score for score in scores if score is not None])
    forms = [_form(candidate.answer) for candidate in candidates]
    rows = []
    for i, candidate in enumerate(candidates):
        group, score = candidate.group, scores[i]
        others = [j for j in range(size) if j != i]
        mates = [i] + [j for j in others if group is not None and candidates[j].group == group]
        rivals = [j for j in others if j not in mates]
        count = votes[group] if group is not None else 0
        lead = count - max((other for one, other in votes.items() if one != group), default=0)
        support = [_mean([number in numbers[j] for j in others]) for number in numbers[i]]
        rows.append(
            {
                "log_candidates": math.log(size),
                "votes": float(count),
                "share": count / size,
                "leads": float(lead > 0),
                "lead": lead / size,
                "alone": float(count == 1),
                "answers": len(votes) / size,
                "entropy": entropy,
                "unparsable_share": 1 - answered / size,
                "length_over_mean": math.log(lengths[i] / mean_length),
                "group_length_over_mean": math.log(_mean([lengths[j] for j in mates]) / mean_length),
                "numbers_shared": _mean(support),
                "numbers_shared_least": min(support, default=0.0),
                "numbers_shared_by_rivals": _mean([_mean([n in numbers[j] for j in rivals]) for n in numbers[i]]),
                "answer_seen_by_rivals": _mean([(candidate.answer or "") in numbers[j] for j in rivals]),
                "words_shared": _mean([alike[i][j] for j in others]),
                "words_shared_with_rivals": _mean([alike[i][j] for j in rivals]),
                "repeated": _mean([candidates[j].text == candidate.text for j in others]),
                "false_sums_in_group": _mean([false[j] for j in mates]),
                "false_sums_in_pool": _mean(false),
                "unchecked_in_group": _mean([unchecked[j] for j in mates]),
                "form_shared": _mean([forms[j] == forms[i] for j in others]),
                "logprob_over_mean": 0.0 if score is None else score - mean_score,
            }
        )
    return rows


def _per_token(candidate: Candidate) -> float | None:
    if candidate.logprob is None or not candidate.tokens:
        return None
    return candidate.logprob / candidate.tokens


def _form(answer: str | None) -> str:
    """An answer with its digits as 0: ``\\frac{3}{10}`` and ``\\frac{1}{4}`` are of one form."""
    return re.sub(r"\d+", "0", answer.replace(" ", "")) if answer else ""


@lru_cache(maxsize=1024)
def _numbers(text: str) -> frozenset[str]:
    return frozenset(NUMBER_PATTERN.findall(text))


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _alike(ours: frozenset[str], theirs: frozenset[str]) -> float:
    """Jaccard's similarity of two sets of words."""
    both = len(ours | theirs)
    return len(ours & theirs) / both if both else 1.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0  # the same in any order, as that of a set's members


_NOTHING = CandidatePool("", "", (Candidate("", None, None),))
ALONE_COLUMNS = tuple(_alone(_NOTHING, _NOTHING.candidates[0]))
"""The names of the columns of ``alone_features``."""
POOL_COLUMNS = (*ALONE_COLUMNS, *_together(_NOTHING)[0])
"""The names of the columns of ``pool_features``."""
