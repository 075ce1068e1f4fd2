from __future__ import annotations

import signal
import threading

import pytest

from aurify.held_back import held_back, stop_signals


class Stopped(Exception):
    pass


@pytest.fixture
def handled():
    def stop(number: int, frame: object) -> None:
        raise Stopped(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_for_the_end_of_the_block(number, handled):
    done = []

    def work() -> None:
        with held_back():
            signal.raise_signal(number)
            done.append("the rest")

    with pytest.raises(Stopped, match=number.name):
        work()
    assert done == ["the rest"]
    assert signal.getsignal(number) is handled


def test_it_changes_nothing_where_no_signal_comes(handled):
    with held_back():
        pass
    assert [signal.getsignal(number) for number in stop_signals()] == [handled] * 3


def test_an_error_of_the_block_is_kept_beside_the_signal(handled):
    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("its own")

    with pytest.raises(Stopped) as raised:
        work()
    assert isinstance(raised.value.__context__, ValueError)


def test_in_another_thread_it_is_nothing(handled):
    seen = []

    def work() -> None:
        with held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [handled]


def test_a_terminal_that_goes_is_no_reason_to_stop_where_that_is_ignored(handled):
    assert signal.SIGHUP in stop_signals()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    assert stop_signals() == {signal.SIGINT, signal.SIGTERM}
