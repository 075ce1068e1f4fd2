"""The form in which a model is asked: what the settings say, what its folder records, or what its tokenizer tells.

A run records the form that it trained with beside the weights, so that the model is asked in the same form ever
after. The same form asks in training, sampling, distilling and evaluation.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from aurify.errors import AurifyError
from aurify.files import write_atomically
from aurify.models.hub import hub_file
from aurify.models.load import base_name, eos_of, resolve_name
from aurify.parsing import parse_json
from aurify.questions import TEMPLATES, PromptTemplate, Question
from aurify.questions.chat import is_dated
from aurify.questions.prompts import read_few_shot
from aurify.questions.tuned_on_chats import made_for_chat
from aurify.text import printable

PROMPT_FILE = "prompt.json"
CHARACTERS_SHOWN = 2000
"""Characters of a prompt that are shown, at most: the last ones, which hold the question."""


class PromptSettings(Protocol):
    """Settings that say, or leave open, how a model is asked."""

    @property
    def prompt(self) -> str: ...
    @property
    def few_shot(self) -> str | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def template_args(self) -> str | None: ...
    @property
    def max_new_tokens(self) -> int | None: ...


@dataclass(frozen=True)
class PromptForm:
    """How questions are put to a model, and how long it may answer."""

    prompt: str
    """plain, chat or direct."""
    few_shot: str | None = None
    """The text of worked examples."""
    system: str | None = None
    template_args: Mapping[str, Any] | None = None
    max_new_tokens: int | None = None
    """None: not chosen yet."""
    date: str | None = None
    """The day that a chat template which writes the date takes for today, so that prompts stay what they are."""
    reason: str = field(default="", compare=False)
    """Why this form; not recorded."""

    def template(self, tokenizer: Any, *, few_shot: str | None = None) -> PromptTemplate:
        """The template; ``few_shot`` takes the place of the form's own worked examples.

        Raises:
            UsageError: the tokenizer has no chat template, or a setting is not for this form.
            AurifyError: the worked examples cannot be read.
        """
        return PromptTemplate.named(
            self.prompt, tokenizer, few_shot or self.few_shot, system=self.system, template_args=self.template_args,
            date=self.date,
        )  # fmt: skip

    def line(self) -> str:
        """What a user is told of it."""
        parts = [f"prompt: {self.prompt} ({self.reason})", *self._beside()]
        parts += [f"dated {self.date}"] if self.date else []
        return printable(", ".join(parts), 400)

    def differs(self, recorded: PromptForm | None) -> str:
        """How the model was asked when it was trained, where that is another form."""
        names = ("prompt", "few_shot", "system", "template_args")
        if recorded is None or all(getattr(self, name) == getattr(recorded, name) for name in names):
            return ""
        return "; it was trained as " + " and ".join([recorded.prompt, *recorded._beside()])

    def _beside(self) -> list[str]:
        """What stands in the prompt beside the question."""
        parts = ["worked examples"] if self.few_shot else []
        parts += ["a system message"] if self.system else []
        return parts + ([f"template arguments {json.dumps(dict(self.template_args))}"] if self.template_args else [])

    def save(self, folder: Path) -> None:
        """Write it into a folder that is there."""
        names = ("prompt", "few_shot", "system", "template_args", "max_new_tokens", "date")
        content = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        write_atomically(folder / PROMPT_FILE, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: str | Path) -> PromptForm | None:
        """The form that a folder records; None where it records none.

        Raises:
            AurifyError: the record is damaged.
        """
        file = Path(folder) / PROMPT_FILE
        if not file.is_file():
            return None
        try:
            content = parse_json(file.read_text(encoding="utf-8"))
            form = cls(**content, reason=f"as {file} says")
            if form.prompt not in TEMPLATES or not isinstance(form.max_new_tokens, int | None):
                raise ValueError(f"a prompt '{form.prompt}' of {form.max_new_tokens} tokens")
            if form.date is not None:
                datetime.date.fromisoformat(form.date)
        except (OSError, ValueError, TypeError) as error:
            raise AurifyError(f"{file}: not the record of a prompt: {error}; remove it, or give --prompt") from None
        return form


def prompt_form(asked: PromptSettings, name: str, tokenizer: Any) -> PromptForm:
    """The form in which settings have the model ``name`` asked.

    ``--prompt`` decides. Where it is "auto", what the model's folder records does, single settings winning; without
    a record a model that was made for its tokenizer's chat template is asked in a chat, and any other plainly.

    Raises:
        AurifyError: a record or worked examples cannot be read.
    """
    args = parse_json(asked.template_args) if asked.template_args else None
    few_shot = read_few_shot(asked.few_shot)[0] if asked.few_shot else None
    today = datetime.date.today().isoformat() if is_dated(tokenizer) else None
    given = PromptForm(asked.prompt, few_shot, asked.system, args, asked.max_new_tokens, reason="as told by --prompt")
    if asked.prompt != "auto":
        otherwise = ""
        with suppress(AurifyError):  # a damaged record says to give --prompt
            otherwise = given.differs(_recorded(name))
        return replace(given, date=today if given.prompt == "chat" else None, reason=given.reason + otherwise)
    if recorded := _recorded(name):
        names = ("few_shot", "system", "template_args", "max_new_tokens")
        return replace(recorded, **{key: value for key in names if (value := getattr(given, key)) is not None})
    chat, reason = made_for_chat(tokenizer, base_name(name), eos_of(name, tokenizer), args or {})
    return replace(given, prompt="chat" if chat else "plain", reason=reason, date=today if chat else None)


def _recorded(name: str) -> PromptForm | None:
    """The form that the folder or the repository of the hub records which ``name`` stands for, if it does.

    Raises:
        AurifyError: a folder's record is damaged. What another's repository has by that name may be anything.
    """
    folder = resolve_name(name)
    file = hub_file(folder, PROMPT_FILE)
    if file is None:
        return PromptForm.read(folder)
    try:
        found = PromptForm.read(file.parent)
    except AurifyError:
        return None
    return replace(found, reason=f"as {PROMPT_FILE} of {name} says") if found else None


def first_prompt(template: PromptTemplate, question: Question) -> str:
    """The first question as it is sent, for a person to see; of a long one the end."""
    text = printable(template.render(question), newlines=True)
    cut = f"[{len(text) - CHARACTERS_SHOWN} characters before]" if len(text) > CHARACTERS_SHOWN else ""
    return f"--- first prompt, of {printable(question.id, 60)}\n{cut}{text[-CHARACTERS_SHOWN:].rstrip()}\n---"
