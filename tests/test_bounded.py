from __future__ import annotations

import signal
import threading

import pytest

from aurify.bounded import TooLong, bounded


def forever():
    while True:
        pass


def test_what_does_not_end_is_ended_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(TooLong), bounded(0.05):
        forever()
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_end_that_python_drops_comes_again():
    raised = []

    class Slow:
        def __del__(self):
            try:
                forever()
            except TooLong:
                raised.append("dropped")
                raise

    def dropped_and_on():
        Slow()
        forever()

    with pytest.raises(TooLong), bounded(0.05):
        dropped_and_on()
    assert raised == ["dropped"]
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_what_ends_is_left_alone():
    with bounded(5):
        done = sum(range(1000))
    assert done == 499500


def test_its_own_error_goes_through():
    with pytest.raises(ZeroDivisionError), bounded(5):
        1 / 0  # noqa: B018


def test_in_another_thread_there_is_no_bound():
    done = []

    def work():
        with bounded(0.001):
            done.append(sum(range(10**6)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
