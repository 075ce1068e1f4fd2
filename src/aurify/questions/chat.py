"""A tokenizer's chat template, asked by rendering what it does: how it begins and ends an assistant's turn.

A chat template is a program that came with the model (Jinja, in a sandbox), and its text says none of this in a form
that could be read; so two or three turns of known words are rendered, and what stands around them is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from aurify.answers.thought import OPENING, closes_thought, has_tag, last_thought, opened_thought
from aurify.bounded import TooLong, bounded
from aurify.errors import AurifyError
from aurify.questions.closing import closing
from aurify.text import first_line

INSTRUCT, ASK, REASONS, REPLY = "aurify-instructs", "aurify-asks", "aurify-reasons", "aurify-replies"
"""Words that no template writes by itself."""

SECONDS = 2.0
"""Of processor time that a template may take for one chat: a thousand times what any needs."""

_TODAY = re.compile(r"strftime_now\(\s*(?P<quote>[\"'])(?P<form>[\w%\s,./:-]{1,60})(?P=quote)\s*\)")
"""How a template asks for the date."""

_KNOWN = "_aurify_eos"
"""Where a tokenizer keeps the EOS ids of its model."""


@dataclass(frozen=True)
class ChatTemplate:
    """The template of ``tokenizer``, rendered with further arguments of its own (such as ``enable_thinking``)."""

    tokenizer: Any
    args: Mapping[str, Any] = field(default_factory=dict)
    date: str | None = None
    """The day that a template which writes the date takes for today (``2026-11-29``); None: today."""
    eos: Collection[int] = ()
    """The model's EOS ids, beside those that its tokenizer knows."""

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The text of some turns, up to where the assistant's next one starts.

        Raises:
            AurifyError: the template refuses them, or leaves some out.
        """
        text = self._apply(messages, prompt=True) + self._header
        if not self._asks:
            raise AurifyError("--prompt chat: the model's chat template leaves out what is asked: take --prompt plain")
        if any(message["role"] == "system" for message in messages) and not self._instructs:
            raise AurifyError("--system: the model's chat template leaves a system message out")
        return text

    @cached_property
    def opening(self) -> str:
        """The thought that the template opens before the assistant's text, such as ``<think>`` and a line break.

        Where it has no tag that is known (Kimi K3), ``<think>`` stands for it.
        """
        known = opened_thought(self._prompted)
        if known or not self.between or has_tag(self.between):
            return known
        return OPENING if self._prompted.strip() == self._thought[0].rpartition(ASK)[2].strip() else ""

    @cached_property
    def lead(self) -> str:
        """What stands between a prompt and a reply without a thought: an empty thought, a channel's name, or nothing.

        A thought that the prompt opens is closed, also where a template opens it before every last reply (Nemotron) or
        writes prompts and past turns so differently that nothing can be seen.
        """
        prompted, replied = self.render([_user()]), self._apply([_user(), _assistant()], prompt=False)
        before, found, _ = replied.partition(REPLY)
        if found and before.startswith(prompted):
            lead = before[len(prompted) :]
            opened = opened_thought(before.rpartition(ASK)[2])
            return lead + (self.between or closing(opened)) if opened else lead
        if self.opening and self.between:
            return self.between
        thought = last_thought(self._prompted)
        unopened = prompted.removesuffix(thought)
        begun = before[len(unopened) :].lstrip() if thought and found and before.startswith(unopened) else ""
        return (closing(self.opening) if self.opening else "") + ("" if has_tag(begun) else begun)

    @cached_property
    def before(self) -> str:
        """What stands between a prompt and a thought: what opens it, where the prompt does not."""
        prompted, head = self.render([_user()]), self._thought[0]
        if head.startswith(prompted):
            return head[len(prompted) :]
        return "" if self.opening else opened_thought(head.rpartition(ASK)[2])

    @property
    def between(self) -> str:
        """What closes a thought and begins the reply behind it; nothing where the template writes no thoughts."""
        return self._thought[1]

    @cached_property
    def ending(self) -> str:
        """What stands behind a reply up to the token that ends the turn; nothing where the template ends none."""
        name = "" if self.end_id is None else str(self.tokenizer.convert_ids_to_tokens(self.end_id))
        ends = [before + found for before, found, _ in (text.partition(name) for text in self._after if name) if found]
        return ends[0] if ends else ""

    @cached_property
    def trims(self) -> bool:
        """Whether the template takes white space from around a reply."""
        spaced = {"role": "assistant", "content": f" {REPLY} "}
        return self._apply([_user(), spaced], prompt=False) == self._apply([_user(), _assistant()], prompt=False)

    @cached_property
    def thinks(self) -> bool:
        """Whether the model is asked to think first.

        Then the template opens a thought, writes an empty one before a reply without any, or has the switch of Qwen3
        and SmolLM3 (``enable_thinking``), which closes one beforehand; or a reply begins with the same words behind a
        thought and without (channels); or the arguments ask for one.
        """
        told = any(self.args.get(name) is True for name in ("enable_thinking", "thinking"))
        channel = bool(self.lead.strip()) and self.between.endswith(self.lead)
        if told or self.opening or channel or closes_thought(self.lead):
            return True
        off = replace(self, args={**self.args, "enable_thinking": False})
        try:
            return closes_thought(off._prompted) and not closes_thought(self._prompted)
        except AurifyError:
            return False

    @property
    def _prompted(self) -> str:
        """What stands behind a question."""
        return self.render([_user()]).rpartition(ASK)[2]

    @cached_property
    def _asks(self) -> bool:
        return ASK in self._apply([_user()], prompt=True)

    @cached_property
    def _instructs(self) -> bool:
        return INSTRUCT in self._apply([{"role": "system", "content": INSTRUCT}, _user()], prompt=True)

    @cached_property
    def end_id(self) -> int | None:
        """The special token with which an assistant's turn ends; None where it ends in none.

        Some templates write several (Command: the reply's end, then the turn's), and a model stops at the one that is
        an EOS of it. Where none is, it is the first, unless that ends a thought as well (Solar).

        Raises:
            AurifyError: the template refuses a turn of a user and one of an assistant.
        """
        named = {*self.eos, *eos_known(self.tokenizer)}
        (last, _), (passed, _) = behind = [self._special(text) for text in self._after]
        first = next((tokens[0] for tokens, at_once in behind if at_once), None)
        if first is None or first in named:
            return first
        # Phi-3 ends a whole chat in its EOS, which stands behind no earlier turn
        ends = [token for token in last if token in passed and token in named]
        return ends[0] if ends else None if first in self._special(self.between)[0] else first

    @cached_property
    def _after(self) -> list[str]:
        """What stands behind a last reply, and behind one that a question follows."""
        turns = [_user(), _assistant()]
        texts = [self._apply(asked, prompt=False).rpartition(REPLY) for asked in (turns, [*turns, _user()])]
        return [after.partition(ASK)[0] if found else "" for _, found, after in texts]

    @cached_property
    def _thought(self) -> tuple[str, str]:
        """What stands before a thought that a turn is given apart, and between it and the reply."""
        thought = dict.fromkeys(("reasoning_content", "reasoning", "thinking"), REASONS)
        try:
            text = self._apply([_user(), _assistant() | thought], prompt=False)
        except AurifyError:
            return "", ""
        before, _, after = text.rpartition(REASONS)
        between, replied, _ = after.partition(REPLY)
        return (before, between) if before and replied and between.strip() else ("", "")

    def _special(self, text: str) -> tuple[list[int], bool]:
        """The special tokens of a text, and whether it begins with one."""
        special = {*self.tokenizer.all_special_ids, *getattr(self.tokenizer, "added_tokens_decoder", ())}
        ids = self.tokenizer(text.lstrip(), add_special_tokens=False)["input_ids"] if text.strip() else []
        found = [int(token) for token in ids if token in special]
        return found, bool(ids) and ids[0] in special

    @cached_property
    def _header(self) -> str:
        """What stands before an assistant's text, where a template does not write it when asked for a prompt."""
        prompted = self._apply([_user()], prompt=True)
        if prompted != self._apply([_user()], prompt=False):
            return ""
        before = self._apply([_user(), _assistant()], prompt=False).partition(REPLY)[0]
        return before[len(prompted) :].rstrip(" ") if before.startswith(prompted) else ""

    @cached_property
    def _program(self) -> dict[str, str]:
        """The template with its day written in, where there is one to be."""
        if self.date is None or not is_dated(self.tokenizer):
            return {}
        today = datetime.fromisoformat(self.date)
        return {"chat_template": _TODAY.sub(lambda call: f'"{today.strftime(call["form"])}"', program(self.tokenizer))}

    @cached_property
    def _in_parts(self) -> bool:
        """Whether a turn's content must be a list of parts, as with models of texts and images."""
        try:
            if ASK in self._applied([_user()], prompt=True):
                return False
        except AurifyError:
            pass
        try:
            return ASK in self._applied(_parts([_user()]), prompt=True)
        except AurifyError:
            return False

    def _apply(self, messages: Sequence[Mapping[str, str]], *, prompt: bool) -> str:
        return self._applied(_parts(messages) if self._in_parts else messages, prompt=prompt)

    def _applied(self, messages: Sequence[Mapping[str, Any]], *, prompt: bool) -> str:
        try:
            with bounded(SECONDS):
                text = self.tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=prompt, **{**self._program, **self.args}
                )
        except TooLong:
            raise AurifyError(
                f"--prompt chat: the model's chat template does not end within {SECONDS:g} s: take --prompt plain"
            ) from None
        except Exception as error:  # a program of somebody else's can raise anything
            hint = "; is it --system that it does not take?" if any(m["role"] == "system" for m in messages) else ""
            raise AurifyError(f"--prompt chat: the model's chat template fails: {first_line(error)}{hint}") from error
        return str(text)


def is_dated(tokenizer: Any) -> bool:
    """Whether the tokenizer's chat template writes today's date, as Llama 3.2's and gpt-oss's do."""
    return _TODAY.search(program(tokenizer)) is not None


def program(tokenizer: Any) -> str:
    """The text of a tokenizer's chat template; of several by name, of the default one."""
    template = getattr(tokenizer, "chat_template", None)
    return str((template.get("default") if isinstance(template, Mapping) else template) or "")


def know_eos(tokenizer: Any, eos: Collection[int]) -> None:
    """Have a tokenizer know the EOS ids of its model, which end turns that its own does not end."""
    with suppress(AttributeError):
        setattr(tokenizer, _KNOWN, frozenset(eos))


def eos_known(tokenizer: Any) -> frozenset[int]:
    """The EOS ids that a tokenizer knows: its own, and those of ``know_eos``."""
    own = getattr(tokenizer, "eos_token_id", None)
    return frozenset(getattr(tokenizer, _KNOWN, ())) | (frozenset() if own is None else {own})


def turn_end(tokenizer: Any, eos: Collection[int] = ()) -> int | None:
    """The token with which the tokenizer's chat template ends an assistant's turn; None where there is none.

    Where it writes several, it is the one among ``eos``, the model's.
    """
    if not getattr(tokenizer, "chat_template", None):
        return None
    try:
        return ChatTemplate(tokenizer, eos=eos).end_id
    except AurifyError:
        return None


def _parts(messages: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    return [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]


def _user() -> dict[str, str]:
    return {"role": "user", "content": ASK}


def _assistant() -> dict[str, str]:
    return {"role": "assistant", "content": REPLY}
