"""A round on a network drawn with characters (see `sense.mobility.drawn`), for examples and tests.

Keys: map, ways, depot and tip (letters), vehicles ``[{name, profile, hours = [5, 12], capacity, width_cm}]``, stops
``[{at, amount, minutes, hours = [6, 7], vehicle, rank}]``, dense ``[[7.5, 9]]``, obstacle ``{kind, on = "AB"}``. Hours
of the day are numbers. Of teams (`teams = true`): profile ``a-pied`` or ``velo``, to (where one ends), and of stops
urgency, from 0 to 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from beffroi.sense.mobility.drawn import Place, drawn_graph, drawn_obstacle
from beffroi.sense.mobility.layers import CLEAR, laid
from beffroi.sense.mobility.obstacles import overlays, standing
from beffroi.sense.mobility.rounds.needs import PRIORITY
from beffroi.sense.mobility.rounds.plan import TIP, Plan, Site, Stop, Vehicle, Window, by_id, current_order
from beffroi.sense.mobility.rounds.solving import solve
from beffroi.sense.mobility.rounds.timing import timelines, totals
from beffroi.sense.mobility.rounds.travel import size_key, ways_of
from beffroi.sense.mobility.rounds.urgency import hurried
from beffroi.sense.mobility.router import Router


def round_on(when: Mapping[str, Any]) -> dict[str, Any]:
    """Return, for each vehicle by its name, the letters it serves; `left_out` and why; `saved_m` on today's round."""
    graph, places = drawn_graph(str(when["map"]), ways=when.get("ways"))
    router = Router(graph)
    plan, stops, letters = _asked(when, places)
    overlaid = {}
    if "obstacle" in when:
        overlaid = overlays(standing(router, [drawn_obstacle(when["obstacle"], places)]))
    layers = {size_key(one): laid(router.layer(one.driven), overlaid.get(one.profile, CLEAR)) for one in plan.vehicles}
    ways = ways_of(router, layers, plan, stops)
    order, left_out = solve(plan, hurried(plan, stops, ways), ways)
    known = by_id(stops)
    now, before = (totals(timelines(plan, one, known, ways)) for one in (order, current_order(plan, stops)))
    served = {
        one.name: " ".join(letters.get(item, "*") if item != TIP else "*" for item in order.get(one.name, ()))
        for one in plan.vehicles
    }
    told = [f"{letters[one.stop]} {one.code}" + (f" {one.street}" if one.street else "") for one in left_out]
    return {**served, "left_out": told, "metres": now.metres, "saved_m": before.metres - now.metres, "wrong": now.wrong}


def _asked(when: Mapping[str, Any], places: Mapping[str, Place]) -> tuple[Plan, list[Stop], dict[str, str]]:
    depot = _site(str(when["depot"]), places)
    vehicles = tuple(
        Vehicle(
            name=str(one["name"]), profile=str(one.get("profile", "benne")), depot=depot,
            start_s=_seconds(one.get("hours", (5, 12))[0]), end_s=_seconds(one.get("hours", (5, 12))[1]),
            capacity=one.get("capacity"), width_cm=int(one.get("width_cm", 0)),
            arrival=_site(str(one["to"]), places) if "to" in one else None,
        )
        for one in when["vehicles"]
    )  # fmt: skip
    stops = [_stop(str(rank), one, places) for rank, one in enumerate(when["stops"], start=1)]
    plan = Plan(
        vehicles=vehicles, tip=_site(str(when["tip"]), places) if "tip" in when else None, tip_s=600,
        dense=_windows(when.get("dense", ())), teams=bool(when.get("teams", False)),
    )  # fmt: skip
    return plan, stops, {stop.id: str(one["at"]) for stop, one in zip(stops, when["stops"], strict=True)}


def _stop(number: str, told: Mapping[str, Any], places: Mapping[str, Place]) -> Stop:
    lon, lat = places[str(told["at"])]
    windows = _windows([told["hours"]]) if "hours" in told else ()
    return Stop(
        id=number, name=str(told["at"]), lon=lon, lat=lat, amount=float(told.get("amount", 1)), windows=windows,
        service_s=round(60 * float(told.get("minutes", 2))), vehicle=str(told.get("vehicle", "")),
        rank=float(told.get("rank", 0)), priority=PRIORITY[int(told.get("urgency", 0))],
    )  # fmt: skip


def _site(letter: str, places: Mapping[str, Place]) -> Site:
    return Site(name=letter, lon=places[letter][0], lat=places[letter][1])


def _seconds(hours: float) -> int:
    return round(3600 * hours)


def _windows(hours: Sequence[Sequence[float]]) -> tuple[Window, ...]:
    return tuple(Window(start_s=_seconds(one[0]), end_s=_seconds(one[1])) for one in hours)
