from __future__ import annotations

import pytest

from aurify.errors import nearest
from aurify.on_demand import on_demand


def test_a_name_is_that_of_the_module_that_has_it():
    assert on_demand("aurify", {"nearest": "errors"})("nearest") is nearest


def test_any_other_name_is_none_of_the_package():
    with pytest.raises(AttributeError, match="module 'aurify' has no attribute 'AurifyError'"):
        on_demand("aurify", {"nearest": "errors"})("AurifyError")
