"""Whose turn it is: who holds as much as she may, who has had least. The agenda is locked: two at once are counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.bookings.definition import TooMany
from beffroi.serve.bookings.hours.definition import Presence, spoken_hour
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.rules import SlotThing
from beffroi.serve.bookings.hours.times import local
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.cases.definition import OPEN, Outcome

MARKS = ("email_mark", "phone_mark", "household_mark", "group_mark")
MOST_A_DAY_BY_NETWORK = 10
REMEMBERED = timedelta(days=90)


def hers(agenda: Agenda, person: int | None, facts: Mapping[str, Any]) -> QuerySet[Slot]:
    """Return what a person, her household or her association booked of a thing, by account or by what she gave."""
    found = Q(case__parties__person=person, case__parties__made_it=True) if person else Q(pk__in=())
    for mark in MARKS:
        if facts.get(mark):
            found |= Q(**{mark: facts[mark]})
    return Slot.objects.filter(found, agenda=agenda).distinct()


def check_fair(
    agenda: Agenda, thing: SlotThing, person: int | None, facts: Mapping[str, Any], *, at: datetime, but: int = 0
) -> None:
    """Let pass one who holds less than she may.

    Args:
        but: the booking that would be moved, which does not count.

    Raises:
        TooMany: she holds as much as the rules allow, or did not come too often; the message says which.
    """
    rules, mine = thing.rules, hers(agenda, person, facts).exclude(pk=but)
    live = mine.filter(case__status__in=[one.value for one in OPEN], cells__isnull=False).distinct()
    coming = list(live.filter(ends_at__gt=at).order_by("starts_at"))
    if rules.most_future and len(coming) >= rules.most_future:
        _refuse(
            gettext_noop("vous avez déjà {count} réservation(s) à venir, dont celle du {when}"),
            count=len(coming), most=rules.most_future, when=spoken_hour(local(agenda.territory, coming[0].starts_at)),
        )  # fmt: skip
    if rules.most_hours_week:
        _check_week(agenda, rules.most_hours_week, mine, facts)
    if rules.most_absences:
        missed = mine.filter(result=Presence.ABSENT, starts_at__gt=at - REMEMBERED).count()
        if missed >= rules.most_absences:
            raise TooMany(
                gettext_noop("vous n’êtes pas venu {count} fois en trois mois"),
                where="debut",
                remedy=gettext_noop("passez ou téléphonez à la mairie pour réserver de nouveau"),
                count=missed,
            )


def _check_week(agenda: Agenda, most_hours: float, mine: QuerySet[Slot], facts: Mapping[str, Any]) -> None:
    starts = local(agenda.territory, facts["starts_at"])
    monday = starts.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=starts.weekday())
    week = mine.filter(cells__isnull=False, starts_at__gte=monday, starts_at__lt=monday + timedelta(days=7)).distinct()
    spent = sum((end - start for start, end in week.values_list("starts_at", "ends_at")), timedelta())
    total = (spent + (facts["ends_at"] - facts["starts_at"])) / timedelta(hours=1)
    if total > most_hours:
        _refuse(
            gettext_noop("cela ferait {count} h cette semaine-là"), count=f"{total:g}", most=f"{most_hours:g}", when=""
        )


def check_network(origin: str, at: datetime) -> None:
    """Let pass a network from which few bookings came today; only what has no account is counted.

    Raises:
        TooMany: too many came from there.
    """
    recent = Slot.objects.filter(origin=origin, case__opened_at__gt=at - timedelta(days=1))
    if origin and recent.count() >= MOST_A_DAY_BY_NETWORK:
        raise TooMany(
            gettext_noop("trop de réservations ont été faites d’ici aujourd’hui"),
            where="debut",
            remedy=gettext_noop("ouvrez un compte, ou appelez la mairie"),
        )


def times_had(agenda: Agenda, slot: Slot, person: int | None, at: datetime) -> int:
    """Return how many times one who waits had of a thing these last months and to come: the least is served first."""
    facts = {mark: getattr(slot, mark) for mark in MARKS}
    rows = hers(agenda, person, facts).filter(starts_at__gt=at - REMEMBERED).exclude(pk=slot.pk)
    kept = rows.exclude(case__outcome__in=[Outcome.WITHDRAWN, Outcome.REFUSED, Outcome.EXPIRED])
    return kept.exclude(waits=True, cells__isnull=True).count()


def _refuse(what: str, **values: Any) -> None:
    raise TooMany(
        what,
        where="debut",
        remedy=gettext_noop("la règle est de {most} au plus : annulez ce qui est pris, ou attendez votre tour"),
        **values,
    )
