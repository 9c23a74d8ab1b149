"""A line that steps: how a number grew, as the points of an SVG drawing.

The pages draw it inline, in the colours of the stylesheet, light and dark, beside a table of the
same numbers. The library that draws the project's other charts carries a JavaScript engine, which
has no place in the process that the public reaches.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 12, 14, 40


@dataclass(frozen=True)
class Tick:
    """One mark of an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Steps:
    """Everything that a template draws; all numbers are in the drawing's units."""

    path: str
    #: Below the line, closed, to be filled.
    area: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    #: Where the last value stands.
    end: tuple[float, float]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def steps(points: Sequence[tuple[datetime, int]]) -> Steps | None:
    """Draw (moment, value) in order of time; none for fewer than two, which need no drawing."""
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return None
    first, last = points[0][0].timestamp(), points[-1][0].timestamp()
    marks = _round_marks(max(value for _, value in points))
    most = marks[-1]

    def x(moment: datetime) -> float:
        share = (moment.timestamp() - first) / (last - first)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(value: int) -> float:
        return round(HEIGHT - _BOTTOM - value / most * (HEIGHT - _TOP - _BOTTOM), 1)

    moves = [f"M{x(points[0][0])} {y(points[0][1])}"]
    moves += [f"H{x(moment)}V{y(value)}" for moment, value in points[1:]]
    path = "".join(moves)
    floor = HEIGHT - _BOTTOM
    return Steps(
        path=path,
        area=f"{path}V{floor}H{_LEFT}Z",
        across=tuple(Tick(x(moment), f"{moment:%-d %b %Y}") for moment in _spread(points)),
        up=tuple(Tick(y(mark), f"{mark:,}") for mark in marks),
        end=(x(points[-1][0]), y(points[-1][1])),
    )


def _round_marks(most: int) -> list[int]:
    """Zero and a few round numbers, the last of them at least ``most``."""
    rough = max(most, 1) / 4
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(int(f * power) for f in (1, 2, 5, 10) if f * power >= rough)
    return list(range(0, max(most, 1) + step, step))


def _spread(points: Sequence[tuple[datetime, int]]) -> list[datetime]:
    """The first and the last moment, and one half-way where there is room between their labels."""
    first, last = points[0][0], points[-1][0]
    middle = first + (last - first) / 2
    days = {first.date(), middle.date(), last.date()}
    return [first, middle, last] if len(days) == 3 else [first, last]
