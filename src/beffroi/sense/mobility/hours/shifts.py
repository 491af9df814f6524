"""What starting earlier or later changes: the same street, the same stop, half an hour to an hour and a half away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from beffroi.sense.mobility.hours.profiles import in_window, slowed

SHIFTS_MIN = (-90, -60, -30, 0, 30, 60, 90)
WINDOW_MIN = 60


@dataclass(frozen=True, slots=True)
class Shifted:
    """What passes in the hour on the road when one starts `shift_min` later (earlier when below zero).

    `volume` is vehicles an hour, `change` its share of difference with no shift, `slowed` the estimated factor on the
    time; None where it is not known.
    """

    shift_min: int
    start_min: int
    volume: float | None
    change: float | None
    slowed: float | None


def shifted(
    values: Sequence[float | None], *, start_min: int, before: bool, capacity: float | None = None
) -> tuple[Shifted, ...]:
    """Return what each shift changes. `before`: one is on the road before `start_min` (coming), else after (leaving).

    >>> day = [0.0] * 7 + [100.0, 300.0, 100.0] + [50.0] * 14
    >>> [(one.shift_min, one.volume, round(one.change, 2)) for one in shifted(day, start_min=9 * 60, before=True)][2:5]
    [(-30, 200.0, -0.33), (0, 300.0, 0.0), (30, 200.0, -0.33)]
    """
    usual = _on_road(values, start_min, before)
    found = []
    for shift in SHIFTS_MIN:
        volume = _on_road(values, start_min + shift, before)
        change = None if volume is None or not usual else volume / usual - 1
        estimate = None if volume is None or capacity is None else slowed(volume, capacity)
        found.append(Shifted(shift, start_min + shift, volume, change, estimate))
    return tuple(found)


def window(start_min: int, *, before: bool) -> tuple[int, int]:
    """Return the minutes of the day one is on the road."""
    return (start_min - WINDOW_MIN, start_min) if before else (start_min, start_min + WINDOW_MIN)


def _on_road(values: Sequence[float | None], start_min: int, before: bool) -> float | None:
    start, end = window(start_min, before=before)
    return in_window(values, start, length_min=end - start)


def together(rows: Sequence[Sequence[Shifted]]) -> tuple[Shifted, ...]:
    """Return what each shift changes on several streets at once; no time is estimated for them all."""
    found = []
    usual: float | None = None
    for those in sorted(zip(*rows, strict=True), key=lambda one: abs(one[0].shift_min)):
        known = [one.volume for one in those if one.volume is not None]
        volume = sum(known) if len(known) == len(those) else None
        usual = volume if those[0].shift_min == 0 else usual
        change = None if volume is None or not usual else volume / usual - 1
        found.append(Shifted(those[0].shift_min, those[0].start_min, volume, change, None))
    return tuple(sorted(found, key=lambda one: one.shift_min))


def best_shift(rows: Sequence[Shifted]) -> Shifted | None:
    """Return the shift that lightens most for its length: the lightest, the shortest among those within 5 % of it.

    None when no shift lightens by a twentieth.
    """
    lighter = [one for one in rows if one.change is not None and one.change <= -0.05]
    if not lighter:
        return None
    least = min(one.change for one in lighter if one.change is not None)
    near = [one for one in lighter if one.change is not None and one.change <= least + 0.05]
    return min(near, key=lambda one: (abs(one.shift_min), one.shift_min))
