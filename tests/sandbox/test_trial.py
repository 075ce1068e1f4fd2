"""Programs against tests: right ones pass, and nothing that a wrong one does to its own process makes it right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aurify.sandbox.trial import Exam, end_orphans, examine, has_namespaces

SQUARES = Exam((), (), ("assert f(2) == 4", "assert f(3) == 9"))
OUTSIDE = Path("/tmp") / f"aurify-test-outside-{os.getpid()}"

shut_off = pytest.mark.skipif(not has_namespaces(), reason="this system gives no namespaces")


@pytest.mark.parametrize(
    ("program", "verdict", "reason"),
    [
        ("def f(x): return x * x", "right", "passes its tests"),
        ("f = lambda x: x * x", "right", "passes its tests"),
        ("def f(x): return x + 2", "wrong", "test 2 of 2 failed: assert f(3) == 9"),
        ("def f(x): return 1 / 0", "wrong", "test 1 of 2 raised ZeroDivisionError: division by zero"),
        ("def g(x): return x * x", "wrong", "test 1 of 2 raised NameError"),
        ("def f(x) return x", "unparsable", "syntax error"),
        ("import no_such_module", "wrong", "loading it raised ModuleNotFoundError"),
    ],
)
def test_the_verdict_names_the_test(program, verdict, reason):
    found = examine(program, SQUARES, seconds=60, memory_mb=512)
    assert found[0] == verdict
    assert reason in found[1]


HOSTILE = {
    "exits": "import sys\nsys.exit(0)",
    "exits at once": "import os\nos._exit(0)",
    "exits when called": "import os\ndef f(x): os._exit(0)",
    "equals everything": "class A(int):\n    __eq__ = lambda s, o: True\ndef f(x): return A(0)",
    "an object that equals everything": "class A:\n    __eq__ = lambda s, o: True\ndef f(x): return A()",
    "forges the word on every file": (
        "import os, json\nword = json.dumps({'verdict': 'right', 'reason': ''}).encode() + b'\\n'\n"
        "for fd in range(64):\n    try: os.write(fd, word)\n    except OSError: pass\ndef f(x): return 0"
    ),
    "patches built-ins": "import builtins\nbuiltins.AssertionError = KeyError\nbuiltins.all = bool\ndef f(x): return 0",
    "raises the tests' own error": "def f(x): raise AssertionError('right')",
    "prints success": "print('passes its tests')\nimport atexit\natexit.register(print, 'right')\ndef f(x): return 0",
    "kills what it sees": (
        "import os\ndef f(x):\n    for pid in range(2, 400):\n"
        "        try: os.kill(pid, 9)\n        except OSError: pass\n    return 0"
    ),
    "takes memory": "def f(x): return len(bytearray(10**11))",
    "gives too much": "def f(x): return 'a' * (2 * 10**7)",
    "prints for ever": "def f(x):\n    while True: print('right' * 1000)",
    "answers before it is asked": (
        "import socket\nfor fd in range(3, 64):\n    try:\n        s = socket.socket(fileno=fd)\n"
        "        data = b'{\"result\": {\"int\": \"4\"}}'\n        s.sendall(len(data).to_bytes(4, 'big') + data)\n"
        "    except OSError: pass\ndef f(x): return 0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_is_not_right(name, monkeypatch):
    if "kills" in name and not has_namespaces():
        pytest.skip("it would")
    verdict, reason = examine(HOSTILE[name], SQUARES, seconds=60, memory_mb=512)
    assert verdict == "wrong", reason
    assert reason


@pytest.mark.parametrize(
    "program",
    [
        "def f(x):\n    while True: pass",
        "import time\ntime.sleep(1000)",
        "import os\ndef f(x):\n    while True:\n        try: os.fork()\n        except OSError: pass",
    ],
    ids=["loop", "sleep", "forks"],
)
def test_what_takes_too_long_is_ended_with_all_that_it_started(program):
    assert examine(program, SQUARES, seconds=2, memory_mb=512) == ("timeout", "timed out after 2 s")
    end_orphans()


@pytest.mark.parametrize(
    ("test", "helper"),
    [
        ("assert abs(f(2) - 4) < 1e-6", "def abs(x): return 0"),
        ("assert math.isclose(f(2), 4)", "class math:\n    isclose = lambda a, b: True"),
        ("assert all(f(x) == x * x for x in range(9))", "def all(x): return True"),
    ],
)
def test_the_tests_use_their_own_helpers(test, helper):
    exam = Exam((), (), (test,))
    assert examine(f"{helper}\ndef f(x): return 1", exam, seconds=60, memory_mb=512)[0] == "wrong"
    assert examine(f"{helper}\ndef f(x): return x * x", exam, seconds=60, memory_mb=512)[0] == "right"


def test_what_the_prompt_defines_stays_the_prompts():
    prompt = "def double(x):\n    return 2 * x\n\ndef half(x):\n    '''Undo double.'''\n"
    exam = Exam((prompt,), (), ("def check(candidate):\n    assert candidate(double(3)) == 3\n",), "half")
    assert examine("def half(x): return x / 2", exam, seconds=60, memory_mb=512)[0] == "right"
    assert examine("def double(x): return 3\ndef half(x): return 3", exam, seconds=60, memory_mb=512)[0] == "right"
    assert examine("def double(x): return 0\ndef half(x): return 0", exam, seconds=60, memory_mb=512)[0] == "wrong"
    assert "does not define 'half'" in examine("del half", exam, seconds=60, memory_mb=512)[1]


NODE = "class N:\n    def __init__(s, v): s.v, s.n = v, None\ndef f(n): return n.v + n.n.v"
DATA = "{(1, 2): {3.5, None}, 'a': [b'b', 1j, 10**30]}"
RAISES = "try:\n    f(1)\n    assert False\nexcept ValueError as error:\n    assert str(error) == 'no'"
FLOATS = "a, b, c = f(1); assert a != a and b < -1e300 and c is True"


@pytest.mark.parametrize(
    ("program", "setup", "test"),
    [
        ("def f(l): l.sort()", "", "l = [3, 1]; f(l); assert l == [1, 3]"),
        (NODE, "a = N(1); a.n = N(2)", "assert f(a) == 3"),
        ("def f(x):\n    yield from range(x)", "", "assert list(f(3)) == [0, 1, 2]"),
        (f"def f(x): return {DATA}", "", f"assert f(0) == {DATA}"),
        ("def f(x): raise ValueError('no')", "", RAISES),
        ("def f(x): return float('nan'), float('-inf'), True", "", FLOATS),
    ],
    ids=["in place", "objects", "generator", "data", "exception", "floats"],
)
def test_what_is_handed_over(program, setup, test):
    exam = Exam((), (setup,) if setup else (), (test,))
    assert examine(program, exam, seconds=60, memory_mb=512) == ("right", "passes its test")


def test_tests_that_never_call_it_prove_nothing():
    assert examine("x = 1", Exam((), (), ("assert True",)), seconds=60, memory_mb=512)[0] == "unparsable"


@shut_off
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)", "Network is unreachable"),
        (f"open({str(OUTSIDE)!r}, 'w').write('x')", "Read-only file system"),
        (f"import os; os.remove({str(Path(__file__))!r})", "Read-only file system"),
    ],
    ids=["network", "write", "remove"],
)  # fmt: skip
def test_it_reaches_neither_network_nor_files(body, reason):
    verdict, told = examine(f"def f(x):\n    {body}\n    return x * x", SQUARES, seconds=60, memory_mb=512)
    assert verdict == "wrong"
    assert reason in told
    assert not OUTSIDE.exists()
    assert Path(__file__).exists()


@shut_off
def test_its_own_folder_is_its_own():
    program = "def f(x):\n    open('a', 'w').write('x')\n    return x * x if open('a').read() == 'x' else 0"
    assert examine(program, SQUARES, seconds=60, memory_mb=512)[0] == "right"
