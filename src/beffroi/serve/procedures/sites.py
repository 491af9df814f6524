"""Requests that take a zone of the public space for some days: what else is there at that time, told one by one.

A request is compared with the others (same zone, same days), the works of the town (same zone, same days, or on their
detour), the events of the agenda, and the streets whose surface was made again less than so many years ago. Distances
are metres on a plane around the zone: under 0.1 % of error over a town.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import shapely
from django.db.models import Q
from shapely.geometry import Polygon, shape

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.mobility.queries import has_graph
from beffroi.sense.mobility.works import queries as works
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OPEN, BadCase, Outcome
from beffroi.serve.procedures.answers import told_answer
from beffroi.serve.procedures.declaration import ENGINE, Procedure, Site
from beffroi.serve.procedures.definition import KIND, RequestInfo
from beffroi.serve.procedures.models import Request

METRES_PER_DEGREE = 111_320.0
MOST_COMPARED, MOST_EVENTS = 2_000, 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a request takes the public space: its zone (CRS84), its days, both included, its street."""

    zone: Polygon
    first: date
    last: date
    street: str
    digs: bool


@dataclass(frozen=True, slots=True)
class SiteConflict:
    """One thing a request is at odds with. Codes: ``request``, ``works``, ``detour``, ``recent``, ``event``.

    `told` is for the service, `told_outside` for whoever asks: it names nobody and quotes no number. `number` is that
    of the other request, `works` that of the works, when it is one.
    """

    code: str
    told: Sentence
    told_outside: Sentence
    number: str = ""
    works: int = 0


def place_of(procedure: Procedure, answers: Mapping[str, Any]) -> Place | None:
    """Return where and when, None for a procedure that takes no place, or answers that do not say all of it.

    Raises:
        BadCase: the last day comes before the first.
    """
    site = procedure.site
    if site is None:
        return None
    zone, first, last = (answers.get(code) for code in (site.zone, site.first, site.last))
    if not (zone and first and last):
        return None
    days = date.fromisoformat(first), date.fromisoformat(last)
    if days[1] < days[0]:
        raise BadCase("le dernier jour vient avant le premier", where=site.last, remedy="corrigez l’un des deux")
    street = answers.get(site.street) if site.street else None
    label = str(street.get("label", "")) if isinstance(street, Mapping) else str(street or "")
    return Place(Polygon(zone), *days, label, bool(answers.get(site.digs)) if site.digs else False)


def conflicts(
    procedure: Procedure, answers: Mapping[str, Any], *, territory: str, at: datetime, number: str = ""
) -> list[SiteConflict]:
    """Return what a request is at odds with, `number` being its own once it is sent; empty when it takes no place."""
    site, place = procedure.site, place_of(procedure, answers)
    if site is None or place is None:
        return []
    return [
        *_with_requests(site, place, territory, number),
        *_with_works(site, place, territory, at, number),
        *_with_events(site, place, territory),
    ]


def away_m(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """Return the metres between two shapes in degrees (CRS84), 0 where they meet."""
    lat = math.radians(one.centroid.y)
    scale = (METRES_PER_DEGREE * math.cos(lat), METRES_PER_DEGREE)
    first, second = (shapely.transform(shape_, lambda xy: xy * scale) for shape_ in (one, other))
    return float(shapely.distance(first, second))


def _days(first: date, last: date) -> dict[str, str]:
    return {"first": f"{first:%d/%m/%Y}", "last": f"{last:%d/%m/%Y}"}


# --- Other requests ---------------------------------------------------------------------------------------------------


def sites_declared() -> dict[str, tuple[str, Procedure]]:
    """Return the title and the procedure of every use case whose requests take a place."""
    known = ((one, one.settings.get(ENGINE)) for one in catalogue.catalogue().use_cases.values())
    return {one.id: (one.title, told) for one, told in known if isinstance(told, Procedure) and told.site}


def placed_requests(territory: str) -> Iterator[tuple[Request, Procedure, Place]]:
    """Yield the requests that stand, or were granted, with where and when; the last sent first."""
    declared = sites_declared()
    stands = Q(case__status__in=[one.value for one in OPEN]) | Q(case__outcome=Outcome.DONE.value)
    rows = Request.objects.filter(
        stands, case__territory=territory, case__kind=KIND, case__category__in=declared
    ).select_related("case")
    for row in rows.order_by("-pk")[:MOST_COMPARED]:
        procedure = declared[row.case.category][1]
        place = place_of(procedure, row.answers)
        if place is not None:
            yield row, procedure, place


def _with_requests(site: Site, place: Place, territory: str, own: str) -> Iterator[SiteConflict]:
    for row, procedure, other in placed_requests(territory):
        number = cases.number_of(row.pk)
        metres = away_m(place.zone, other.zone)
        if number == own or metres > site.buffer_m:
            continue
        values = {"street": other.street, "metres": round(metres), "number": number} | _days(other.first, other.last)
        if other.first <= place.last and place.first <= other.last:
            granted = row.case.outcome == Outcome.DONE.value
            yield SiteConflict(
                "request",
                Sentence(_GRANTED if granted else _ASKED, values),
                Sentence(_GRANTED_OUTSIDE if granted else _ASKED_OUTSIDE, values),
                number=number,
            )
        elif place.digs and _is_recent(site, procedure, row, place, other):
            values["years"] = site.again_years
            yield SiteConflict("recent", Sentence(_RECENT, values), Sentence(_RECENT_OUTSIDE, values), number=number)


def _is_recent(site: Site, procedure: Procedure, row: Request, place: Place, other: Place) -> bool:
    """Tell whether the other remade the surface, and less than so many years before this one opens it again."""
    remade = procedure.site.remade if procedure.site else ""
    if not remade or row.findings.get(remade) is not True or other.last >= place.first:
        return False
    return place.first < other.last + timedelta(days=round(365.25 * site.again_years))


_ASKED = gettext_noop("Demande {number} en cours, {street} : du {first} au {last}, à {metres} m.")
_GRANTED = gettext_noop("Demande {number} déjà accordée, {street} : du {first} au {last}, à {metres} m.")
_ASKED_OUTSIDE = gettext_noop(
    "Un autre chantier est déjà demandé à {metres} m, {street}, du {first} au {last} : le service les coordonnera."
)
_GRANTED_OUTSIDE = gettext_noop("Un autre chantier est déjà autorisé à {metres} m, {street}, du {first} au {last}.")
_RECENT = gettext_noop(
    "Chaussée refaite après la demande {number}, {street}, finie le {last} : la rouvrir attend {years} ans "
    "(réglage de la commune)."
)
_RECENT_OUTSIDE = gettext_noop(
    "La chaussée a été refaite, {street}, jusqu’au {last} : la commune demande de ne pas la rouvrir avant {years} ans."
)


# --- Works of the town ------------------------------------------------------------------------------------------------


def _with_works(site: Site, place: Place, territory: str, at: datetime, own: str) -> Iterator[SiteConflict]:
    known = works.public_works(territory, at)
    if not known:
        return
    ours = {one.name for one in streets_in(territory, place.zone, site.buffer_m)}
    for one in known:
        if own and f"({own})" in one.title:
            continue
        shared = [phase for phase in one.phases if phase.first <= place.last and place.first <= phase.last]
        if not shared:
            continue
        values = {"title": one.title, "service": one.service} | _days(
            min(phase.first for phase in shared), max(phase.last for phase in shared)
        )
        metres = _away_from(place.zone, shared)
        if metres <= site.buffer_m:
            values["metres"] = str(round(metres))
            told = Sentence(_WORKS, values)
            yield SiteConflict("works", told, told, works=one.id)
            continue
        # Far from them, but where those whom they turn away go.
        taken = sorted(ours & set(one.detour_streets))
        if taken:
            told = Sentence(_DETOUR, values | {"street": taken[0]})
            yield SiteConflict("detour", told, told, works=one.id)


def _away_from(zone: Polygon, phases: list[works.Phase]) -> float:
    lines = [shapely.LineString(one.line) for phase in phases for one in phase.stretches if len(one.line) > 1]
    return min((away_m(zone, line) for line in lines), default=math.inf)


def streets_in(territory: str, zone: Polygon, buffer_m: float) -> list[Any]:
    """Return the stretches of street within some metres of a zone; none where no street is known."""
    if not has_graph(territory):
        return []
    middle = zone.centroid
    reach = max(away_m(middle, shapely.Point(corner)) for corner in zone.exterior.coords) + buffer_m + 60
    around = works.stretches_around(territory, middle.x, middle.y, reach)
    return [one for one in around if len(one.line) > 1 and away_m(zone, shapely.LineString(one.line)) <= buffer_m]


_WORKS = gettext_noop("Travaux publiés « {title} » (service {service}) : du {first} au {last}, à {metres} m.")
_DETOUR = gettext_noop(
    "La déviation des travaux « {title} » (service {service}) passe ici, {street}, du {first} au {last}."
)


# --- Events -----------------------------------------------------------------------------------------------------------


def _with_events(site: Site, place: Place, territory: str) -> Iterator[SiteConflict]:
    agenda = site.agenda
    if agenda is None:
        return
    west, south, east, north = place.zone.bounds
    margin = site.buffer_m / METRES_PER_DEGREE * 2
    box = BBox(west - margin, south - margin, east + margin, north + margin)
    try:
        page = lake.features(ANONYMOUS, DatasetRef(territory, agenda.dataset), bbox=box, limit=MOST_EVENTS)
    except DatasetNotFound:
        return
    for body in page.features:
        feature = json.loads(body)
        told = feature["properties"]
        first, last = _day(told.get(agenda.first)), _day(told.get(agenda.last) or told.get(agenda.first))
        if first is None or last is None or first > place.last or last < place.first or not feature["geometry"]:
            continue
        metres = away_m(place.zone, shape(feature["geometry"]))
        if metres <= site.buffer_m:
            values = {"title": str(told.get(agenda.title) or ""), "place": str(told.get(agenda.place) or "")}
            sentence = Sentence(_EVENT, values | {"metres": str(round(metres))} | _days(first, last))
            yield SiteConflict("event", sentence, sentence)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


_EVENT = gettext_noop("Agenda : « {title} », {place}, du {first} au {last}, à {metres} m.")


# --- What stands on the map -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """A request that takes a place, as its service sees it on the map."""

    number: str
    title: str
    place: Place
    is_granted: bool


def sites(viewer: Viewer, territory: str, *, today: date) -> list[SiteInfo]:
    """Return the requests of the viewer's services that take a place and are not over, the last sent first."""
    mine = cases.services_of(viewer, territory)
    found = []
    for row, procedure, place in placed_requests(territory):
        if row.case.service not in mine or place.last < today:
            continue
        question = procedure.question(procedure.site.named) if procedure.site else None
        named = told_answer(question, row.answers[question.code]) if question else ""
        is_granted = row.case.outcome == Outcome.DONE.value
        found.append(SiteInfo(cases.number_of(row.pk), named, place, is_granted))
    return found


# --- What a request becomes -------------------------------------------------------------------------------------------


def conflicts_of(info: RequestInfo, at: datetime) -> list[SiteConflict]:
    """Return what a request under way is at odds with; a closed one is no longer compared."""
    if info.procedure is None or not info.case.is_open:
        return []
    return conflicts(info.procedure, info.answers, territory=info.case.territory, at=at, number=info.number)
