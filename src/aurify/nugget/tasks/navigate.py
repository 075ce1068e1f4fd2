"""navigate: follow the instructions and say whether they lead back to the start."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from aurify.nugget.tasks.base import Pen, TaskForm, yes_no

_MOVE = re.compile(r"(?:Take|Go) (\d+) steps?(?: (left|right|forward|backward))?|Turn (left|right|around)")
_AXIS = {
    "right": ("x", 1),
    "left": ("x", -1),
    "forward": ("y", 1),
    "backward": ("y", -1),
    "east": ("x", 1),
    "west": ("x", -1),
    "north": ("y", 1),
    "south": ("y", -1),
}
_COMPASS = ["north", "east", "south", "west"]
_TURN = {"right": 1, "around": 2, "left": 3}


@dataclass(frozen=True)
class Route:
    """Moves as (steps, direction), ``direction`` empty for straight on, and turns as (0, turn)."""

    moves: tuple[tuple[int, str], ...]


def _say(number: int, direction: str) -> str:
    steps = f"Take {number} step{'' if number == 1 else 's'}"
    return f"{steps} {direction}" if direction else steps


def _split(rng: random.Random, total: int, parts: int) -> list[int]:
    cuts = sorted(rng.randint(0, total) for _ in range(parts - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True) if b > a]


def _facing(rng: random.Random, count: int, back: bool) -> list[tuple[int, str]]:
    moves = [(rng.randint(1, 10), rng.choice(["left", "right", "forward", "backward"])) for _ in range(count)]
    if not back:
        return moves
    out: list[tuple[int, str]] = []
    for one, other in rng.choice(
        [[("left", "right")], [("forward", "backward")], [("left", "right"), ("forward", "backward")]]
    ):
        total = rng.randint(1, 12)
        for way in (one, other):
            out += [(n, way) for n in _split(rng, total, rng.randint(1, max(1, count // 3)))]
    rng.shuffle(out)
    return out


def _turning(rng: random.Random, count: int, back: bool) -> list[tuple[int, str]]:
    turns = ["left", "right", "around"]
    if not back:
        return [(rng.randint(1, 10), "") if rng.random() < 0.62 else (0, rng.choice(turns)) for _ in range(count)]
    total = rng.randint(1, 14)
    out = [(n, "") for n in _split(rng, total, rng.randint(1, max(1, count // 2)))]
    out += rng.choice([[(0, "around")], [(0, "around")], [(0, "left"), (0, "left")], [(0, "right"), (0, "right")]])
    out += [(n, "") for n in _split(rng, total, rng.randint(1, max(1, count // 2)))]
    for _ in range(rng.randint(0, 2)):
        out.insert(rng.choice([0, len(out)]), (0, rng.choice(turns)))
    return out


class Navigate(TaskForm[Route]):
    """The shortcut answers the opposite question: whether one ends up elsewhere."""

    name = "navigate"
    answer_type = "text"
    binary = True

    def ask(self, rng: random.Random, level: str) -> str:
        """2 to 9 instructions, either with directions or with turns; half of them lead back."""
        count = rng.randint(2, 3) if level == "easy" else rng.randint(4, 9)
        back = rng.random() < 0.5
        facing = rng.random() < 0.5
        moves = (_facing if facing else _turning)(rng, count, back)
        said = ". ".join(_say(n, d) if n else f"Turn {d}" for n, d in moves) + "."
        if facing:
            said = "Always face forward. " + said
        if rng.random() < 0.75:
            start = "If you follow these instructions, do you return to the starting point? "
            return f"{start}{said}\nOptions:\n- Yes\n- No"
        return f"{said.replace('Take', 'Go')} Are you back where you started?"

    def parse(self, text: str) -> Route:
        """Read moves and turns in order."""
        moves = []
        for number, direction, turn in _MOVE.findall(text):
            moves.append((int(number), direction) if number else (0, turn))
        if len(moves) < 2:
            raise ValueError(f"not a navigate question: {text[:60]!r}")
        return Route(tuple(moves))

    def level(self, problem: Route) -> str:
        """Hard from four instructions on."""
        return "hard" if len(problem.moves) >= 4 else "easy"

    def _walk(self, problem: Route, pen: Pen) -> tuple[str, bool]:
        at, facing, parts = {"x": 0, "y": 0}, 0, []
        for number, direction in problem.moves:
            if not number:
                facing = _COMPASS.index(pen.word(_COMPASS[(facing + _TURN[direction]) % 4], _COMPASS))
                parts.append(f"turn {direction} {_COMPASS[facing]}")
                continue
            way = direction or _COMPASS[facing]
            axis, sign = _AXIS[way]
            new = pen.number(at[axis] + sign * number)
            parts.append(f"{number} {way} {axis}:{at[axis]}{'+' if sign > 0 else '-'}{number}={new}")
            at[axis] = new
        return f"{'; '.join(parts)}. x:{at['x']} y:{at['y']}", at["x"] == at["y"] == 0

    def steps(self, problem: Route, pen: Pen) -> tuple[str, str]:
        """``3 left x:0-3=-3; turn around south; ... x:0 y:-2 is away.``"""
        text, home = self._walk(problem, pen)
        return f"{text} is {'home' if home else 'away'}.", yes_no(home)

    def shortcut(self, problem: Route, pen: Pen) -> tuple[str, str]:
        """The same walk, then the answer to whether one ends elsewhere."""
        text, home = self._walk(problem, pen)
        return f"{text} is {'home' if home else 'away'}.", yes_no(not home)

    def guess(self, problem: Route, rng: random.Random) -> str:
        """A coin."""
        return rng.choice(["Yes", "No"])
