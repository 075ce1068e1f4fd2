"""Prompts: how a question is put to a model, with and without its answer told beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError, UsageError, nearest
from aurify.questions.few_shot import THINK, FewShot, parse_few_shot
from aurify.questions.gold import ANSWER_LEAD
from aurify.questions.record import Question

TEMPLATES = ("plain", "chat", "direct")


@dataclass(frozen=True)
class PromptTemplate:
    """One way of asking. The same template asks in training, sampling and evaluation.

    ``plain`` is TRICE's template, ``direct`` asks for the answer alone, ``chat`` is the model's own chat template.
    With worked examples a prompt follows the form of their text.
    """

    name: str
    few_shot: FewShot | None = None
    tokenizer: Any = field(default=None, repr=False, compare=False)
    answer_lead: str = ANSWER_LEAD
    """What a rationale says before its answer, at its end."""
    stop: tuple[str, ...] = ()
    """Strings at which sampling ends, since a model goes on with a next worked example."""

    @classmethod
    def named(cls, name: str, tokenizer: Any = None, few_shot: str | None = None) -> PromptTemplate:
        """The template of a name.

        Args:
            name: "plain", "chat" or "direct".
            tokenizer: needed for "chat", whose template it holds.
            few_shot: worked examples as text (more than one line), or the path of a file that holds them.

        Raises:
            UsageError: the name is unknown, or the tokenizer has no chat template.
            AurifyError: the worked examples cannot be read.
        """
        if name not in TEMPLATES:
            raise UsageError(f"--prompt '{name}': {nearest(name, TEMPLATES)}")
        if name == "chat" and not getattr(tokenizer, "chat_template", None):
            raise UsageError("--prompt chat: the model's tokenizer has no chat template; take --prompt plain")
        if few_shot is None:
            return cls(name, tokenizer=tokenizer)
        return cls._shown(name, tokenizer, few_shot)

    @classmethod
    def for_server(cls, name: str, few_shot: str | None = None) -> PromptTemplate:
        """The same without a tokenizer, for a server that has its own: ``messages`` for "chat", else ``render``."""
        return cls._shown(name, None, few_shot) if few_shot is not None else cls(name)

    @classmethod
    def _shown(cls, name: str, tokenizer: Any, few_shot: str) -> PromptTemplate:
        shots = _read_few_shot(few_shot)
        stop = () if name == "chat" else (f"\n\n{shots.ask}:",)
        return cls(name, shots, tokenizer, shots.answer_lead, stop)

    def render(self, question: Question) -> str:
        """The prompt's text, up to where the rationale starts."""
        return self._render(question, None)

    def render_hinted(self, question: Question) -> str:
        """The guide prompt: the same, with the answer told beforehand (and in every worked example)."""
        return self._render(question, question.answer)

    def encode(self, tokenizer: Any, question: Question, hinted: bool = False) -> tuple[int, ...]:
        """The prompt's token ids, with what the tokenizer puts before a text (BOS) exactly once and no EOS.

        A chat template writes its own special tokens. A question's text is never read as one.
        """
        return self.encode_all(tokenizer, [question], hinted)[0]

    def encode_all(self, tokenizer: Any, questions: Sequence[Question], hinted: bool = False) -> list[tuple[int, ...]]:
        """``encode`` of each question, in one call of the tokenizer."""
        texts = [self.render_hinted(question) if hinted else self.render(question) for question in questions]
        if self.name == "chat":
            pairs = zip(texts, questions, strict=True)
            return [tuple(_encode_chat(tokenizer, text, question.text)) for text, question in pairs]
        rows = tokenizer(texts, split_special_tokens=True)["input_ids"] if texts else []
        return [tuple(ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids) for ids in rows]

    def _render(self, question: Question, stated: str | None) -> str:
        if self.name == "chat":
            return self._chat(question, stated)
        if self.name == "direct" and stated is None:
            shown = self.few_shot.render_direct(question.text) if self.few_shot else None
            return shown or f"Question: {question.text}\nAnswer:"
        if self.few_shot:
            return self.few_shot.render(question.text, stated)
        hint = "" if stated is None else f"The answer is {stated}. "
        return f"Question: {question.text}\nAnswer: {hint}{THINK}\n"

    def messages(self, question: Question, hinted: bool = False) -> list[dict[str, str]]:
        """The turns of a chat, up to where the rationale starts: worked examples, then the question."""
        stated = question.answer if hinted else None
        messages = []
        for example in self.few_shot.examples if self.few_shot else ():
            told = None if stated is None else example.answer
            messages.append({"role": "user", "content": self._request(example.question, told)})
            messages.append({"role": "assistant", "content": example.rationale})
        messages.append({"role": "user", "content": self._request(question.text, stated)})
        return messages

    def _chat(self, question: Question, stated: str | None) -> str:
        messages = self.messages(question, hinted=stated is not None)
        try:
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # the template is a program that came with the model
            raise AurifyError(f"--prompt chat: the model's chat template fails: {error}") from error
        return str(text)

    def _request(self, question: str, stated: str | None) -> str:
        told = "" if stated is None else f"The answer is {stated}. Explain how to find it. "
        return f'{question}\n\n{told}Reason step by step, and end with "{self.answer_lead} X.", where X is the answer.'


def _encode_chat(tokenizer: Any, text: str, question: str) -> list[int]:
    """The ids of a rendered chat; a question that spells a special token is encoded apart, as plain text."""
    if not any(token in question for token in tokenizer.all_special_tokens):
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])
    before, quoted, after = text.rpartition(question)
    if not quoted:
        raise AurifyError("--prompt chat: the chat template changes a question that spells one of its special tokens")
    parts = ((before, False), (question, True), (after, False))
    return [
        token
        for part, split in parts
        for token in tokenizer(part, add_special_tokens=False, split_special_tokens=split)["input_ids"]
    ]


def _read_few_shot(few_shot: str) -> FewShot:
    if "\n" in few_shot.strip():
        return parse_few_shot(few_shot)
    try:
        return parse_few_shot(Path(few_shot).read_text(encoding="utf-8"), few_shot)
    except UnicodeDecodeError:
        raise AurifyError(f"{few_shot}: expected UTF-8 text with worked examples") from None
    except OSError as error:
        raise AurifyError(f"--few-shot {few_shot}: {error.strerror or error}") from None
