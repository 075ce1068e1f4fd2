"""Voting: better answers from the samples that a user already has, whoever made them.

Pure votes over equivalent answers, rules for when to stop sampling, and rankers of rationales whose scores move votes.
"""

from aurify.voting.pool import Candidate, CandidatePool
from aurify.voting.stopping import Stopped, spend
from aurify.voting.votes import VOTES, Ballot, VoteKind, credit, vote

__all__ = ["VOTES", "Ballot", "Candidate", "CandidatePool", "Stopped", "VoteKind", "credit", "spend", "vote"]
