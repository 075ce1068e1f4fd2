"""The table of forms that question rows come in. Another is one file that makes a ``Form``, and one line here."""

from __future__ import annotations

from pkgutil import resolve_name

from aurify.questions.fields import Fields
from aurify.questions.forms.form import Form, Found

_ENTRIES = (
    "aurify.questions.forms.programs:HUMANEVAL",
    "aurify.questions.forms.programs:MBPP",
    "aurify.questions.forms.countdown:COUNTDOWN",
    "aurify.questions.forms.numbers:NUMBERS",
    "aurify.questions.forms.multiple_choice:DISTRACTORS",
    "aurify.questions.forms.multiple_choice:OPTIONS_LIST",
    "aurify.questions.forms.multiple_choice:OPTION_COLUMNS",
    "aurify.questions.forms.rewarded:VERL",
    "aurify.questions.forms.rewarded:INFO",
    "aurify.questions.forms.graded_turns:GRADED_TURNS",
    "aurify.questions.forms.labels:LABELS",
    "aurify.questions.forms.demonstrations:DEMONSTRATIONS",
    "aurify.questions.forms.conversations:CONVERSATIONS",
    "aurify.questions.forms.solutions:SOLUTIONS",
    "aurify.questions.forms.plain:PLAIN_FORM",
)
"""In the order in which they are tried: the first that fits a row reads it."""

FORMS: dict[str, Form] = {form.word: form for form in map(resolve_name, _ENTRIES)}
"""By their words."""

__all__ = ["FORMS", "Form", "Found", "recognised"]


def recognised(fields: Fields) -> Form:
    """The form of a row; ``plain`` fits every row, and says what one lacks."""
    return next(form for form in FORMS.values() if form.fits(fields))
