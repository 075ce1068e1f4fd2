"""Rationales: the record, the table of them on disk, how they are drawn, and the memory of the chains.

A rationale is everything a model wrote after a question, its answer included. Right and wrong ones, a model's own
and a teacher's, are the same record in the same table, which every part of aurify reads or writes.
"""

from aurify.rationales.draw import Drawing
from aurify.rationales.memory import Chain, Memory
from aurify.rationales.reading import read_rationales
from aurify.rationales.record import Rationale, Source
from aurify.rationales.table import RationaleTable

__all__ = ["Chain", "Drawing", "Memory", "Rationale", "RationaleTable", "Source", "read_rationales"]
