"""Where a model that was not stopped goes on with a further problem or speaks for the other side."""

from __future__ import annotations

import re
from collections.abc import Callable

from aurify.answers.conclusion import LONGEST_CONCLUSION
from aurify.answers.tags import TAG_TOKEN

END_TOKENS = (
    r"</?s>|</?(?:eos|EOS|pad|bos|eod|unk)>|\[(?:EOS|PAD)\]|<(?:start|end)_of_turn>"
    rf"|(?!{TAG_TOKEN})<[|｜][\w▁-]{{2,30}}[|｜]>"
)
"""Tokens that end a text or a turn, as tokenizers write them."""
_END = re.compile(END_TOKENS)
_SHORT = 200
"""What stands before the next problem is a bare answer only where it is shorter, in characters."""
_OTHERS = r"(?:user|human|student|customer|用户|用戶)"
_ROLES = r"(?:user|human|system|assistant|instruction|input|response)s?"
_TASK = (
    r"(?:problem|exercise|question|example|task|puzzle|prompt|pregunta|problema|ejercicio|frage|aufgabe|exercice"
    r"|问题|题目|問題)"
)
_WHICH = (
    r"(?:(?:next|new|another|further|additional|similar|related|practice|bonus|sample|word|math|second|third"
    r"|follow-?\s?up|few-?\s?shot|in-?context|worked)[ \t])?"
)
_NUMBER = r"(?:(?:\#|no\.?|number)[ \t]?)?\d{1,4}"
_START = r"^[ \t#*_>]{0,8}(?:\(?\d{1,3}[.)][ \t]?)?[*_]{0,2}"
_INLINE = r"(?:(?<=[.!?)}\]*$][ \t])|(?<=[.!?)}\]*$]))"
_FURTHER = re.compile(
    rf"(?P<turn>{END_TOKENS}|\[/?INST\]|<<SYS>>|\[{_ROLES}\]|</?{_OTHERS}>"
    rf"|^[ \t#*_>]{{0,8}}{_OTHERS}[*_]{{0,3}}[ \t]?[:：]|{_INLINE}(?-i:User|USER|Human|HUMAN)[ \t]?:"
    rf"|^[ \t]{{0,4}}\#{{1,6}}[ \t]*[*_]{{0,2}}{_ROLES}\b"
    r"|^[ \t*_]{0,4}(?:user|human|system|assistant)[*_ \t]{0,4}$)"
    r"|(?P<problem>(?-i:(?<![A-Za-z0-9])(?:Q|Question)\s?\d{0,4}\s?[:：])"
    r"|^[ \t#*_>]{0,8}(?-i:Q)\s?\d{0,4}[.)][ \t]"
    r"|^[ \t#*_>]{0,8}(?:instructions?|input|response|system|assistant|model|bot|AI)[*_]{0,3}[ \t]?(?:[:：]|$)"
    rf"|{_INLINE}(?-i:Problem|Exercise|Example|Task)[ \t]?(?:{_NUMBER})?[ \t]?[:：]"
    rf"|{_START}{_WHICH}{_TASK}[ \t]?(?:{_NUMBER})?[*_]{{0,3}}[ \t]?[:：]"
    rf"|{_START}{_WHICH}{_TASK}[ \t]{_NUMBER}[*_]{{0,3}}(?:[.)]|[ \t]*$)"
    rf"|^[ \t]{{0,4}}(?:\#{{1,6}}[ \t]*[*_]{{0,2}}|\*\*){_WHICH}{_TASK}[ \t]{_NUMBER}\b"
    rf"|{_START}{_TASK}[ \t](?:one|two|three|four|five|six|seven|eight|nine|ten)[*_]{{0,3}}[ \t]*[:：]?$"
    rf"|^[ \t]{{0,4}}\#{{1,6}}[ \t]*[*_]{{0,2}}{_WHICH}{_TASK}[*_ \t]{{0,4}}$"
    rf"|^[ \t#*_>]{{0,8}}(?:next|new|another)[ \t]{_TASK}[*_ \t]{{0,4}}$"
    r"|^(?:here(?:['’]s|\sis)|now|let['’]?s|next)\b[^\n.:]{0,30}\b(?:next|new|another|similar)\s"
    rf"{_TASK}\b[^\n.:]{{0,20}}(?:[.!]?[ \t]*$|:)"
    r"|^[ \t#*_>]{0,8}(?:now[ \t])?(?:solve|answer|consider)\s(?:the\s(?:following|next)|another)\s"
    rf"{_TASK}[*_]{{0,3}}[.:!]?[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)


def before_next_problem(
    text: str, stated_at: int | None, is_answer: Callable[[str], bool], concludes: Callable[[str], bool]
) -> str:
    """The text up to the next problem or the next speaker's turn. Linear in the length of the text.

    A problem that the text begins with is its own. So is one that it restates before it answers: a heading such as
    ``Problem:`` counts as the next one only behind a stated answer (from ``stated_at`` on), behind a bare one, or where
    the characters before it conclude.
    """
    for further in _FURTHER.finditer(text):
        short = further.start() < _SHORT
        head = _without_rule(_END.sub("", text[: further.start()])).strip() if short else "..."
        if not head:
            continue
        behind = stated_at is not None and stated_at <= further.start()
        ended = behind or further["turn"] or (short and is_answer(head))
        if ended or concludes(_without_rule(text[max(0, further.start() - LONGEST_CONCLUSION) : further.start()])):
            return _without_rule(text[: further.start()])
    return text


def _without_rule(head: str) -> str:
    """Without the line (``---``) that divides it from what follows."""
    before, _, last = head.rstrip().rpartition("\n")
    is_rule = len(last.strip()) > 2 and len(set(last.strip())) == 1 and last.strip()[0] in "-*_="
    return before if is_rule else head
