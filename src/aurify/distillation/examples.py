"""From a table of rationales to what a student learns from: matched, judged, chosen, and as token ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aurify.answers.thought import has_tag
from aurify.answers.verdict import Verdict
from aurify.questions import PromptTemplate
from aurify.questions.special import text_of
from aurify.rationales import Rationale
from aurify.rationales.arithmetic import before_first_false


@dataclass(frozen=True)
class Example:
    """One rationale to learn from."""

    question_id: str
    token_ids: tuple[int, ...]
    right: bool


@dataclass(frozen=True)
class Chosen:
    """The examples that are learned from, in the table's order, and what was left out, by reason."""

    examples: list[Example]
    left_out: Counter[str]

    def right(self) -> list[Example]:
        """Those that end in the right answer."""
        return [example for example in self.examples if example.right]

    def wrong(self) -> list[Example]:
        """The negatives."""
        return [example for example in self.examples if not example.right]


def choose(
    rationales: Iterable[Rationale],
    prompts: Mapping[str, tuple[int, ...]],
    tokenizer: Any,
    template: PromptTemplate,
    *,
    negatives: str = "wrong",
    repeats: str = "keep",
    max_tokens: int = 1024,
    prefixes: bool = False,
) -> Chosen:
    """What can be learned from judged rationales of the questions that have a prompt.

    Examples of more than ``max_tokens`` tokens, prompt included, are left out, and where ``repeats`` is "once" those
    that repeat another of their question. By default a negative is a rationale whose stated answer could be read and is
    wrong; "all" takes every one that is not right, as the paper does. With ``prefixes`` a negative ends, without an
    end-of-text token, before its first false equation, and one without a false equation is left out.
    """
    examples: list[Example] = []
    seen: set[Example] = set()
    names = {name: name for name in prompts}
    numbers: dict[int, int] = {}  # as with the names, one object for all rows
    left_out: Counter[str] = Counter()
    for rationale in rationales:
        if rationale.question_id not in prompts:
            left_out["of other questions"] += 1
        elif rationale.verdict not in (Verdict.RIGHT, Verdict.WRONG) and (negatives != "all" or rationale.left_out):
            left_out[str(rationale.verdict)] += 1
        else:
            if prefixes and not rationale.right:
                ids = sound_ids(rationale.text, tokenizer, template)
                if ids is None:
                    left_out["without a false equation"] += 1
                    continue
            else:
                ids = token_ids(rationale, tokenizer, template)
            ids = tuple(numbers.setdefault(token, token) for token in ids)
            example = Example(names[rationale.question_id], ids, rationale.right)
            if len(prompts[rationale.question_id]) + len(example.token_ids) > max_tokens:
                left_out["too long"] += 1
            elif not example.token_ids:
                left_out["empty"] += 1
            elif example in seen and repeats == "once":
                left_out["repeated"] += 1
            else:
                seen.add(example)
                examples.append(example)
    return Chosen(examples, left_out)


def token_ids(rationale: Rationale, tokenizer: Any, template: PromptTemplate) -> tuple[int, ...]:
    """The rationale's tokens: as they were sampled, where this tokenizer reads them as its text, else its text's.

    A text ends as the prompt's form has it, which says that the rationale is whole, unless it was cut at a token limit.
    """
    ids = rationale.token_ids
    text = rationale.text.removeprefix(template.opening)
    if ids and max(ids) < len(tokenizer) and text_of(tokenizer, ids).startswith(text):
        return ids
    return template.encode_reply(tokenizer, rationale.text, whole=rationale.finish_reason != "length")


def sound_ids(text: str, tokenizer: Any, template: PromptTemplate) -> tuple[int, ...] | None:
    """The tokens of a rationale up to its first false equation, where it goes on; None where it has none."""
    opening = template.opening
    within = opening if has_tag(text) else ""
    text = text.removeprefix(opening if text.startswith(opening) else opening.rstrip())
    sound = before_first_false(text)
    if sound is None:
        return None
    return template.encode_reply(tokenizer, within + sound, whole=False)
