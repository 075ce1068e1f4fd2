"""Prompts: how a question is put to a model, with and without its answer told beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aurify.answers import answer_type
from aurify.answers.thought import has_tag
from aurify.errors import AurifyError, UsageError, nearest
from aurify.questions.chat import ASK, ChatTemplate
from aurify.questions.continued import TurnPart, begins_with_space, chat_ids, reply_ids
from aurify.questions.few_shot import THINK, FewShot, parse_few_shot
from aurify.questions.gold import ANSWER_LEAD
from aurify.questions.record import Question
from aurify.questions.reply_form import reply_parts

TEMPLATES = ("plain", "chat", "direct")

_INSTRUCTION = 'Think step by step, in a few short sentences. Then end with "{lead} X.", where X is the answer.'
"""What a chat's question ends with. A word on length keeps tuned models from writing a page."""


@dataclass(frozen=True)
class PromptTemplate:
    """One way of asking. The same template asks in training, sampling and evaluation.

    ``plain`` is TRICE's template, ``direct`` asks for the answer alone, ``chat`` is the model's own chat template.
    With worked examples a plain prompt follows the form of their text; in a chat they are turns.
    """

    name: str
    few_shot: FewShot | None = None
    tokenizer: Any = field(default=None, repr=False, compare=False)
    answer_lead: str = ANSWER_LEAD
    """What a rationale says before its answer, at its end."""
    stop: tuple[str, ...] = ()
    """Strings at which sampling ends, since a model goes on with a next worked example."""
    system: str | None = None
    """A chat's system message; None: the one that the chat template itself writes, if any."""
    template_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further arguments of the chat template, such as ``enable_thinking``."""
    date: str | None = None
    """The day that the chat template takes for today; None: today."""

    @classmethod
    def named(
        cls,
        name: str,
        tokenizer: Any = None,
        few_shot: str | None = None,
        *,
        system: str | None = None,
        template_args: Mapping[str, Any] | None = None,
        date: str | None = None,
    ) -> PromptTemplate:
        """The template of a name.

        Args:
            name: "plain", "chat" or "direct".
            tokenizer: needed for "chat", whose template it holds.
            few_shot: worked examples as text (more than one line), or the path of a file that holds them.
            system: a chat's system message.
            template_args: further arguments of the chat template.
            date: the day that it takes for today.

        Raises:
            UsageError: the name is unknown, the tokenizer has no chat template, or what is only for a chat is given
                for another form.
            AurifyError: the worked examples cannot be read.
        """
        if name not in TEMPLATES:
            raise UsageError(f"--prompt '{name}': {nearest(name, TEMPLATES)}")
        if name == "chat" and not getattr(tokenizer, "chat_template", None):
            raise UsageError("--prompt chat: the model's tokenizer has no chat template; take --prompt plain")
        return replace(cls._made(name, tokenizer, few_shot, system, template_args), date=date)

    @classmethod
    def for_server(
        cls,
        name: str,
        few_shot: str | None = None,
        *,
        system: str | None = None,
        template_args: Mapping[str, Any] | None = None,
    ) -> PromptTemplate:
        """The same without a tokenizer, for a server that has its own: ``messages`` for "chat", else ``render``."""
        return cls._made(name, None, few_shot, system, template_args)

    @classmethod
    def _made(
        cls, name: str, tokenizer: Any, few_shot: str | None, system: str | None, args: Mapping[str, Any] | None
    ) -> PromptTemplate:
        for flag, given in (("--system", system), ("--template-args", args)):
            if given and name != "chat":
                raise UsageError(f"{flag} is for a chat, and the prompt is {name}: take --prompt chat")
        more: dict[str, Any] = {"system": system, "template_args": args or {}}
        if few_shot is None:
            return cls(name, tokenizer=tokenizer, **more)
        shots = parse_few_shot(*read_few_shot(few_shot))
        stop = () if name == "chat" else (f"\n\n{shots.ask}:",)
        return cls(name, shots, tokenizer, shots.answer_lead, stop, **more)

    @property
    def opening(self) -> str:
        """What the prompt already says of the rationale: the tag of a thought that its template opens, or nothing."""
        return self._chat.opening if self.name == "chat" and self.tokenizer is not None else ""

    @property
    def thinks(self) -> bool:
        """Whether a rationale begins with a thought, as far as the chat template tells."""
        return self.name == "chat" and self.tokenizer is not None and self._chat.thinks

    def render(self, question: Question) -> str:
        """The prompt's text, up to where the rationale starts."""
        return self._render(question, None)

    def render_hinted(self, question: Question) -> str:
        """The guide prompt: the same, with the answer told beforehand (and in every worked example)."""
        return self._render(question, question.answer)

    def encode(self, tokenizer: Any, question: Question, hinted: bool = False) -> tuple[int, ...]:
        """The prompt's token ids, with what the tokenizer puts before a text (BOS) exactly once and no EOS.

        A chat template writes its own special tokens. A question's text is never read as one, nor is
        a told answer's.
        """
        return self.encode_all(tokenizer, [question], hinted)[0]

    def encode_all(self, tokenizer: Any, questions: Sequence[Question], hinted: bool = False) -> list[tuple[int, ...]]:
        """``encode`` of each question, in one call of the tokenizer."""
        texts = [self.render_hinted(question) if hinted else self.render(question) for question in questions]
        if self.name == "chat":
            pairs = zip(texts, questions, strict=True)
            return [tuple(chat_ids(tokenizer, text, self._asked(question, hinted).strip())) for text, question in pairs]
        rows = tokenizer(texts, split_special_tokens=True)["input_ids"] if texts else []
        return [tuple(ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids) for ids in rows]

    def end_id(self, tokenizer: Any) -> int:
        """The token that ends a whole rationale: that of the chat template, or else the tokenizer's EOS."""
        end = self._chat.end_id if self.name == "chat" else None
        return int(tokenizer.eos_token_id if end is None else end)

    def encode_reply(self, tokenizer: Any, text: str, *, whole: bool = True) -> tuple[int, ...]:
        """The token ids of a rationale that somebody wrote, as this prompt goes on; a ``whole`` one with ``ending``.

        Its text is never read as a special token, but for the tags of thoughts. In a chat it has the form in which the
        template writes a turn (``reply_parts``).
        """
        opening = self.opening
        bare = text.removeprefix(opening if text.startswith(opening) else opening.rstrip())
        if self.name == "chat":
            parts = reply_parts(self._chat, bare, thinks=has_tag(text), whole=whole)
        else:
            # "Answer: 2", whose space is lost where such a tokenizer decodes it
            spaced = self.name == "direct" and not text[:1].isspace() and begins_with_space(tokenizer)
            parts = [TurnPart(" " if spaced else ""), TurnPart(text, said=True)]
        if not whole:
            return tuple(reply_ids(tokenizer, self._anchor, parts))
        if ending := self._ending:
            space = ending[: -len(ending.lstrip())]  # which a text that was drawn ends with
            parts = [*parts[:-1], parts[-1]._replace(text=parts[-1].text.removesuffix(space)), TurnPart(ending)]
            return tuple(reply_ids(tokenizer, self._anchor, parts))
        return (*reply_ids(tokenizer, self._anchor, parts), self.end_id(tokenizer))

    def ending(self, tokenizer: Any) -> tuple[int, ...]:
        """The tokens behind a whole rationale: those that the chat template writes up to ``end_id``, or that alone."""
        return tuple(reply_ids(tokenizer, "", [TurnPart(self._ending)])) if self._ending else (self.end_id(tokenizer),)

    @property
    def _ending(self) -> str:
        return self._chat.ending if self.name == "chat" else ""

    @cached_property
    def _anchor(self) -> str:
        """The end of a prompt, behind the question."""
        end = self.render(Question(id=ASK, text=ASK, answer="", answer_type="text")).rpartition(ASK)[2]
        return end or ASK

    @cached_property
    def _chat(self) -> ChatTemplate:
        return ChatTemplate(self.tokenizer, self.template_args, self.date)

    def _render(self, question: Question, stated: str | None) -> str:
        if self.name == "chat":
            return self._chat.render(self.messages(question, hinted=stated is not None))
        if self.name == "direct" and stated is None:
            shown = self.few_shot.render_direct(question.text) if self.few_shot else None
            return shown or f"Question: {question.text}\nAnswer:"
        if self.few_shot:
            return self.few_shot.render(question.text, stated)
        hint = "" if stated is None else f"The answer is {stated}. "
        return f"Question: {question.text}\nAnswer: {hint}{THINK}\n"

    def messages(self, question: Question, hinted: bool = False) -> list[dict[str, str]]:
        """The turns of a chat, up to where the rationale starts: system, worked examples, then the question."""
        messages = [] if self.system is None else [{"role": "system", "content": self.system}]
        for example in self.few_shot.examples if self.few_shot else ():
            told = example.answer if hinted else None
            messages.append({"role": "user", "content": self._request(example.question, told)})
            messages.append({"role": "assistant", "content": example.rationale})
        messages.append({"role": "user", "content": self._asked(question, hinted)})
        return messages

    def _asked(self, question: Question, hinted: bool) -> str:
        states = answer_type(question.answer_type).compares
        return self._request(question.text, question.answer if hinted else None, states=states)

    def _request(self, question: str, stated: str | None, *, states: bool = True) -> str:
        """A user's turn; what is judged whole is asked for as the question itself says it."""
        told = "" if stated is None else f"The answer is {stated}. Explain how to find it. "
        asked = _INSTRUCTION.format(lead=self.answer_lead) if states else ""
        return f"{question}\n\n{told}{asked}".rstrip()


def read_few_shot(few_shot: str) -> tuple[str, str]:
    """The text of worked examples, given as such (more than one line) or as a file's path, and where it is from.

    Raises:
        AurifyError: the file cannot be read.
    """
    if "\n" in few_shot.strip():
        return few_shot, "the few-shot text"
    try:
        return Path(few_shot).read_text(encoding="utf-8"), few_shot
    except UnicodeDecodeError:
        raise AurifyError(f"{few_shot}: expected UTF-8 text with worked examples") from None
    except OSError as error:
        raise AurifyError(f"--few-shot {few_shot}: {error.strerror or error}") from None
