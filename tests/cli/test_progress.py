"""Progress where standard error is no terminal."""

from __future__ import annotations

from aurify.cli.progress import progress_bar


def test_short_work_is_silent_without_a_terminal(capfd) -> None:  # type: ignore[no-untyped-def]
    with progress_bar("answers") as tell:
        for done in range(1, 11):
            tell(done, 10)
    assert capfd.readouterr() == ("", "")
