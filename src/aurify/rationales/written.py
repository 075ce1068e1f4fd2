"""The samples of a row that somebody else wrote, as texts with their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aurify.questions.fields import Fields
from aurify.questions.rows import show
from aurify.rationales.sample_fields import LIST_FIELDS, SAMPLE_FIELDS, listed_field


class WrittenSample(NamedTuple):
    """One sample of a row."""

    text: str
    own: Mapping[str, Any]
    """What the file says of this sample alone; of a row with one sample, the row."""
    model: str
    """The model whose name the sample stands under; else empty."""


def written_samples(fields: Mapping[str, Any]) -> Iterator[WrittenSample]:
    """The samples of one row: those of its list, the row itself, or one object a model.

    A row's own ``solution`` is no sample but the gold one. A row whose list is empty has none.

    Raises:
        ValueError: a sample is neither text nor an object that holds one.
    """
    if (listed := listed_field(fields)) is not None:
        for sample in fields[listed]:
            yield _sample(sample if isinstance(sample, dict) else {"text": sample}, f" in '{listed}'")
        return
    if any(isinstance(fields.get(name), list) for name in LIST_FIELDS):
        return
    row = {name: value for name, value in fields.items() if name.lower() != "solution"}
    nested = {name: value for name, value in fields.items() if isinstance(value, dict) and _text(value) is not None}
    if nested and _text(row) is None:
        for name, value in nested.items():
            yield _sample(value)._replace(model=str(name))
    else:
        yield _sample(row)


def _sample(own: Mapping[str, Any], place: str = "") -> WrittenSample:
    text = _text(own)
    if text is None:
        what = show(own["text"] if "text" in own else dict(own))
        raise ValueError(f"a sample{place} {what}: expected its text, in a field named {', '.join(SAMPLE_FIELDS)}")
    return WrittenSample(text, own, "")


def _text(own: Mapping[str, Any]) -> str | None:
    fields = Fields(own)
    return next((fields[name] for name in SAMPLE_FIELDS if isinstance(fields.get(name), str)), None)
