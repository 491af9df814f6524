"""Lost and found: two reports that look for each other are brought together, both parties told, no contact given."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.operations import record
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN
from beffroi.serve.cases.events import subject_of
from beffroi.serve.reports import events
from beffroi.serve.reports.categories import Matching, open_categories
from beffroi.serve.reports.intake import match_key, place_of
from beffroi.serve.reports.models import Match, Report
from beffroi.serve.reports.places import distance_m

MOST_MATCHES = 5
_WORDS = (
    "Un signalement ressemble au vôtre : {label}, à {distance} m, n° {number}. Ouvrez-le pour voir s’il s’agit du même "
    "animal ; vous pourrez y écrire au service, qui vous mettra en relation. Vos coordonnées ne sont pas communiquées."
)


def look_for_counterpart(event: RecordedEvent) -> None:
    """Hear ``case.opened`` and ``case.released``: match the report; heard twice, it does nothing more."""
    row = Report.objects.select_related("case").filter(pk=_case_id(event)).exclude(match_key="").first()
    if row is None or row.case.status not in OPEN:
        return
    match_report(row, at=event.at)


def _case_id(event: RecordedEvent) -> int:
    return case_queries.case_id_of(str(event.payload["number"]))


def match_report(row: Report, *, at: datetime) -> list[Match]:
    """Bring a report together with its counterparts, the nearest first, and tell both parties; return what is new."""
    known = open_categories(row.case.territory).get(row.case.category)
    if known is None or known.category.matching is None or row.match_on is None:
        return []
    rule = known.category.matching
    found = []
    for far, other in sorted(counterparts(row, rule), key=lambda one: (one[0], one[1].pk))[:MOST_MATCHES]:
        match = _bring_together(row, other, far, at)
        if match is not None:
            found.append(match)
    return found


def counterparts(row: Report, rule: Matching) -> list[tuple[float, Report]]:
    """Return the open reports of the counterpart category with the same answer, near enough in place and time."""
    if row.match_on is None:
        return []
    answer = row.match_key.partition(":")[2]
    around = timedelta(days=rule.days)
    rows = Report.objects.select_related("case").filter(
        case__territory=row.case.territory,
        case__status__in=OPEN,
        match_key=match_key(rule.counterpart, answer),
        match_on__gte=row.match_on - around,
        match_on__lte=row.match_on + around,
    )
    placed = ((distance_m(place_of(row), place_of(other)), other) for other in rows.order_by("-pk")[:500])
    return [(far, other) for far, other in placed if far <= rule.distance_m]


def _bring_together(row: Report, other: Report, far: float, at: datetime) -> Match | None:
    first, second = sorted((row, other), key=lambda one: one.pk)
    days = abs((row.match_on - other.match_on).days) if row.match_on and other.match_on else 0
    try:
        with transaction.atomic():
            match = Match.objects.create(first=first, second=second, at=at, distance_m=round(far), days=days)
            # Always in the order of the keys: two matches at once never wait for each other.
            for one, counterpart in ((first, second), (second, first)):
                _tell(one, counterpart, far, at)
    except IntegrityError:
        return None
    return match


def _tell(row: Report, other: Report, far: float, at: datetime) -> None:
    number, counterpart = case_queries.number_of(row.pk), case_queries.number_of(other.pk)
    known = open_categories(row.case.territory).get(other.case.category)
    label = known.category.label if known else other.case.category
    # Rounded: enough to judge, too little to find a door.
    words = _WORDS.format(label=label, distance=max(100, round(far / 100) * 100), number=counterpart)
    cases.write_to_parties(number=number, text=words, by=None, at=at)
    record(
        kind=events.MATCHED,
        subject=subject_of(number),
        payload={"number": number, "other": counterpart, "distance_m": round(far)},
        territory=row.case.territory,
        at=at,
    )
