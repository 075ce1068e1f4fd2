"""A reward function of the user's own, in TRL's form: ``f(completions, **columns)`` gives a score for each completion.

Every other column of the question's row arrives as a keyword, a list like ``completions``; so do ``prompts``. Where the
row's own prompt is a conversation, completions and prompts are turns (``[{"role": "assistant", "content": ...}]``),
else texts, as TRL has it. A call is about one completion, in a worker that is killed at its limits. The score decides
by a threshold; None leaves the sample out.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aurify.answers.answer_type import Judging
from aurify.answers.pool import Job
from aurify.answers.reading import well_formed
from aurify.registry import setting

if TYPE_CHECKING:
    from aurify.questions.record import Question

_OURS = ("completions", "prompts")
_WITHHELD = ("completion_ids", "prompt_ids", "trainer_state", "log_extra", "log_metric")
"""What TRL's trainer passes and nobody else has."""


@dataclass(frozen=True)
class Reward(Judging):
    """A reward function, by its ``module:function``."""

    about: str = "a reward function of your own, as TRL's: f(completions, **columns) gives scores, or None"
    reward_threshold: float = setting(
        0.5, "A rationale is right from this reward on.", allow_inf_nan=False
    )  # fmt: skip

    def plan(self, text: str, question: Question) -> Job:
        """What a worker has to call; see ``Judging``."""
        given = {"text": question.text, "columns": question.columns, "threshold": self.reward_threshold}
        return Job("reward", well_formed(text), json.dumps(given), self.word)

    def lacks(self, columns: Mapping[str, object]) -> str | None:
        """A parameter that neither the row nor we can give."""
        from aurify.answers.custom import load_custom

        for one in inspect.signature(load_custom(self.word)).parameters.values():
            if one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) or one.default is not one.empty:
                continue
            if one.name in _WITHHELD:
                return f"{self.word} asks for '{one.name}', which only TRL's trainer has: give it a default"
            if one.name not in (*_OURS, *columns):
                return f"no column '{one.name}', which {self.word} asks for"
        return None


def rewarded(function: Callable[..., Any], spec: str, text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The worker's reply on one completion: the verdict, why, and the score."""
    columns = json.loads(given["columns"] or "{}")
    prompt = columns.pop("prompt", given["text"])
    turns = isinstance(prompt, list)
    completion: Any = [{"role": "assistant", "content": text}] if turns else text
    passed = {name: [value] for name, value in columns.items() if name not in _OURS}
    passed |= {"completions": [completion], "prompts": [prompt]}
    found = function(**_taken(function, passed))
    if inspect.isawaitable(found):
        found = asyncio.run(_awaited(found))
    return _replied(found, spec, given["threshold"])


async def _awaited(found: Any) -> Any:
    return await found


def _taken(function: Callable[..., Any], passed: Mapping[str, Any]) -> dict[str, Any]:
    """Of these keywords, those that the function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return dict(passed)
    return {one.name: passed[one.name] for one in parameters if one.name in passed}


def _replied(found: Any, spec: str, threshold: float) -> dict[str, Any]:
    try:
        (score,) = list(found)
    except (TypeError, ValueError):
        what = f"a {type(found).__name__}" if not hasattr(found, "__len__") else f"{len(found)} scores"
        return _unparsable(f"{spec} returned {what} for one completion: expected a list of one")
    if score is None:
        return {"verdict": "left-out", "reason": f"{spec} gave None"}
    try:
        value = float(score)
    except (TypeError, ValueError):
        return _unparsable(f"{spec} gave a {type(score).__name__}: expected a number or None")
    if not math.isfinite(value):
        return _unparsable(f"{spec} gave {value}")
    right = value >= threshold
    reason = f"reward {value:.6g}, {'at least' if right else 'below'} {threshold:g}"
    return {"verdict": "right" if right else "wrong", "reason": reason, "score": value}


def _unparsable(reason: str) -> dict[str, Any]:
    return {"verdict": "unparsable", "reason": reason[:300]}
