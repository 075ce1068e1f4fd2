"""The question browser's data: a row a question, and for each its evaluations and its chain through training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aurify.rationales import Rationale
from aurify.report.agreement import alone
from aurify.report.chains import Chains, ChainVisit
from aurify.report.source import RunSource, TableRows
from aurify.report.votes import VoteFile, vote_flags, vote_items
from aurify.running.asked import AskedQuestion

HALF = 0.5
"""From this share of right rationales on a visit counts as right."""

FLAGS = {
    "wrong": "now wrong",
    "gained": "flipped to right",
    "lost": "flipped to wrong",
    "never": "never solved",
    "alone": "right, but by a rationale that stands alone",
}
"""What a question may be filtered by; ``alone``: see ``aurify.report.agreement``."""
VOTE_FLAGS = {"misvoted": "a vote is wrong", "disputed": "votes differ"}
"""The same, where there are votes."""


def question_items(source: RunSource, chains: Chains, votes: Sequence[VoteFile] = ()) -> Iterator[dict[str, Any]]:
    """Each question as the page takes it.

    ``before`` and ``after`` are shares of right rationales: of the greedy one in the first and the last evaluation,
    or, of a question that was trained on, of the samples of the first and the last visit. ``e`` are evaluations, ``v``
    visits, ``votes`` what was voted (``votes.vote_items``); a rationale is a list (see ``_pack``).
    """
    evaluations = source.evaluations()
    lonely = _alone(source)
    for one in source.asked:
        measured = [rows[one.question.id] for rows in evaluations.values() if one.question.id in rows]
        visits = chains.visits.get(one.question.id, ())
        item = _item(one, measured, visits, lonely, source, chains)
        if voted := vote_items(votes, one.question.id):
            item["votes"] = voted
            item["flags"] += vote_flags(voted)
        yield item


def _item(
    one: AskedQuestion,
    measured: Sequence[Rationale],
    visits: Sequence[ChainVisit],
    lonely: Mapping[str, set[int]],
    source: RunSource,
    chains: Chains,
) -> dict[str, Any]:
    question = one.question
    own = lonely.get(question.id, set())
    shares = [float(row.right) for row in measured] or [s for visit in visits if (s := _share(visit)) is not None]
    before, after = (shares[0], shares[-1]) if shares else (None, None)
    drawn = [row for visit in visits for row in visit.drawn]
    by_itself = [row for row in (*measured, *drawn) if _by_itself(row)]
    item: dict[str, Any] = {
        "id": question.id, "q": question.text, "a": question.answer, "part": one.part, "task": question.task,
        "before": before, "after": after, "n": len(by_itself), "right": sum(row.right for row in by_itself),
        "flags": _flags(before, after, by_itself, bool(own)),
    }  # fmt: skip
    if question.level:
        item["level"] = question.level
    if question.rationale:
        item["gold"] = question.rationale
    if measured:
        item["e"] = [_pack(row, source.held_out) for row in measured]
    if visits:
        item["v"] = [_visit(visit, source.drawn, own) for visit in visits]
        if chains.remembers:
            item["moves"] = sum(visit.since == visit.step and visit.held is not None for visit in visits)
    return item


def _flags(before: float | None, after: float | None, rows: Sequence[Rationale], lonely: bool) -> list[str]:
    found = []
    if before is not None and after is not None:
        now, then = after >= HALF, before >= HALF
        found += ["wrong"] if not now else []
        found += ["gained"] if now and not then else ["lost"] if then and not now else []
    if rows and not any(row.right for row in rows):
        found.append("never")
    return [*found, "alone"] if lonely else found


def _share(visit: ChainVisit) -> float | None:
    own = [row.right for row in visit.drawn if _by_itself(row)]
    return sum(own) / len(own) if own else None


def _by_itself(row: Rationale) -> bool:
    """Whether the model wrote it whole and unaided: a new end of a right rationale tells nothing of p(right)."""
    return row.source == "self" and row.unaided


def _visit(visit: ChainVisit, written: TableRows, lonely: set[int]) -> dict[str, Any]:
    """``held`` is [since, sample index among that visit's ``d``] or None; weights as in the M-step's sum."""
    found: dict[str, Any] = {
        "s": visit.step,
        "d": [_pack(row, written, alone=written.number(row) in lonely) for row in visit.drawn],
    }
    if visit.weights:
        found["w"] = [round(weight, 6) for weight in visit.weights]
    if visit.memory_weight:
        found["mw"] = round(visit.memory_weight, 6)
    if visit.held is not None:
        place = [index for index, row in enumerate(visit.drawn) if row is visit.held]
        found["held"] = [visit.since, place[0] if place else None]
    return found


def _pack(row: Rationale, written: TableRows, *, alone: bool = False) -> list[Any]:
    """[text, verdict, reason, answer, source, tokens, log-probability, stands alone, step, move, tokens kept]."""
    n_tokens = written.n_tokens[row.token_ids[0]]
    verdict = None if row.verdict is None else row.verdict.value
    logprob = None if row.logprob is None else round(row.logprob, 3)
    about = [row.text, verdict, row.reason, row.predicted, row.source, n_tokens, logprob, int(alone), row.step]
    return about if row.move in (None, "independent") else [*about, row.move, row.cut]


def _alone(source: RunSource) -> dict[str, set[int]]:
    """By question, the numbers of the right rationales that stand alone among those of its training."""
    right: dict[str, list[Rationale]] = defaultdict(list)
    for row in source.drawn.rows:
        if row.right:
            right[row.question_id].append(row)
    texts = {one.question.id: one.question.text for one in source.asked}
    found = {}
    for question_id, rows in right.items():
        marks = alone(texts.get(question_id, ""), [row.text for row in rows])
        if any(marks):
            found[question_id] = {source.drawn.number(row) for row, mark in zip(rows, marks, strict=True) if mark}
    return found
