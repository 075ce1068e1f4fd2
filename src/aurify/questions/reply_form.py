"""A reply in the form of a chat template: its thought and its answer between what the template writes around them."""

from __future__ import annotations

from aurify.answers.thought import parted
from aurify.questions.chat import ChatTemplate
from aurify.questions.closing import closing
from aurify.questions.continued import TurnPart


def reply_parts(chat: ChatTemplate, text: str, *, thinks: bool, whole: bool) -> list[TurnPart]:
    """The parts of a text behind a prompt, without what ends the turn.

    A thought stands as the template writes one, whatever the tags that it came in. Where the template shows none, it
    stays as it is, but for a closing tag of another family behind a thought that the prompt opens. Before a text
    without a thought comes what the template writes before such a reply.

    Args:
        text: without the opening of the prompt.
        thinks: whether it holds a thought, or the prompt opens one for it.
        whole: whether it ends where the reply does.
    """
    found = parted(text) if thinks else None
    thought, tag, answer = found or ("", "", text)
    if whole and chat.trims:
        answer = answer.rstrip()
    if not thinks or (tag and not thought.strip() and not chat.opening):
        said = answer.lstrip() if thinks or chat.trims else answer.removeprefix(chat.lead)
        return [TurnPart(chat.lead), TurnPart(said, said=True)]
    close = chat.between or (closing(chat.opening) if chat.opening else "")
    if found is None or not close or (not chat.between and tag in close):
        return [TurnPart(text, said=True)]
    opened = [TurnPart(chat.before), TurnPart(thought.strip() if tag else thought.lstrip(), said=True)]
    return [*opened, TurnPart(close), TurnPart(answer.lstrip(), said=True)] if tag else opened
