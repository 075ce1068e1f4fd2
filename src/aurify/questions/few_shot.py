"""Worked examples as text (BIG-Bench Hard's chain-of-thought prompts and their like), taken apart and put together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurify.errors import AurifyError

THINK = "Let's think step by step."

_BLOCK = re.compile(r"^(?P<ask>Question|Q):[ \t]*(?P<question>.*?)\n(?P<reply>Answer|A):(?P<answer>.*)\Z", re.DOTALL)
_MARK = re.compile(r"^(?:Question|Q):", re.MULTILINE)
_STATED = re.compile(
    r"\b(?P<lead>(?:so,? )?the (?:final )?answer is:?)\s*(?P<answer>.+?)\.?\s*\Z", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class WorkedExample:
    """One worked example; ``answer`` is what its rationale states at its end."""

    question: str
    rationale: str
    answer: str


@dataclass(frozen=True)
class FewShot:
    """Worked examples and their form: the marks before question and answer, and how the rationales begin and end."""

    preamble: str
    examples: tuple[WorkedExample, ...]
    ask: str
    reply: str
    think: str
    """What begins every answer: "Let's think step by step." with or without a line break after it, or nothing."""
    answer_lead: str

    def turn(self, question: str, stated: str | None = None) -> str:
        """A question and the beginning of its answer, up to where the rationale starts.

        ``stated`` is an answer told before the rationale, as in the hinted guide prompt.
        """
        hint = "" if stated is None else f" The answer is {stated}."
        return f"{self.ask}: {question}\n{self.reply}:{hint}{self.think and f' {self.think}'}"

    def shown(self, example: WorkedExample, *, hinted: bool = False) -> str:
        """A whole worked example."""
        begun = self.turn(example.question, example.answer if hinted else None)
        return begun + ("" if begun.endswith("\n") else " ") + example.rationale

    def render(self, question: str, stated: str | None = None) -> str:
        """The preamble, the examples and the question, joined by blank lines; all hinted if an answer is stated."""
        shown = [self.shown(example, hinted=stated is not None) for example in self.examples]
        return "\n\n".join([*([self.preamble] if self.preamble else []), *shown, self.turn(question, stated)])

    def render_direct(self, question: str) -> str:
        """The same with answers only, no rationales."""
        shown = [f"{self.ask}: {one.question}\n{self.reply}: {one.answer}" for one in self.examples]
        last = f"{self.ask}: {question}\n{self.reply}:"
        return "\n\n".join([*([self.preamble] if self.preamble else []), *shown, last])


def parse_few_shot(text: str, where: str = "the few-shot text") -> FewShot:
    """Take worked examples apart. What stands before a line ``-----`` (the canary of BIG-Bench Hard) is dropped.

    Raises:
        AurifyError: there is no worked example, or one does not end in "the answer is …".
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    head, dashes, rest = text.partition("\n-----\n")
    body = (rest if dashes else head).strip()
    mark = _MARK.search(body)
    if mark is None:
        raise AurifyError(f"{where}: no worked example: expected blocks of 'Q: …' and 'A: …'")
    preamble, *blocks = re.split(f"^(?={mark[0]})", body, flags=re.MULTILINE)
    parsed = [_BLOCK.match(block.strip()) for block in blocks]
    examples, leads = [], []
    for number, found in enumerate(parsed, start=1):
        stated = found and _STATED.search(_last_statement(found["answer"]))
        if found is None or stated is None:
            what = "has no line 'A: …'" if found is None else "does not end in 'the answer is …'"
            raise AurifyError(f"{where}: worked example {number} {what}")
        rationale = found["answer"].strip()
        examples.append(WorkedExample(found["question"].strip(), rationale, stated["answer"].strip()))
        leads.append(stated["lead"])
    think = next(
        (mark for mark in (f"{THINK}\n", THINK) if all(one.rationale.startswith(mark) for one in examples)), ""
    )
    examples = [WorkedExample(one.question, one.rationale[len(think) :].lstrip(), one.answer) for one in examples]
    first = parsed[0]
    assert first is not None
    return FewShot(preamble.strip(), tuple(examples), first["ask"], first["reply"], think, leads[0])


def _last_statement(answer: str) -> str:
    """The text from its last "the answer is" on."""
    places = [found.start() for found in re.finditer(r"(?:so,? )?the (?:final )?answer is", answer, re.IGNORECASE)]
    return answer[places[-1] :] if places else ""
