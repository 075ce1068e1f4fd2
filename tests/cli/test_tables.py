from __future__ import annotations

from aurify.cli.tables import percent, text_table


def test_columns_are_aligned_and_cells_cannot_command_the_terminal() -> None:
    found = [*text_table([["name", "n"], ["a\x1b[31mlong\nname", "12"], ["b" * 9, "3"]], 8)]
    assert found == ["name       n", "along n…  12", "bbbbbbb…   3"]


def test_percent() -> None:
    assert percent(0.5, 0.25, 1) == "50.0 (25.0 to 100.0)"
    assert percent(0.01, -0.002, 0.5, sign=True) == "+1.0 (-0.2 to +50.0)"
