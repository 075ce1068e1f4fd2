"""Rationales: the record, the table of them on disk, how they are drawn, and the memory of the chains.

A rationale is everything a model wrote after a question, its answer included. Right and wrong ones, a model's own
and a teacher's, are the same record in the same table, which every part of aurify reads or writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.rationales.draw import Drawing
    from aurify.rationales.memory import Chain, Memory
    from aurify.rationales.reading import read_rationales
    from aurify.rationales.record import Rationale, Source
    from aurify.rationales.table import RationaleTable

__all__ = ["Chain", "Drawing", "Memory", "Rationale", "RationaleTable", "Source", "read_rationales"]

# Drawing needs torch, which the help of a method, and a shell that completes its flags, do not wait for.
__getattr__ = on_demand(
    __name__,
    {
        "Chain": "memory",
        "Drawing": "draw",
        "Memory": "memory",
        "Rationale": "record",
        "RationaleTable": "table",
        "Source": "record",
        "read_rationales": "reading",
    },
)
