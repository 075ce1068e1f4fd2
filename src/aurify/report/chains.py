"""The chain of every question through a run, replayed from the run's table.

An E-step is a pure function of a seed, the chains and the proposals. The table holds the proposals of every step in
the order of its batch, so the method itself says again which of them came into the memory, and with which weight each
was learned from; nothing had to be written down for that. The memory in the run's newest checkpoint says whether the
replay went as the run did; where it did not (another version, a method that is not at hand), or where not all questions
are read, the proposals are shown without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.methods import Method
from aurify.methods.base import EStep
from aurify.rationales import Chain, Memory, Rationale
from aurify.report.source import RunSource
from aurify.seeds import stable_seed


class ChainVisit(NamedTuple):
    """What a step did with one question."""

    step: int
    drawn: tuple[Rationale, ...]
    """A first rationale for the chain, where one was wanted, and the proposals."""
    held: Rationale | None = None
    """What the memory holds afterwards."""
    since: int = 0
    """Since which step."""
    weights: tuple[float, ...] = ()
    """With which weight each of ``drawn`` was learned from; empty where it cannot be told."""
    memory_weight: float = 0.0
    """The weight of the rationale that was remembered from before."""


@dataclass(frozen=True)
class Chains:
    """The visits of every question, by its id, in the order of steps."""

    visits: Mapping[str, Sequence[ChainVisit]]
    replayed: bool
    """Whether weights are known, and what the memory held."""
    remembers: bool = False
    """Whether the method has a memory."""


def read_chains(source: RunSource) -> Chains:
    """The chains of a run."""
    before = _plain([row for row in source.drawn.rows if row.step == 0])
    rows = [row for row in source.drawn.rows if row.step > 0]
    method = _method(source.config)
    if method is not None and rows and not source.left_out:
        try:
            visits = _replay(method, int(source.config.get("seed", 0)), rows, _newest_memory(source.folder))
            return Chains(_joined(before, visits), replayed=True, remembers=method.remembers)
        except (_Otherwise, AurifyError, ValueError, IndexError, KeyError):
            pass
    return Chains(_joined(before, _plain(rows)), replayed=False)


def _plain(rows: Sequence[Rationale]) -> dict[str, list[ChainVisit]]:
    """Visits of which only the rationales are known."""
    found: dict[str, list[ChainVisit]] = defaultdict(list)
    for step, mine in groupby(rows, lambda row: row.step):
        by_question: dict[str, list[Rationale]] = defaultdict(list)
        for row in mine:
            by_question[row.question_id].append(row)
        for question_id, drawn in by_question.items():
            found[question_id].append(ChainVisit(step, tuple(drawn)))
    return found


def _joined(one: Mapping[str, list[ChainVisit]], other: Mapping[str, list[ChainVisit]]) -> dict[str, list[ChainVisit]]:
    return {key: [*one.get(key, ()), *other.get(key, ())] for key in one.keys() | other.keys()}


class _Otherwise(Exception):
    """The run did not go as its replay."""


def _method(config: Mapping[str, Any]) -> Method | None:
    """The run's method, where its steps follow from the table: every step draws its own proposals, and no other is
    needed to say what is learned."""
    from aurify.settings import resolve
    from aurify.training.settings import TrainSettings, build_method

    try:
        method = build_method(resolve(TrainSettings, dict(config)))
    except AurifyError:
        return None
    plain = method.learns and not (method.refits or method.given or method.scores_answers or method.rationalises)
    return method if plain and not method.corrects_guide else None  # whose weights are not in the table


def _replay(
    method: Method, seed: int, rows: Sequence[Rationale], saved: tuple[int, Memory] | None
) -> dict[str, list[ChainVisit]]:
    memory = Memory()
    visits: dict[str, list[ChainVisit]] = defaultdict(list)
    for step, mine in groupby(rows, lambda row: row.step):
        firsts, proposals = _parts(list(mine))
        before = {question_id: memory[question_id] for question_id in proposals}
        judged = {id: kept for id, row in proposals.items() if (kept := [one for one in row if not one.left_out])}
        chains = [_begun(before[id], firsts.get(id), step) for id in judged]
        e_step = EStep([], [], {})
        if judged:
            e_step = method.e_step(stable_seed(seed, "e-step", step), step, chains, list(judged.values()))
        weights = {(term.question_id, term.token_ids): term.weight for term in e_step.terms}
        after = before | {chain.question_id: chain for chain in e_step.chains}
        begun = before | {chain.question_id: chain for chain in chains}
        for id, row in proposals.items():
            drawn = ([firsts[id]] if id in firsts else []) + row
            old = begun[id].rationale
            visits[id].append(
                ChainVisit(
                    step, tuple(drawn), after[id].rationale, after[id].since,
                    tuple(weights.get((id, one.token_ids), 0.0) for one in drawn),
                    weights.get((id, old.token_ids), 0.0) if old is not None else 0.0,
                )
            )  # fmt: skip
        memory.update(e_step.chains)
        if saved is not None and step == saved[0] and not _same(memory, saved[1]):
            raise _Otherwise
    return visits


def _begun(chain: Chain, first: Rationale | None, step: int) -> Chain:
    """The chain before an E-step: one that holds no right rationale was given a first one, or none was found."""
    return chain if chain.right else chain.started(first, step)


def _parts(rows: Sequence[Rationale]) -> tuple[dict[str, Rationale], dict[str, list[Rationale]]]:
    """The first rationales and the proposals of a step, in the order of its batch."""
    firsts: dict[str, Rationale] = {}
    proposals: dict[str, list[Rationale]] = defaultdict(list)
    for row in rows:
        if row.source == "self":
            proposals[row.question_id].append(row)
        else:
            firsts[row.question_id] = row
    return firsts, proposals


def _newest_memory(folder: Path) -> tuple[int, Memory] | None:
    """The step and the memory of the newest checkpoint that has one."""
    for state in sorted((folder / "checkpoints").glob("step-????????/state"), reverse=True):
        if any(state.glob("memory-*.parquet")):
            return int(state.parent.name.removeprefix("step-")), Memory.read(state)
    return None


def _same(replayed: Memory, saved: Memory) -> bool:
    """Whether the chains are the same; rationales are known by their seeds."""
    return list(_identity(replayed)) == list(_identity(saved))


def _identity(memory: Memory) -> Iterator[tuple[Any, ...]]:
    for chain in memory.chains():
        plain: Chain = replace(chain, rationale=None)
        yield plain, chain.rationale.seed if chain.rationale is not None else None
