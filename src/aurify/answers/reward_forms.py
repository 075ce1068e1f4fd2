"""How a reward function is called: as TRL's trainers call theirs, or as verl does. The name of a parameter tells.

TRL: ``f(completions, prompts, **columns)`` with a list of each, ``columns`` being all others of the question's row;
completions and prompts are turns (``[{"role": "assistant", "content": ...}]``) where the row's own prompt is a
conversation, else texts. verl: ``f(data_source, solution_str, ground_truth, extra_info)``, or lists of these by names
in the plural (its batch reward manager). A call is about one completion; a list holds one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aurify.parsing import parse_json


class Judged(NamedTuple):
    """What a completion is judged by."""

    columns: Mapping[str, Any]
    """The question's row."""
    question: str = ""
    answer: str = ""
    """The known answer; empty where there is none."""
    task: str = ""


@dataclass(frozen=True)
class RewardForm:
    """A way to call a reward function."""

    marker: str
    """The parameter that tells it."""
    of: str
    """Whose it is."""
    lists: bool
    """Whether scores come in a list."""
    passed: Callable[[str, Judged], dict[str, Any]]
    """``passed(completion, judged)``: what is passed, by the parameters' names."""
    lacking: Callable[[str, str], str]
    """``lacking(word, name)``: why nothing is passed for a parameter that the function of this word asks for."""


_OURS = ("completions", "prompts")
_WITHHELD = ("completion_ids", "prompt_ids", "trainer_state", "log_extra", "log_metric")
"""What TRL's trainer passes and nobody else has."""


def _trl(completion: str, judged: Judged) -> dict[str, Any]:
    columns = dict(judged.columns)
    prompt = columns.pop("prompt", judged.question)
    said = [{"role": "assistant", "content": completion}] if isinstance(prompt, list) else completion
    passed = {name: [value] for name, value in columns.items() if name not in _OURS}
    return {**passed, "completions": [said], "prompts": [prompt]}


def _not_of_trl(word: str, name: str) -> str:
    if name in _WITHHELD:
        return f"{word} asks for '{name}', which only TRL's trainer has: give it a default"
    return f"no column '{name}', which {word} asks for"


_TRUTH = "ground_truth"


def _verl(completion: str, judged: Judged) -> dict[str, Any]:
    columns = judged.columns
    model = _object(columns.get("reward_model"))
    truths = [held[_TRUTH] for held in (model, columns) if isinstance(held, Mapping) and _TRUTH in held]
    truths += [judged.answer] if judged.answer else []
    return {
        "data_source": columns.get("data_source", judged.task),
        "solution_str": completion,
        **({_TRUTH: truths[0]} if truths else {}),
        "extra_info": _object(columns.get("extra_info")),
    }


def _verl_batch(completion: str, judged: Judged) -> dict[str, Any]:
    return {f"{name}s": [value] for name, value in _verl(completion, judged).items()}


def _not_of_verl(word: str, name: str) -> str:
    if name.removesuffix("s") == _TRUTH:
        return f"no reward_model.ground_truth, nor another answer, and {word} asks for one"
    return f"{word} asks for '{name}', which verl does not give every function: give it a default"


def _object(value: Any) -> Any:
    """What a JSON text spells, as a CSV file holds it; any other value as it is."""
    try:
        return parse_json(value) if isinstance(value, str) and value.lstrip()[:1] == "{" else value
    except ValueError:
        return value


_TRL = RewardForm("completions", "TRL", True, _trl, _not_of_trl)
_FORMS = (
    _TRL,
    RewardForm("solution_str", "verl", False, _verl, _not_of_verl),
    RewardForm("solution_strs", "verl", True, _verl_batch, _not_of_verl),
)


def form_of(function: Callable[..., Any]) -> RewardForm | None:
    """The form of a reward function; None of any other. One that cannot but be called by keywords is as TRL's."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function written in C may hide it
        return None
    names = {one.name for one in parameters}
    by_keywords = any(one.kind is one.VAR_KEYWORD for one in parameters) and not is_comparison(function)
    return next((form for form in _FORMS if form.marker in names), _TRL if by_keywords else None)


def is_comparison(function: Callable[..., Any]) -> bool:
    """Whether it can be called with a prediction and a gold answer."""
    try:
        inspect.signature(function).bind("predicted", "gold")
    except ValueError:  # a function written in C may hide it
        return True
    except TypeError:
        return False
    return True


def lacking(function: Callable[..., Any], word: str, judged: Judged) -> str | None:
    """Why there is nothing to pass for a parameter of the function of this word; None: there is."""
    form = form_of(function)
    assert form is not None
    passed = form.passed("", judged)
    for one in inspect.signature(function).parameters.values():
        needed = one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.default is one.empty
        if needed and one.name not in passed:
            return form.lacking(word, one.name)
    return None


def keywords_for(function: Callable[..., Any], passed: Mapping[str, Any]) -> dict[str, Any]:
    """Of these keywords, those that the function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return dict(passed)
    return {one.name: passed[one.name] for one in parameters if one.name in passed}
