"""Curves from the lines of a metrics.jsonl."""

from __future__ import annotations

import json

from aurify.report.curves import MOST_POINTS, curves


def test_known_numbers_are_grouped_and_unknown_ones_have_a_curve_of_their_own():
    lines = [{"step": n, "updated": True, "acceptance": 0.5, "valid_chains": 1.0, "new": n / 2, "flag": True,
              "timing": {"seconds": 2.0}} for n in (1, 2)]  # fmt: skip
    found = {curve.title: curve for curve in curves(lines)}
    assert [one.label for one in found["Proposals and chains"].series] == [
        "proposals right", "questions with a right rationale",
    ]  # fmt: skip
    assert found["new"].series[0].values == [0.5, 1.0]
    assert "flag" not in found, "what is no number has no curve"
    assert "Gradient" not in found, "nor has what the run did not write"


def test_accuracy_has_its_interval_and_its_tasks():
    measured = {"accuracy": 0.5, "low": 0.2, "high": 0.8}
    lines = [{"step": 0, "held_out": {**measured, "tasks": {"a": measured, "b": measured}}}]
    (curve,) = curves(lines)
    assert curve.series[0] == ("all questions", [0.5], [0.2], [0.8])
    assert [one.label for one in curve.series[1:]] == ["a", "b"]


def test_a_long_run_is_averaged_and_keeps_its_mean():
    lines = [{"step": n, "updated": True, "loss": float(n % 2)} for n in range(1, 5 * MOST_POINTS + 1)]
    (curve,) = [curve for curve in curves(lines) if curve.title == "Loss"]
    assert len(curve.steps) == len(curve.series[0].values) <= MOST_POINTS
    assert abs(sum(curve.series[0].values) / len(curve.steps) - 0.5) < 0.01
    assert curve.steps[-1] == 5 * MOST_POINTS


def test_what_json_cannot_say_is_left_out():
    found = curves([{"step": 1, "updated": True, "odd": float("nan"), "kl": float("inf")}])
    json.dumps([curve.to_dict() for curve in found], allow_nan=False)
    assert all(curve.title not in ("odd", "Effect of a step, nats") for curve in found)
