"""The hours of a round: when a vehicle arrives, waits, works, rests, unloads; what it breaks of what was promised.

Written once for a computed round, for today's and for one mended by hand: all three are compared on the same ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement

from beffroi.sense.mobility.rounds.plan import LATEST_S, TIP, Break, Order, Plan, Stop, Vehicle, Window, without
from beffroi.sense.mobility.rounds.travel import NO_WAY, Travel, Ways

EPSILON = 1e-9
# What may be wrong with a line, worst first.
BARRED, OVERLOAD, LATE, OVERTIME, LATE_BREAK = "barred", "overload", "late", "overtime", "late-break"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a vehicle does: ``start``, ``stop``, ``tip``, ``break``, ``end``.

    `index` is the place of a stop or a tip in the order, -1 for the rest. Times of day in seconds; `drive_s` and
    `metres` lead there; `load` is what it carries when it leaves.
    """

    kind: str
    index: int
    stop: str
    arrive_s: int
    begin_s: int
    leave_s: int
    drive_s: int
    metres: int
    load: float
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What one vehicle does, line by line; empty when it stays at its depot."""

    vehicle: str
    lines: tuple[Line, ...]

    @property
    def metres(self) -> int:
        return sum(one.metres for one in self.lines)

    @property
    def drive_s(self) -> int:
        return sum(one.drive_s for one in self.lines)

    @property
    def work_s(self) -> int:
        """Return how long the crew is out, waiting and breaks included."""
        return self.lines[-1].leave_s - self.lines[0].leave_s if self.lines else 0

    @property
    def stops(self) -> int:
        return sum(one.kind == "stop" for one in self.lines)

    @property
    def wrong(self) -> int:
        """Return how many promises it breaks."""
        return sum(len(one.wrong) for one in self.lines)


@dataclass(frozen=True, slots=True)
class Totals:
    """Vehicles out, kilometres and hours of a whole round."""

    vehicles: int
    stops: int
    metres: int
    drive_s: int
    work_s: int
    wrong: int


def totals(timelines: Sequence[Timeline]) -> Totals:
    """Return the sums of several vehicles."""
    out = [one for one in timelines if one.lines]
    names = ("stops", "metres", "drive_s", "work_s", "wrong")
    return Totals(len(out), *(sum(getattr(one, name) for one in out) for name in names))


def open_windows(plan: Plan, stop: Stop, *, main: bool) -> tuple[Window, ...]:
    """Return when work may begin at a stop: its own hours, less the dense hours when it is on a main road."""
    if main:
        return without(stop.windows, plan.dense, busy_s=stop.service_s)
    return stop.windows or (Window(start_s=0, end_s=LATEST_S),)


def with_tips(plan: Plan, vehicle: Vehicle, order: Sequence[str], stops: Mapping[str, Stop]) -> list[str]:
    """Return an order of stops with a visit to the tip wherever the next stop would not fit."""
    if plan.tip is None or vehicle.capacity is None or TIP in order:
        return list(order)
    found: list[str] = []
    load = 0.0
    for item in order:
        if load and load + stops[item].amount > vehicle.capacity + EPSILON:
            found.append(TIP)
            load = 0.0
        found.append(item)
        load += stops[item].amount
    return found


def timed(
    plan: Plan,
    vehicle: Vehicle,
    order: Sequence[str],
    stops: Mapping[str, Stop],
    ways: Ways,
    *,
    all_breaks: bool = False,
) -> Timeline:
    """Return the hours of a vehicle that follows an order, its breaks where they cost least.

    A crew back before the latest hour of a break has not taken it, unless `all_breaks`; it leaves as late as the
    first stop lets it.
    """
    if not order:
        return Timeline(vehicle.name, ())
    breaks = sorted(vehicle.breaks, key=lambda one: one.earliest_s)
    tried: list[Timeline] = []
    for count in range(len(breaks) if all_breaks else 0, len(breaks) + 1):
        for taken in combinations(breaks, count):
            missed = [one for one in breaks if one not in taken]
            for where in combinations_with_replacement(range(len(order) + 1), count):
                lines = tuple(_lines(plan, vehicle, order, stops, ways, taken, where))
                if all(lines[-1].leave_s <= one.latest_s for one in missed):
                    tried.append(Timeline(vehicle.name, lines))
    best = min(tried, key=lambda one: (one.wrong, one.lines[-1].leave_s))
    return replace(best, lines=_leaving_late(best.lines))


def _leaving_late(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines of a vehicle that leaves when its first stop, not its shift, makes it."""
    wait = lines[1].begin_s - lines[1].arrive_s
    if lines[1].kind != "stop" or wait <= 0:
        return lines
    left = lines[0].leave_s + wait
    start = replace(lines[0], arrive_s=left, begin_s=left, leave_s=left)
    return (start, replace(lines[1], arrive_s=lines[1].begin_s), *lines[2:])


def _lines(
    plan: Plan,
    vehicle: Vehicle,
    order: Sequence[str],
    stops: Mapping[str, Stop],
    ways: Ways,
    breaks: Sequence[Break],
    where: Sequence[int],
) -> Iterator[Line]:
    """Follow the order, each of `breaks` taken before the item at its place in `where`."""
    travel = ways.travels[vehicle.name]
    home, here = ways.home[vehicle.name], ways.depot[vehicle.name]
    now, load = vehicle.start_s, 0.0
    yield Line("start", -1, "", now, now, now, 0, 0, 0.0)
    # One always unloads before going home, when there is a place for it.
    items = list(order) if ways.tip is None or order[-1] == TIP else [*order, TIP]
    for index in range(len(items) + 1):
        for rank, at in enumerate(where):
            if min(at, len(order)) == index:
                rest = breaks[rank]
                begin = max(now, rest.earliest_s)
                wrong: tuple[str, ...] = (LATE_BREAK,) if begin > rest.latest_s else ()
                yield Line("break", -1, "", now, begin, begin + rest.length_s, 0, 0, load, wrong)
                now = begin + rest.length_s
        if index == len(items):
            break
        item = items[index]
        there = ways.tip if item == TIP else ways.stop[item]
        if there is None:
            continue
        drive, metres, wrong_way = _leg(travel, here, there)
        arrive = now + drive
        place = index if index < len(order) else -1
        if item == TIP:
            begin, leave, load = arrive, arrive + plan.tip_s, 0.0
            wrong = wrong_way
        else:
            stop = stops[item]
            begin, late = _begins(plan, stop, arrive, main=ways.is_main(item))
            leave, load = begin + stop.service_s, load + stop.amount
            over = vehicle.capacity is not None and load > vehicle.capacity + EPSILON
            wrong = tuple(
                code for code, said in ((BARRED, bool(wrong_way) or there in travel.barred), (OVERLOAD, over),
                                        (LATE, late)) if said
            )  # fmt: skip
        yield Line("tip" if item == TIP else "stop", place, "" if item == TIP else item, arrive, begin, leave, drive,
                   metres, load, wrong)  # fmt: skip
        now, here = leave, there
    drive, metres, wrong_way = _leg(travel, here, home)
    wrong = wrong_way + ((OVERTIME,) if now + drive > vehicle.end_s else ())
    yield Line("end", -1, "", now + drive, now + drive, now + drive, drive, metres, load, wrong)


def _leg(travel: Travel, here: int, there: int) -> tuple[int, int, tuple[str, ...]]:
    seconds, metres = int(travel.seconds[here, there]), int(travel.metres[here, there])
    return (0, 0, (BARRED,)) if seconds == NO_WAY else (seconds, metres, ())


def _begins(plan: Plan, stop: Stop, arrive: int, *, main: bool) -> tuple[int, bool]:
    """Return when work begins for who arrives at `arrive`, and whether that is after the last window."""
    for one in open_windows(plan, stop, main=main):
        if arrive <= one.end_s:
            return max(arrive, one.start_s), False
    return arrive, True


def timelines(plan: Plan, order: Order, stops: Mapping[str, Stop], ways: Ways) -> list[Timeline]:
    """Return the hours of every vehicle of the plan."""
    return [timed(plan, one, order.get(one.name, ()), stops, ways) for one in plan.vehicles]
