"""Settings of an evaluation that mean nothing beside others are said."""

from __future__ import annotations

import pytest

from aurify.evaluation.settings import EvaluateSettings
from aurify.settings import resolve


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"temperature": 0.5}, ["--temperature: a greedy answer has no temperature"]),
        ({"temperature": 0.5, "samples": 4}, []),
        (
            {"from_": "t", "temperature": 0.5, "prompt": "chat"},
            ["--temperature, --prompt: nothing is drawn with --from"],
        ),
        ({"from_": "t", "samples": 4}, []),
        ({"samples": 4, "vote": "sc", "weight": 2.0}, ["--weight: only --vote asc looks at it"]),
        ({"samples": 4, "vote": "asc", "ranker": "r", "weight": 2.0}, []),
        (
            {"samples": 4, "vote": "sc", "stop": "certain", "sure": 0.9},
            ["--sure: no setting that --stop certain looks at"],
        ),
        ({"samples": 4, "vote": "sc", "stop": "beta", "sure": 0.9}, []),
    ],
)
def test_what_means_nothing_is_said(given, lines):
    assert resolve(EvaluateSettings, {"model": "m", "data": "d", **given}).unused == lines
