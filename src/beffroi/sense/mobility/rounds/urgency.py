"""Urgent stops first, without passing by the others blindly.

The urgent ones are put in order alone; in the whole round each is then given a few minutes more than that, no longer.
Who is on the way is met on the way; nobody urgent waits for a detour.
"""

from __future__ import annotations

from collections.abc import Sequence

from beffroi.sense.mobility.rounds.plan import URGENT, Plan, Stop, Window, by_id
from beffroi.sense.mobility.rounds.solving import solve
from beffroi.sense.mobility.rounds.timing import timelines
from beffroi.sense.mobility.rounds.travel import Ways

SLACK_S = 900
"""How much later than alone an urgent stop may be reached: two or three short stops on the way."""


def hurried(plan: Plan, stops: Sequence[Stop], ways: Ways) -> list[Stop]:
    """Return the stops, the urgent ones with the hour by which one must be there.

    A stop that has its own hours keeps them: they were promised. With nothing urgent, or nothing else, nothing moves.

    Raises:
        NoSolver: VROOM is not installed.
    """
    urgent = [one for one in stops if one.priority >= URGENT]
    if not urgent or len(urgent) == len(stops):
        return list(stops)
    order, _left = solve(plan, urgent, ways)
    begins = {
        line.stop: line.begin_s
        for told in timelines(plan, order, by_id(urgent), ways)
        for line in told.lines
        if line.kind == "stop"
    }
    return [
        one.model_copy(update={"windows": (Window(start_s=0, end_s=begins[one.id] + SLACK_S),)})
        if one.id in begins and not one.windows
        else one
        for one in stops
    ]
