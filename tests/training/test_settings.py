from __future__ import annotations

from aurify.training.settings import TrainSettings


def test_a_method_has_at_most_forty_settings_each_explained():
    fields = TrainSettings.model_fields
    assert len(fields) <= 40
    assert all(field.description for field in fields.values())
