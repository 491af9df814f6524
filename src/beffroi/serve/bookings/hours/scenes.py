"""The little theatre of what is booked by the hour: the first free time is booked, people act, and one looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.bookings.definition import ENGINE, TooMany
from beffroi.serve.bookings.hours import changing, deciding, tasks
from beffroi.serve.bookings.hours.codes import code_from
from beffroi.serve.bookings.hours.definition import Deposit, Presence, SlotInfo, SlotWish, Taken
from beffroi.serve.bookings.hours.giving import book_slot_of
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.reading import slot_booking
from beffroi.serve.bookings.hours.rules import SlotThing
from beffroi.serve.bookings.hours.times import Time, local
from beffroi.serve.bookings.hours.weeks import moments
from beffroi.serve.bookings.scenes import START, TOWN, BadExample
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Requester
from beffroi.serve.cases.operations import Opened

SEARCHED_DAYS = 60


@dataclass(slots=True)
class SlotScene:
    """An example under way: what was booked, at what time we are, what was seen on the way."""

    thing: SlotThing
    wish: SlotWish
    requester: Requester
    agent: Viewer
    opened: Opened
    at: datetime = START
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def info(self) -> SlotInfo:
        """Return the booking as the one who made it reads it now."""
        return slot_booking(ANONYMOUS, self.opened.number, token=self.opened.token, at=self.at)

    def book(self, email: str, time: Time | None = None, *, wait: bool = False) -> Opened:
        """Have somebody else ask for a time, the same one unless another is given."""
        wish = replace(
            self.wish, idempotency_key="", wait=wait, household=email, group=email if self.wish.group else ""
        )
        if time is not None:
            wish = replace(wish, place=time.place, starts=time.starts, ends=time.ends)
        return book_slot_of(self.thing, territory=TOWN, wish=wish, requester=Requester(email=email), viewer=ANONYMOUS,
                            at=self.at)  # fmt: skip


def free_times(thing: SlotThing, at: datetime) -> list[Time]:
    """Return the free times of a thing in the weeks that follow that may still be moved once taken."""
    today, sure = local(TOWN, at).date(), at + timedelta(hours=thing.rules.cancel_hours)
    found = moments(TOWN, thing, thing.rules.place, first=today, last=today + timedelta(days=SEARCHED_DAYS), at=at)
    return [one.time for one in found if one.is_free and one.time.starts > sure]


def live_slot_scene(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Book the first free time, do what an example says, and return what came of it.

    Raises:
        BadExample: an act it names does not exist.
    """
    rules, when = use_case.settings[ENGINE], example.when
    thing = SlotThing(use_case.id, use_case.title, rules)
    agent = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({rules.service})),))
    at = when.get("at", START)
    at = at if isinstance(at, datetime) and at.tzinfo else START
    time = free_times(thing, at)[0]
    wish = SlotWish(
        use_case.id, time.place, time.starts, time.ends, tariff=when.get("tariff", ""), mode=when.get("mode", ""),
        people=when.get("people", 1), group=when.get("group", ""), household="1 place du Beffroi",
        details=dict(when.get("details", {})), idempotency_key="exemple-0001",
    )  # fmt: skip
    requester = Requester(email="exemple@compte.invalid")
    opened = book_slot_of(thing, territory=TOWN, wish=wish, requester=requester, viewer=ANONYMOUS, at=at)
    scene = SlotScene(thing, wish, requester, agent, opened, at)
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
    return _outcome_of(scene)


# --- Acts -----------------------------------------------------------------------------------------------------------


def _again(scene: SlotScene) -> None:
    again = book_slot_of(scene.thing, territory=TOWN, wish=scene.wish, requester=scene.requester, viewer=ANONYMOUS,
                         at=scene.at)  # fmt: skip
    scene.seen["sent_once"] = (again.number, again.created) == (scene.opened.number, False)


def _neighbour(scene: SlotScene) -> None:
    """Others ask for the very same time until there is no place left."""
    taken = 1
    try:
        while taken < 500:
            scene.book(f"voisine{taken}@compte.invalid")
            taken += 1
    except Taken as error:
        scene.seen |= {"taken": taken, "others_proposed": len(error.nearest)}


def _greedy(scene: SlotScene) -> None:
    """She asks for more and more, until the rules say it is enough."""
    held = 1
    for time in free_times(scene.thing, scene.at):
        wish = replace(scene.wish, place=time.place, starts=time.starts, ends=time.ends, idempotency_key="")
        try:
            book_slot_of(
                scene.thing, territory=TOWN, wish=wish, requester=scene.requester, viewer=ANONYMOUS, at=scene.at
            )
        except TooMany:
            break
        except Taken:
            continue
        held += 1
    scene.seen["held_at_most"] = held


def _wait_and_cancel(scene: SlotScene) -> None:
    """Two wait for it; the one who had the less is offered it when it is given up."""
    other = next(time for time in free_times(scene.thing, scene.at) if time.starts != scene.wish.starts)
    had = scene.book("servie@compte.invalid", other)
    first = scene.book("servie@compte.invalid", wait=True)
    second = scene.book("jamais@compte.invalid", wait=True)
    changing.cancel_slot(number=scene.opened.number, viewer=ANONYMOUS, token=scene.opened.token, at=scene.at)
    stages = [slot_booking(ANONYMOUS, one.number, token=one.token, at=scene.at).stage for one in (had, first, second)]
    scene.seen["waiting"] = [stage.value for stage in stages]
    changing.confirm_offer(number=second.number, viewer=ANONYMOUS, token=second.token, at=scene.at)
    scene.seen["then"] = slot_booking(ANONYMOUS, second.number, token=second.token, at=scene.at).stage.value


def _move(scene: SlotScene) -> None:
    other = next(time for time in free_times(scene.thing, scene.at) if time.starts != scene.wish.starts)
    changing.move_slot(
        number=scene.opened.number, place=other.place, starts=other.starts, ends=other.ends, viewer=ANONYMOUS,
        token=scene.opened.token, at=scene.at,
    )  # fmt: skip
    scene.seen["moved"] = scene.info.starts == other.starts and _is_free(scene)


def _is_free(scene: SlotScene) -> bool:
    wish = scene.wish
    return any((one.place, one.starts) == (wish.place, wish.starts) for one in free_times(scene.thing, scene.at))


def _cancel(scene: SlotScene) -> None:
    changing.cancel_slot(number=scene.opened.number, viewer=ANONYMOUS, token=scene.opened.token, at=scene.at)
    scene.seen["time_is_free"] = _is_free(scene)


def _decided(accept: bool) -> Callable[[SlotScene], None]:
    def decide(scene: SlotScene) -> None:
        number, reason = scene.opened.number, "" if accept else "La salle est prise par une élection."
        deciding.validate_slot(number=number, accept=accept, by=scene.agent, at=scene.at, reason=reason)
        scene.seen["time_is_free"] = _is_free(scene)

    return decide


def _code(scene: SlotScene) -> None:
    """Look for the code a day too early, then when it is due, then once it is over."""
    row = Slot.objects.get(pk=scene.opened.case_id)
    due = code_from(row, scene.thing.rules)
    assert due is not None  # noqa: S101 - the examples of a thing without a lock do not ask
    seen = []
    for at in (due - timedelta(minutes=1), due, scene.info.ends):
        seen.append(len(slot_booking(ANONYMOUS, scene.opened.number, token=scene.opened.token, at=at).code))
    tasks.often(due)
    tasks.often(due)
    scene.at = due
    scene.seen["code_digits"] = seen


def _deposit(scene: SlotScene) -> None:
    for deposit in (Deposit.RECEIVED, Deposit.RETURNED):
        deciding.set_deposit(number=scene.opened.number, deposit=deposit, by=scene.agent, at=scene.at)
    scene.seen["deposit"] = scene.info.deposit.value


def _close(scene: SlotScene) -> None:
    asked = deciding.close_time(
        territory=TOWN, use_case=scene.thing.use_case, place=scene.wish.place, starts=scene.wish.starts,
        ends=scene.wish.ends, reason="Fuite d’eau", by=scene.agent, at=scene.at,
    )  # fmt: skip
    scene.seen |= {"asked_another": asked, "stage": scene.info.stage.value}


def _marked(result: Presence) -> Callable[[SlotScene], None]:
    def mark(scene: SlotScene) -> None:
        scene.at = max(scene.at, scene.info.starts.astimezone(UTC))
        deciding.mark_slot(number=scene.opened.number, result=result, by=scene.agent, at=scene.at)

    return mark


ACTS: Mapping[str, Callable[[SlotScene], None]] = {
    "again": _again,
    "neighbours": _neighbour,
    "greedy": _greedy,
    "wait-and-cancel": _wait_and_cancel,
    "move": _move,
    "cancel": _cancel,
    "accept": _decided(accept=True),
    "refuse": _decided(accept=False),
    "code": _code,
    "deposit": _deposit,
    "close": _close,
    "present": _marked(Presence.PRESENT),
    "absent": _marked(Presence.ABSENT),
}


def _outcome_of(scene: SlotScene) -> dict[str, Any]:
    """Return what may be compared: the state, the price, the history, and what was seen on the way."""
    info = scene.info
    entries = case_queries.thread(scene.agent, scene.opened.number)
    return {
        "status": info.case.status.value,
        "outcome": info.case.outcome.value if info.case.outcome else "",
        "stage": info.stage.value,
        "service": info.case.service,
        "place": info.place,
        "starts": f"{info.starts:%a %H:%M}".lower(),
        "minutes": int((info.ends - info.starts).total_seconds() // 60),
        "session": info.session,
        "price_cents": info.price_cents,
        "deposit_cents": info.deposit_cents,
        "deposit": info.deposit.value,
        "history": [one.what for one in entries],
        **scene.seen,
    }
