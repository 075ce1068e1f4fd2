"""A wish to stop: at once where work may be broken off, else between two steps."""

from __future__ import annotations

import os
import signal

import pytest

from aurify.pulse import give
from aurify.running.interrupt import Interrupted, StopRequest


def ask(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def test_what_is_breakable_is_broken_off_at_once(capfd):
    done = []

    def work():
        with stop.breakable():
            ask()
            done.append("never")

    with StopRequest() as stop, pytest.raises(Interrupted):
        work()
    assert not done
    assert stop.asked
    assert "stopping and saving" in capfd.readouterr().err


def test_anything_else_is_finished():
    done = []
    with StopRequest() as stop:
        ask()
        done.append("finished")
    assert done
    assert stop.asked


@pytest.mark.parametrize("inner", [False, True])
def test_what_is_breakable_stays_so_around_what_is_until_there_is_something_to_save(inner):
    def work():
        with stop.breakable():
            if inner:
                stop.breaking(len)([])
            ask()
            raise AssertionError("went on")

    with StopRequest() as stop:
        with pytest.raises(Interrupted):
            work()
        ask()  # what the first wish began is not broken off by a second
    with StopRequest() as stop, stop.breakable():
        stop.protect()
        if inner:
            stop.breaking(len)([])
        ask()
    assert stop.asked


def test_work_is_not_begun_after_the_wish():
    with StopRequest() as stop:
        ask()
        with pytest.raises(Interrupted), stop.breakable():
            raise AssertionError("begun")


def test_one_of_several_processes_does_not_break_off():
    with StopRequest(alone=False) as stop, stop.breakable():
        ask()
    assert stop.asked


def test_work_of_all_processes_is_broken_off_between_two_passes_in_all():
    asked, passes = iter([False, False, True]), []

    def work(amount):
        ask()  # of this process alone: no reason to leave the others waiting
        for _ in range(amount):
            give("moved")
            give("pass")
            passes.append(1)
        return amount

    with StopRequest(alone=False, anywhere=lambda: next(asked)) as stop:
        assert stop.breaking(work, in_step=True)(2) == 2
        with pytest.raises(Interrupted):
            stop.breaking(work, in_step=True)(2)
        assert len(passes) == 2
        give("pass")  # of other work


def test_a_second_ctrl_c_leaves_at_once():
    with StopRequest() as stop:
        ask(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            ask(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_asked_where_nobody_can_be_told(number):
    kept = os.dup(2)
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 2)  # as a terminal that went
    try:
        with StopRequest() as stop:
            ask(number)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(write)
    assert stop.asked


def test_the_handlers_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
