"""Voting: better answers from the samples that a user already has."""
