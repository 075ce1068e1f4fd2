"""Samples that lm-evaluation-harness tells again for each of its filters, which read the answers in different ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class _Told:
    samples: list[dict[str, Any]]
    filters: set[str]


class FilteredSamples:
    """Finds the rows of one file that tell the same samples of the same document, each by another filter.

    A filter that is told twice is of other samples, which by chance have the same text.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], list[_Told]] = {}

    def is_new(self, path: str, fields: Mapping[str, Any]) -> bool:
        """Whether a row, as ``read_lm_eval`` reads it, tells samples for the first time.

        Otherwise its labels are taken up by the row that did: a sample is right if a filter says so.
        """
        document = {name: value for name, value in fields.items() if name not in ("filter", "samples")}
        word = str(fields["filter"])
        texts = [sample["text"] for sample in fields["samples"]]
        before = self._told.setdefault((path, repr(document), repr(texts)), [])
        told = next((one for one in before if word not in one.filters), None)
        if told is None:
            before.append(_Told(fields["samples"], {word}))
            return True
        told.filters.add(word)
        for sample, again in zip(told.samples, fields["samples"], strict=True):
            sample["correct"] = sample["correct"] or again["correct"]
        return False
