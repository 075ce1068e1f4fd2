from __future__ import annotations

from typing import get_args

import pytest

from aurify.errors import UsageError
from aurify.settings import resolve
from aurify.training.settings import OWN_SETTINGS, TrainSettings


def test_a_method_has_few_enough_settings_to_read_each_explained():
    fields = TrainSettings.model_fields
    for method in get_args(fields["method"].annotation):
        asked = {"method", "model", "data", "out"}
        meant = [name for name in fields if name not in asked and method in OWN_SETTINGS.get(name, (method,))]
        assert len(meant) <= 42
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "rloo", "estimator": "basic"}, "--estimator means nothing for rloo"),
        ({"method": "trice", "refits": 3}, "only for star and rest-em"),
        ({"method": "rest-em", "refits": 0}, "rest-em always fits anew"),
        ({"method": "star", "samples": 4}, "leave --samples"),
        ({"method": "trice", "prompt": "direct"}, "--prompt direct goes with the method direct"),
        ({"method": "cot", "memory": "none"}, "gold, table or guide"),
        ({"method": "trice-likelihood", "estimator": "subsampled"}, "control-variate and basic"),
    ],
)
def test_settings_that_a_method_does_not_have(given, message):
    with pytest.raises(UsageError, match=message):
        resolve(TrainSettings, {"model": "nugget", "data": "d", **given})


def test_what_follows_from_the_method_is_in_the_resolved_settings():
    direct = resolve(TrainSettings, {"method": "direct", "model": "nugget", "data": "d"})
    assert (direct.prompt, direct.memory) == ("direct", "gold")
    cot = resolve(TrainSettings, {"method": "cot", "model": "nugget", "data": "d"})
    assert (cot.prompt, cot.memory) == ("plain", "auto"), "the questions decide between gold and the guide"
    again = TrainSettings(**direct.model_dump())
    assert again == direct
