"""The table of forms that question rows come in. Another is one file that makes a ``Form``, and one line here."""

from __future__ import annotations

from aurify.questions.fields import Fields
from aurify.questions.forms.conversations import CONVERSATIONS
from aurify.questions.forms.form import Form, Found
from aurify.questions.forms.multiple_choice import DISTRACTORS, OPTION_COLUMNS, OPTIONS_LIST
from aurify.questions.forms.numbers import NUMBERS
from aurify.questions.forms.plain import PLAIN
from aurify.questions.forms.rewarded import INFO, VERL
from aurify.questions.forms.solutions import SOLUTIONS

FORMS: dict[str, Form] = {
    form.word: form
    for form in (
        NUMBERS,
        DISTRACTORS,
        OPTIONS_LIST,
        OPTION_COLUMNS,
        VERL,
        INFO,
        CONVERSATIONS,
        SOLUTIONS,
        PLAIN,
    )
}
"""By their words, in the order in which they are tried: the first that fits a row reads it."""

__all__ = ["FORMS", "Form", "Found", "recognised"]


def recognised(fields: Fields) -> Form:
    """The form of a row; ``plain`` fits every row, and says what one lacks."""
    return next(form for form in FORMS.values() if form.fits(fields))
