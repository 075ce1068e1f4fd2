from __future__ import annotations

import gc
from contextlib import suppress

import pytest

from aurify.garbage import no_collections


@pytest.mark.parametrize("collecting", [True, False])
def test_nothing_is_collected_inside_and_afterwards_what_was_collected_before(collecting):
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with suppress(ImportError), no_collections():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()
