"""Our verdicts on rationales that came with labels, and where the two disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aurify.answers import Grader
from aurify.collecting.labelled import LabelledFile, Sample
from aurify.questions.record import Question
from aurify.rationales.record import Rationale

JUDGED_AT_A_TIME = 2048
"""Rationales that are judged at a time, equal ones once."""

LABEL_WORDS = {True: "right", False: "wrong", None: "none"}
"""The words for a file's label."""


@dataclass(frozen=True)
class Disagreement:
    """A sample that the file calls one thing and our verifier another."""

    question: Question
    sample: Sample
    rationale: Rationale

    def to_dict(self) -> dict[str, Any]:
        """A line of ``disagreements.jsonl``."""
        return {
            "where": self.sample.where,
            "question_id": self.question.id,
            "sample_index": self.rationale.sample_index,
            "model": self.rationale.model,
            "given": LABEL_WORDS[self.sample.label],
            "verdict": str(self.rationale.verdict),
            "reason": self.rationale.reason,
            "gold": self.question.answer,
            "predicted": self.rationale.predicted,
            "text": self.rationale.text,
        }


@dataclass
class LabelAgreement:
    """Counts of (given label, our verdict), by the model that wrote the samples."""

    counts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)

    def add(self, question: Question, sample: Sample, rationale: Rationale) -> None:
        """Count one."""
        given = LABEL_WORDS[sample.label]
        self.counts.setdefault(rationale.model, Counter())[given, str(rationale.verdict)] += 1
        if sample.label is not None and sample.label != rationale.right:
            self.disagreements.append(Disagreement(question, sample, rationale))

    def to_dict(self) -> dict[str, Any]:
        """By model: how many, how many were labelled, the share of these on which we agree, and the whole table."""
        found = {}
        for model, counts in self.counts.items():
            labelled = {key: count for key, count in counts.items() if key[0] != LABEL_WORDS[None]}
            agreed = sum(
                count for (given, verdict), count in labelled.items() if (given == "right") == (verdict == "right")
            )
            n = sum(labelled.values())
            found[model] = {
                "n": counts.total(),
                "labelled": n,
                "agreed": agreed,
                "agreement": agreed / n if n else None,
                "counts": {
                    given: {verdict: count for (label, verdict), count in sorted(counts.items()) if label == given}
                    for given in LABEL_WORDS.values()
                },
            }
        return found


def judge_labelled(
    file: LabelledFile,
    grader: Grader,
    *,
    model: str,
    progress: Callable[[int, int], None] = lambda done, asked: None,
) -> tuple[list[Rationale], LabelAgreement]:
    """The file's samples as a teacher's rationales with our verdicts, and how these agree with its labels.

    Args:
        model: the name of the writer where the file does not tell.
        progress: called with (judged, to be judged).
    """
    by_id = {question.id: question for question in file.questions}
    work = [(by_id[key], index, one) for key, samples in file.samples.items() for index, one in enumerate(samples)]
    agreement, rationales = LabelAgreement(), []
    progress(0, len(work))
    for start in range(0, len(work), JUDGED_AT_A_TIME):
        chunk = work[start : start + JUDGED_AT_A_TIME]
        grades = grader.grade_all([(sample.text, question, sample.truncated) for question, _, sample in chunk])
        for (question, index, sample), grade in zip(chunk, grades, strict=True):
            rationale = Rationale(
                question_id=question.id,
                token_ids=(),
                text=sample.text,
                predicted=grade.predicted,
                verdict=grade.verdict,
                reason=grade.reason,
                score=grade.score,
                source="teacher",
                model=sample.model or model,
                step=0,
                sample_index=index,
                seed=0,
                finish_reason="length" if sample.truncated else "stop",
                logprob=None,
            )
            agreement.add(question, sample, rationale)
            rationales.append(rationale)
        progress(min(start + JUDGED_AT_A_TIME, len(work)), len(work))
    return rationales, agreement
