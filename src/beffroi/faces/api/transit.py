"""`/api/transit/…`: the stops, the lines and the next departures of buses and trams, delays of the moment included."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.api.catalogue import Territory
from beffroi.faces.api.mobility import place_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility.transit import queries
from beffroi.sense.mobility.transit.departures import Departure
from beffroi.sense.mobility.transit.live import Live
from beffroi.sense.mobility.transit.queries import Line, Stop
from beffroi.sense.mobility.transit.timetable import Timetable

router = Router(tags=["Transports"])
ACCESS = ("unknown", "yes", "no")


class NoSuchMoment(BeffroiError):
    """An instant that is none, or without its offset."""


class LineOut(Schema):
    """One line."""

    feed: str = Field(examples=["bus"])
    id: str = Field(examples=["L1"])
    name: str = Field(description="Son numéro, tel qu’on l’affiche", examples=["1"])
    long_name: str
    type: int = Field(description="Genre de véhicule (route_type du GTFS)", examples=[3])
    colour: str | None = Field(description="Couleur du réseau, #rrggbb", examples=["#1f5fa8"])
    agency: str


class LinesAnswer(Schema):
    """Every line that runs."""

    lines: list[LineOut]


class StopOut(Schema):
    """A stop, or a station with its platforms."""

    feed: str = Field(examples=["bus"])
    id: str = Field(examples=["A0001"])
    name: str
    code: str
    platform: str
    lon: float | None
    lat: float | None
    station: bool = Field(description="Une station rassemble ses quais")
    wheelchair: str = Field(description="Accès en fauteuil : yes, no ou unknown", examples=["yes"])
    distance_m: float | None
    lines: list[LineOut]


class StopsAnswer(Schema):
    """The stops found, the best first."""

    stops: list[StopOut]


class DepartureOut(Schema):
    """One vehicle that leaves."""

    line: LineOut
    direction: int | None = Field(description="0 ou 1, comme le réseau les compte ; null s’il ne le dit pas")
    destination: str
    stop: str = Field(description="Identifiant de l’arrêt ou du quai")
    platform: str
    trip: str
    service_day: str | None = Field(description="Jour de service (la nuit, celui de la veille)")
    planned_at: datetime | None = Field(description="Heure prévue ; null pour un passage ajouté")
    at: datetime = Field(description="Heure attendue, retard compris")
    delay_s: int | None = Field(description="Retard en secondes, négatif en avance ; null quand personne ne le dit")
    state: str = Field(description="runs, cancelled ou skips", examples=["runs"])
    source: str = Field(description="planned (théorique), live (temps réel) ou added", examples=["live"])
    approximate: bool = Field(description="Heure donnée à peu près : fréquence, ou arrêt sans heure dans le fichier")
    wheelchair: str = Field(description="Véhicule accessible en fauteuil : yes, no ou unknown")
    on_request: str | None = Field(description="phone ou driver quand il faut le demander")


class LiveOut(Schema):
    """Where what is told of the moment stands."""

    status: str = Field(description="none, waiting, fresh ou stale : hors fresh, les heures sont celles prévues")
    told_at: datetime | None
    problem: str | None


class DeparturesAnswer(Schema):
    """The next departures, and what they come from."""

    stop: str
    at: datetime
    timetable: str = Field(description="Version des horaires")
    live: LiveOut
    departures: list[DepartureOut]


Feed = Annotated[str, Query(max_length=100, description="Réseau (voir /api/transit/stops)", examples=["bus"])]


def _territory(request: Request, asked: str | None) -> str:
    return asked or (request.commune.code if request.commune else "")


@router.get("/transit/lines", response=LinesAnswer, summary="Les lignes de bus et de tram")
@open_to(EVERYONE)
def transit_lines(request: Request, territory: Territory = None) -> dict[str, Any]:
    """Donne les lignes qui circulent, dans l’ordre où le réseau les présente."""
    return {"lines": [_line(one) for one in queries.lines(_territory(request, territory))]}


@router.get("/transit/stops", response=StopsAnswer, summary="Les arrêts, par leur nom ou autour d’un lieu")
@open_to(EVERYONE)
def transit_stops(
    request: Request,
    q: Annotated[str, Query(max_length=80, description="Mots du nom, ou numéro de l’arrêt")] = "",
    near: Annotated[
        str | None, Query(max_length=60, description="Longitude,latitude", examples=["3.8767,43.6108"])
    ] = None,
    within_m: Annotated[float, Query(gt=0, le=20_000, description="Distance à vol d’oiseau, au plus")] = 1000,
    limit: Annotated[int, Query(ge=1, le=50, description="Nombre d’arrêts, au plus")] = 20,
    territory: Territory = None,
) -> dict[str, Any]:
    """Donne les stations et les arrêts isolés d’où part une course, avec leurs lignes et leur accessibilité."""
    place = place_of(near, "near") if near else None
    found = queries.stops(_territory(request, territory), text=q, near=place, within_m=within_m, most=limit)
    return {"stops": [_stop(one) for one in found]}


@router.get("/transit/departures", response=DeparturesAnswer, summary="Les prochains passages à un arrêt")
@open_to(EVERYONE)
def transit_departures(
    request: Request,
    response: HttpResponse,
    feed: Feed,
    stop: Annotated[str, Query(max_length=200, description="Identifiant de l’arrêt ou de la station")],
    at: Annotated[
        str | None,
        Query(max_length=40, description="Instant ISO 8601 avec décalage ; maintenant sinon",
              examples=["2026-03-29T01:30:00+01:00"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Nombre de passages, au plus")] = 20,
    territory: Territory = None,
) -> dict[str, Any]:  # fmt: skip
    """Donne les passages des 24 heures qui suivent, dans l’ordre : heure prévue, heure attendue, retard, suppression,
    accès en fauteuil. Un passage supprimé y est, et le dit."""
    moment = _instant(at) if at else now()
    timetable, live, found = queries.next_departures(
        _territory(request, territory), feed, stop, at=moment, most=limit, live_now=at is None
    )
    # A delay changes the next answer: nobody keeps one.
    response.headers["Cache-Control"] = "no-store"
    return {
        "stop": stop,
        "at": moment,
        "timetable": timetable.version,
        "live": _live(live),
        "departures": [_departure(timetable, one) for one in found],
    }


def _instant(text: str) -> datetime:
    try:
        # A plus sign that an address turned into a space is one again.
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if text.count(":") > 2 else text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 2000 <= found.year < 2100:
        raise NoSuchMoment(
            "instant « {text} » illisible",
            where="at",
            remedy="donnez par exemple 2026-03-29T01:30:00+01:00",
            text=text[:40],
        )
    return found


def _live(live: Live) -> dict[str, Any]:
    return {"status": live.status, "told_at": live.told_at, "problem": said(live.problem) or None}


def _line(one: Line) -> dict[str, Any]:
    return {
        "feed": one.feed, "id": one.id, "name": one.name, "long_name": one.long_name, "type": one.kind,
        "colour": one.colour or None, "agency": one.agency,
    }  # fmt: skip


def _access(code: int) -> str:
    return ACCESS[code] if code < len(ACCESS) else ACCESS[0]


def _stop(one: Stop) -> dict[str, Any]:
    return {
        "feed": one.feed, "id": one.id, "name": one.name, "code": one.code, "platform": one.platform, "lon": one.lon,
        "lat": one.lat, "station": one.is_station, "wheelchair": _access(one.wheelchair),
        "distance_m": None if one.distance_m is None else round(one.distance_m, 1),
        "lines": [_line(line) for line in one.lines],
    }  # fmt: skip


def _departure(timetable: Timetable, one: Departure) -> dict[str, Any]:
    return {
        "line": _line(queries.line_of(timetable, one.route)),
        "direction": one.way if one.way >= 0 else None,
        "destination": one.destination,
        "stop": timetable.stops.ids[one.stop],
        "platform": timetable.stops.platforms[one.stop],
        "trip": one.trip_id,
        "service_day": one.service_day.isoformat() if one.service_day else None,
        "planned_at": one.planned_at,
        "at": one.at,
        "delay_s": one.delay_s,
        "state": one.state,
        "source": one.source,
        "approximate": one.about,
        "wheelchair": _access(one.wheelchair),
        "on_request": {2: "phone", 3: "driver"}.get(one.on_request),
    }
