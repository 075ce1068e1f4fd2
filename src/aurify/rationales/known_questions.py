"""Which of the known questions a rationale of somebody else's is on."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.answers import without_options
from aurify.questions.record import Question
from aurify.rationales.naming import plain


class KnownQuestions:
    """Questions, found by the id and the text that a file gives them.

    An id may by chance be another question's, as the row numbers of a file are: where there is a text, the id counts if
    the text is its question's, or nobody's. A text may lack the options, or have some where the question has none.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self._by_id: dict[str, Question] = {}
        self._by_text: dict[str, Question] = {}
        self._by_stem: dict[str, Question | None] = {}
        for question in questions:
            text, stem = _with_stem(question.text)
            self._by_id[question.id] = question
            self._by_text[text] = question
            same = self._by_stem.setdefault(stem, question)
            if same is not None and plain(same.text) != text:
                self._by_stem[stem] = None

    def find(self, name: str, text: str) -> Question | None:
        """The question of this id or text, either of which may be empty; None also where a text is that of several."""
        found = self._by_id.get(name)
        whole, stem = _with_stem(text)
        if found is not None and (not whole or _alike((whole, stem), _with_stem(found.text))):
            return found
        if whole in self._by_text:
            return self._by_text[whole]
        return self._by_stem.get(whole, self._by_text.get(stem, found))


def _with_stem(text: str) -> tuple[str, str]:
    return plain(text), plain(without_options(text))


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two texts, each with its stem, are the same, or one the other's stem."""
    return one[0] in other or other[0] in one
