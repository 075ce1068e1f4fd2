"""Which of the known questions a rationale of somebody else's is on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from aurify.answers import without_options
from aurify.questions.record import Question
from aurify.rationales.record import Rationale
from aurify.text import single_spaced


class KnownQuestions:
    """Questions, found by the id and the text that a file gives them.

    An id may by chance be another question's, as the row numbers of a file are: where there is a text, the id counts if
    the text is its question's, or nobody's and of the same words, as a prompt around the question is. A text may
    lack the options, or have some where the question has none.
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
            if same is not None and single_spaced(same.text) != text:
                self._by_stem[stem] = None

    def find(self, name: str, text: str) -> Question | None:
        """The question of this id or text, either of which may be empty, or the same where a file has but one.

        None also where a text is that of several.
        """
        found = self._by_id.get(name)
        whole, stem = _with_stem(text)
        if found is not None and (not whole or text == name or _alike((whole, stem), _with_stem(found.text))):
            return found
        if whole in self._by_text:
            return self._by_text[whole]
        asked = found if found is not None and _of_the_same_words(found.text, whole) else None
        return self._by_stem.get(whole, self._by_text.get(stem, asked))

    def renamed(self, rationales: Iterable[Rationale], texts: Mapping[str, str]) -> Iterator[Rationale]:
        """Rationales by the ids of the questions that they are on; those on none of these by their question's text.

        Args:
            texts: the texts of questions that go by an id of the file's own (see ``read_with_texts``).
        """
        for rationale in rationales:
            text = texts.get(rationale.question_id, rationale.question_id)
            found = self.find(rationale.question_id, text)
            yield replace(rationale, question_id=text if found is None else found.id)


def _with_stem(text: str) -> tuple[str, str]:
    return single_spaced(text), single_spaced(without_options(text))


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two texts, each with its stem, are the same, or one the other's stem."""
    return one[0] in other or other[0] in one


def _of_the_same_words(question: str, text: str) -> bool:
    """Whether three in four words of one of the two, at least, stand in the other."""
    one, other = _words(question), _words(text)
    return 4 * len(one & other) >= 3 * min(len(one), len(other))


def _words(text: str) -> set[str]:
    """Words and numbers; of a text without any, its signs."""
    return set(re.findall(r"\w+", text.casefold())) or set(text.split())
