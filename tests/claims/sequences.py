"""A world of short sequences: a random autoregressive model, of which every rationale and every score is enumerable."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from enumeration import Array

from aurify.answers import Verdict
from aurify.rationales import Chain, Rationale

EOS = 0
Sequence = tuple[int, ...]


@dataclass(frozen=True)
class Sequences:
    """One question: a logit for each next token after each beginning; what does not end within the limit is wrong."""

    theta_PV: Array
    limit: int
    right: frozenset[Sequence]
    stop: Sequence = ()
    """A sequence ends with the token that makes this whole, as at a stop string."""

    @classmethod
    def random(cls, seed: int, *, vocabulary: int = 3, limit: int = 4, stop: Sequence = ()) -> Sequences:
        random = np.random.default_rng(seed)
        beginnings = sum(vocabulary**length for length in range(limit))
        bare = cls(random.normal(size=(beginnings, vocabulary)), limit, frozenset(), stop)
        ended = [z for z in bare.probability if bare.ends(z)]
        right = [z for z, one in zip(ended, random.random(len(ended)), strict=True) if one < 0.4]
        extremes = [pick(ended, key=len) for pick in (min, max)]  # so that lengths vary
        at_stop = [z for z in ended if z[-1] != EOS][:1]
        return cls(bare.theta_PV, limit, frozenset([*right, *extremes, *at_stop]), stop)

    def ends(self, z: Sequence) -> bool:
        """Whether it ends by itself."""
        return z[-1] == EOS or (bool(self.stop) and z[-len(self.stop) :] == self.stop)

    def place(self, beginning: Sequence) -> int:
        """The row of a beginning's logits."""
        vocabulary = self.theta_PV.shape[1]
        before = sum(vocabulary**length for length in range(len(beginning)))
        return before + sum(token * vocabulary**i for i, token in enumerate(beginning))

    def next(self, beginning: Sequence) -> Array:
        """p(token | beginning)."""
        e = np.exp(self.theta_PV[self.place(beginning)])
        return e / e.sum()

    def continuations(self, beginning: Sequence = ()) -> dict[Sequence, float]:
        """Every whole sequence that goes on from a beginning, with its probability given that."""
        found = {}
        for token, chance in enumerate(self.next(beginning)):
            z = (*beginning, token)
            if self.ends(z) or len(z) == self.limit:
                found[z] = float(chance)
            else:
                found |= {one: float(chance) * more for one, more in self.continuations(z).items()}
        return found

    @cached_property
    def probability(self) -> dict[Sequence, float]:
        """p(z | x)."""
        return self.continuations()

    @property
    def posterior(self) -> dict[Sequence, float]:
        """p(z | x, y)."""
        pi = sum(self.probability[z] for z in self.right)
        return {z: self.probability[z] / pi for z in sorted(self.right)}

    def score(self, z: Sequence, after: int = 0) -> Array:
        """grad log p(z_>=after | x, z_<after) with respect to the logits."""
        gradient = np.zeros_like(self.theta_PV)
        for place in range(after, len(z)):
            row = self.place(z[:place])
            gradient[row] -= self.next(z[:place])
            gradient[row, z[place]] += 1
        return gradient

    def gradient_log_pi(self) -> Array:
        """grad log P(right | x)."""
        return sum((p * self.score(z) for z, p in self.posterior.items()), np.zeros_like(self.theta_PV))

    def record(self, z: Sequence, question: str = "0", cut: int | None = None) -> Rationale:
        """The rationale z; with ``cut``, as a suffix move proposes it."""
        return Rationale(
            question_id=question, token_ids=z, text=str(z), predicted=None,
            verdict=Verdict.RIGHT if z in self.right else Verdict.WRONG, reason="", source="self", model="m", step=1,
            sample_index=0, seed=0, finish_reason="stop" if self.ends(z) else "length", logprob=None,
            move="independent" if cut is None else "suffix", cut=cut or 0,
        )  # fmt: skip

    def chain(self, z: Sequence, question: str = "0") -> Chain:
        """A chain that stands on z."""
        return Chain(question, self.record(z, question))

    def suffix_draws(self, z: Sequence, samples: int) -> list[tuple[float, int, tuple[Sequence, ...]]]:
        """Every outcome of a suffix move from z: its probability, the cut, and the proposals."""
        found = []
        for cut in range(len(z)):
            ends = self.continuations(z[:cut]).items()
            for outcome in itertools.product(ends, repeat=samples):
                chance = float(np.prod([p for _, p in outcome])) / len(z)
                found.append((chance, cut, tuple(end for end, _ in outcome)))
        return found
