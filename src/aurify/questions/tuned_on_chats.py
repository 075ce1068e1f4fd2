"""Whether a model was tuned on chats: base models often come with the chat template of their tuned siblings."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from aurify.errors import AurifyError
from aurify.questions.chat import ASK, ChatTemplate

_BASE = re.compile(r"(?:^|[-_.])base(?:$|[-_.])", re.IGNORECASE)
"""How the names of models end that were not tuned on chats."""
_TUNED = re.compile(r"(?:^|[-_.])(?:instruct|chat|it|thinking|reasoning)(?:$|[-_.])", re.IGNORECASE)
"""And of those that were. Gemma's first ones name no EOS token that ends a turn."""


def made_for_chat(tokenizer: Any, name: str, eos: Collection[int], args: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a model was tuned on chats in its tokenizer's template, and why.

    Base models often come with the template of their tuned siblings. What tells them apart is how they end: a model
    that was tuned on a template has learned to end its turns as the template does, and names that token among its
    EOS ids; a base model such as Qwen2.5's names its end of a document alone. A name that says it (``...-base``,
    ``...-it``) goes before that; where template and documents end in the same token, it alone can tell.

    Args:
        name: that of the model, or of its base.
        eos: the EOS ids of generation config, model config and tokenizer.
        args: further arguments of the template.
    """
    if not getattr(tokenizer, "chat_template", None):
        return False, "the tokenizer has no chat template"
    template = ChatTemplate(tokenizer, args, eos=eos)
    try:
        template.render([{"role": "user", "content": ASK}])
        end = template.end_id
    except AurifyError as error:
        return False, str(error).removeprefix("--prompt chat: ")
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    base, tuned = _BASE.search(name), _TUNED.search(name)
    if end is not None and end not in eos and (base or not tuned):
        token = tokenizer.convert_ids_to_tokens(end)
        return False, f"a base model: the chat template ends turns with {token}, which is no EOS token of the model"
    if base:
        return False, "a base model by its name, though it has a chat template"
    return True, "the model's chat template"
