"""The little theatre of the engine's examples: a place is booked, people act, and one looks at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.bookings import changes, queries, tasks
from beffroi.serve.bookings.definition import ENGINE, Full, Result, TooMany, Wish
from beffroi.serve.bookings.intake import book_in
from beffroi.serve.bookings.lanes import lanes
from beffroi.serve.bookings.things import Thing
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.operations import Opened

TOWN = "00000"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_LON, _LAT = 3.8767, 43.6108


class BadExample(BeffroiError):
    """An example asks for something this engine does not do."""


@dataclass(slots=True)
class Scene:
    """An example under way: what was booked, at what time we are, what was seen on the way."""

    thing: Thing
    wish: Wish
    requester: Requester
    agent: Viewer
    opened: Opened
    at: datetime = START
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def free(self) -> list[date]:
        """Return the days that may still be booked now."""
        return queries.bookable_days(TOWN, self.thing, lanes(TOWN, self.thing.rules, at=self.at)[0], at=self.at)

    @property
    def day(self) -> date:
        """Return the day that is booked."""
        return queries.booking(ANONYMOUS, self.opened.number, token=self.opened.token, at=self.at).day

    def comes(self) -> None:
        """Let time pass until noon of the day that is booked."""
        self.at = max(self.at, datetime.combine(self.day, time(12), clock.timezone_of(TOWN)))


def live_scene(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Book the first free day, do what an example says, and return what came of it.

    Raises:
        BadExample: an act it names does not exist.
    """
    rules = use_case.settings[ENGINE]
    thing, when = Thing(use_case.id, use_case.title, rules), example.when
    agent = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({rules.service})),))
    first = queries.bookable_days(TOWN, thing, lanes(TOWN, rules, at=START)[0], at=START)[0]
    wish = Wish(
        use_case.id, first, _LON, _LAT, address="1 place du Beffroi", items=dict(when.get("items", {})),
        details=dict(when.get("details", {})), idempotency_key="exemple-0001",
    )  # fmt: skip
    requester = Requester(email="exemple@compte.invalid")
    opened = book_in(thing, territory=TOWN, wish=wish, requester=requester, viewer=ANONYMOUS, at=START)
    scene = Scene(thing, wish, requester, agent, opened)
    for act in when.get("does", ()):
        if act not in ACTS:
            raise BadExample(
                "exemple {number} : acte « {act} » inconnu",
                where=use_case.source,
                remedy="choisissez parmi {known}",
                number=example.number,
                act=str(act)[:40],
                known=", ".join(sorted(ACTS)),
            )
        ACTS[act](scene)
    return outcome_of(scene)


# --- Acts -----------------------------------------------------------------------------------------------------------


def _again(scene: Scene) -> None:
    again = book_in(
        scene.thing, territory=TOWN, wish=scene.wish, requester=scene.requester, viewer=ANONYMOUS, at=scene.at
    )
    scene.seen["sent_once"] = (again.number, again.created) == (scene.opened.number, False)


def _second(scene: Scene) -> None:
    wish = Wish(**{name: getattr(scene.wish, name) for name in ("use_case", "day", "lon", "lat", "items", "details")})
    try:
        book_in(scene.thing, territory=TOWN, wish=wish, requester=scene.requester, viewer=ANONYMOUS, at=scene.at)
    except TooMany:
        scene.seen["second_refused"] = True
    else:
        scene.seen["second_refused"] = False


def _neighbours(scene: Scene) -> None:
    """Fill the day: one neighbour after the other, until there is no place left; say what is proposed then."""
    fields = {name: getattr(scene.wish, name) for name in ("use_case", "day", "lon", "lat", "items", "details")}
    for rank in range(scene.thing.rules.capacity + 1):
        requester = Requester(email=f"voisin{rank}@compte.invalid")
        try:
            book_in(
                scene.thing, territory=TOWN, wish=Wish(**fields), requester=requester, viewer=ANONYMOUS, at=scene.at
            )
        except Full as error:
            scene.seen |= {"taken": rank + 1, "others_proposed": len(error.nearest)}
            return
    scene.seen["taken"] = scene.thing.rules.capacity + 2


def _move(scene: Scene) -> None:
    former = scene.day
    other = next(day for day in scene.free if day != former)
    changes.move_booking(number=scene.opened.number, day=other, viewer=ANONYMOUS, token=scene.opened.token, at=scene.at)
    scene.seen["moved"] = scene.day == other and former in scene.free


def _cancel(scene: Scene) -> None:
    day = scene.day
    changes.cancel_booking(number=scene.opened.number, viewer=ANONYMOUS, token=scene.opened.token, at=scene.at)
    scene.seen["place_is_free"] = day in scene.free


def _close_day(scene: Scene) -> None:
    changed = changes.change_day(
        territory=TOWN, use_case=scene.thing.use_case, day=scene.day, lane="", capacity=0, reason="Neige",
        by=scene.agent, at=scene.at,
    )  # fmt: skip
    scene.seen["given_another_day"] = changed.moved


def _remind(scene: Scene) -> None:
    for days in scene.thing.rules.reminder_days:
        morning = datetime.combine(scene.day - timedelta(days=days), time(9), clock.timezone_of(TOWN))
        scene.at = max(scene.at, morning)
        tasks.remind(scene.at)
        tasks.remind(scene.at)


def _marked(result: Result) -> Callable[[Scene], None]:
    def mark(scene: Scene) -> None:
        scene.comes()
        changes.mark_booking(number=scene.opened.number, result=result, by=scene.agent, at=scene.at)

    return mark


ACTS: Mapping[str, Callable[[Scene], None]] = {
    "again": _again,
    "second": _second,
    "neighbours": _neighbours,
    "move": _move,
    "cancel": _cancel,
    "close-day": _close_day,
    "remind": _remind,
    "done": _marked(Result.DONE),
    "absent": _marked(Result.ABSENT),
    "different": _marked(Result.DIFFERENT),
}


def outcome_of(scene: Scene) -> dict[str, Any]:
    """Return what may be compared: the state, who sees it, its history, and what was seen on the way."""
    info = case_queries.case(scene.agent, scene.opened.number)
    entries = case_queries.thread(scene.agent, scene.opened.number)
    crew = queries.crew_list(scene.agent, TOWN, scene.thing.use_case, scene.day, at=scene.at)
    return {
        "status": info.status.value,
        "outcome": info.outcome.value if info.outcome else "",
        "service": info.service,
        "weekday": scene.day.strftime("%a").lower()[:2],
        "notice_days": (scene.wish.day - START.date()).days,
        "on_the_list": len(crew),
        "history": [one.what for one in entries],
        **scene.seen,
    }
