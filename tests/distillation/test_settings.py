"""What a method of distillation does not look at is told."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.distillation.settings import DistillSettings


def settings(method: str, **given: Any) -> DistillSettings:
    return DistillSettings.model_validate({"method": method, "from_": "runs/a", **given})


BESIDE = "--holdout: nothing of --data is held out beside --eval-data"


@pytest.mark.parametrize(
    ("method", "given", "lines"),
    [
        ("kd", {"unit_width": 7}, ["--unit-width: no setting that kd looks at"]),
        ("kd", {"samples": 3, "nce_weights": "token"}, ["--samples, --nce-weights: no setting that kd looks at"]),
        ("nat", {"negative_weight": 0.9}, ["--negative-weight: no setting that nat looks at"]),
        (
            "kd",
            {"eval_data": "e.jsonl", "holdout": 0.5},
            ["--holdout: nothing of --data is held out beside --eval-data"],
        ),
        ("kd", {"eval_data": "e.jsonl"}, []),
        ("kd", {"epochs": 2, "steps": 5}, ["--epochs: --steps stands in its place"]),
        ("kd", {"epochs": 2}, []),
        ("nce", {"temperature": 0.5, "samples": 2, "nce_weights": "token"}, []),
        ("ul", {"negative_weight": 0.9, "negatives": "all"}, []),
        ("kd", {"samples": 4, "unit_width": 128}, []),
        ("kd", {}, []),
    ],
)
def test_settings_of_other_methods(method: str, given: dict[str, Any], lines: list[str]) -> None:
    assert settings(method, **given).unused == lines
