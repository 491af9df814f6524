"""`/api/route`, `/api/matrix`, `/api/isochrone`: how one moves, for each profile, with the obstacles of the moment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field
from shapely.geometry import mapping

from beffroi.base.clock.queries import timezone_of
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.api.catalogue import Territory
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility import queries
from beffroi.sense.mobility.coverage import queries as coverage
from beffroi.sense.mobility.coverage.queries import Share
from beffroi.sense.mobility.obstacles import ObstacleInfo
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.queries import Answer, Arrival, GraphInfo
from beffroi.sense.mobility.routes import Met, Route
from beffroi.sense.mobility.words import SURFACES, Instruction, barrier

router = Router(tags=["Mobilité"])
GEOJSON = "application/geo+json"
PLACE = r"^\s*-?\d{1,3}(?:\.\d+)?\s*,\s*-?\d{1,2}(?:\.\d+)?\s*$"

From = Annotated[
    str, Query(alias="from", max_length=60, description="Départ : longitude,latitude", examples=["7.4246,43.7384"])
]
To = Annotated[
    str, Query(alias="to", max_length=60, description="Arrivée : longitude,latitude", examples=["7.4197,43.7317"])
]
Slug = Annotated[str, Query(max_length=40, description="Profil (voir /api/profiles)", examples=["fauteuil-manuel"])]
Slope = Annotated[float | None, Query(ge=0, le=60, description="Pente la plus forte acceptée, en %")]
Kerb = Annotated[int | None, Query(ge=0, le=60, description="Ressaut le plus haut accepté, en cm")]
Width = Annotated[int | None, Query(ge=0, le=500, description="Largeur la plus étroite acceptée, en cm")]
Stairs = Annotated[bool | None, Query(description="Escaliers acceptés ; selon le profil sinon")]
OnlyDocumented = Annotated[bool, Query(description="Rues documentées seulement : ce qu’on ignore est exclu")]


class BadPlace(BeffroiError):
    """A place that is not a longitude and a latitude."""


class ProfileOut(Schema):
    """One way of moving."""

    id: str = Field(examples=["fauteuil-manuel"])
    title: str
    plain: str = Field(description="Le profil, dit par la personne")
    mode: str = Field(description="foot, bicycle, car ou lorry")
    needs: list[str] = Field(description="Ce qu’il faut savoir d’une rue pour qu’elle soit documentée")
    adjustable: dict[str, Any] = Field(description="Réglages possibles et leurs bornes")
    sources: dict[str, str] = Field(description="D’où viennent les chiffres")


class ProfilesAnswer(Schema):
    """Every profile."""

    profiles: list[ProfileOut]


def place_of(text: str, where: str) -> tuple[float, float]:
    """Read ``"lon,lat"``.

    Raises:
        BadPlace: it is not two numbers, or they are off the globe.
    """
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        lon = lat = float("nan")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadPlace(
            "lieu « {text} » illisible",
            where=where,
            remedy="donnez longitude,latitude en degrés, par exemple 3.8767,43.6108",
            text=text[:60],
        )
    return lon, lat


def _territory(request: Request, asked: str | None) -> str:
    return asked or (request.commune.code if request.commune else "")


def _adjusted(
    slug: str, slope: float | None, kerb: int | None, width: int | None, stairs: bool | None, documented: bool
) -> Profile:
    return queries.profile(slug).adjusted(
        max_slope_pct=slope, max_kerb_cm=kerb, min_width_cm=width, stairs=stairs, documented_only=documented
    )


def _geojson(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {"type": "array", "items": {"type": "object"}},
        },
    }
    return {"responses": {200: {"description": description, "content": {GEOJSON: {"schema": schema}}}}}


@router.get("/profiles", response=ProfilesAnswer, summary="Les profils de déplacement")
@open_to(EVERYONE)
def profiles(request: Request) -> dict[str, Any]:
    """Donne les profils, ce que chacun permet de régler, et la source de leurs chiffres."""
    return {"profiles": [_profile(one) for one in queries.profiles()]}


def _profile(one: Profile) -> dict[str, Any]:
    mode = (one.mode.name or "foot").lower()
    needs = [need.name.lower() for need in one.needs]
    return {"id": one.slug, "title": one.title, "plain": one.plain, "mode": mode, "needs": needs,
            "adjustable": dict(one.adjustable), "sources": dict(one.sources)}  # fmt: skip


@router.get(
    "/route",
    summary="Un itinéraire adapté, obstacles du moment compris",
    openapi_extra=_geojson("Les itinéraires, le meilleur d’abord ; aucun, et `no_route` dit pourquoi"),
)
@open_to(EVERYONE)
def route(
    request: Request,
    start: From,
    goal: To,
    profile: Slug = "a-pied",
    alternatives: Annotated[int, Query(ge=1, le=3, description="Nombre d’itinéraires, au plus")] = 1,
    max_slope_pct: Slope = None,
    max_kerb_cm: Kerb = None,
    min_width_cm: Width = None,
    stairs: Stairs = None,
    documented_only: OnlyDocumented = False,
    explain: Annotated[bool, Query(description="Dire ce que le chemin le plus rapide aurait rencontré")] = True,
    departure: Annotated[
        datetime | None,
        Query(
            description="Moment du départ (ISO 8601) : obstacles et travaux de ce moment ; sinon maintenant",
            examples=["2026-12-01T08:00:00+01:00"],
        ),
    ] = None,
    territory: Territory = None,
) -> HttpResponse:
    """Donne un à trois itinéraires en GeoJSON : longueur, durée, pentes, marches, ressauts, sols, part documentée,
    instructions, obstacles rencontrés et évités, pourquoi ce chemin, et l’accès du lieu d’arrivée."""
    chosen = _adjusted(profile, max_slope_pct, max_kerb_cm, min_width_cm, stairs, documented_only)
    answer = queries.route(
        _territory(request, territory),
        profile=chosen,
        start=place_of(start, "from"),
        goal=place_of(goal, "to"),
        at=now(),
        most=alternatives,
        explained=explain,
        leaving=_moment(departure, _territory(request, territory)),
    )
    body = route_collection(answer)
    if explain:
        body["arrival"] = _arrival(queries.arrival(_territory(request, territory), place_of(goal, "to")))
    return _answered(body)


def _moment(departure: datetime | None, territory: str) -> datetime | None:
    """Return a moment asked for; without an offset, it is told by the clocks of the town."""
    if departure is None or departure.tzinfo is not None:
        return departure
    return departure.replace(tzinfo=timezone_of(territory))


def _answered(body: dict[str, Any]) -> HttpResponse:
    # A route is some two thousand numbers: the standard library takes longer to write them than we to find the way.
    response = HttpResponse(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), content_type=GEOJSON)
    # An obstacle changes the next answer: nobody keeps one.
    response.headers["Cache-Control"] = "no-store"
    return response


def route_collection(answer: Answer) -> dict[str, Any]:
    """Return an answer as a GeoJSON collection, its words in the reader's language."""
    features = [
        _feature(one, told, rank)
        for rank, (one, told) in enumerate(zip(answer.routes, answer.instructions, strict=True))
    ]
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": features,
        "profile": answer.profile.slug,
        "from": _snapped(answer.start),
        "to": _snapped(answer.goal),
        "graph": _graph(answer.graph),
    }
    if answer.why is not None:
        body["why"] = {
            "same_as_quickest": answer.why.same,
            "extra_m": round(answer.why.extra_m, 1),
            "extra_s": round(answer.why.extra_s),
            "avoided": [_met(one) for one in answer.why.barriers],
        }
    if answer.no_way is not None:
        none = answer.no_way
        body["no_route"] = {
            "barriers": [_met(one) for one in none.all_barriers],
            "opens": _met(none.opens) if none.opens else None,
            "left_m": round(none.left_m),
            "farthest": _feature(none.farthest, (), 0) if none.farthest else None,
        }
    return body


def _arrival(found: Arrival) -> dict[str, Any]:
    venue = found.venue and {
        "name": found.venue.name,
        "facts": [said(one) for one in found.venue.facts],
        "distance_m": round(found.venue.distance_m),
        "source": found.venue.source,
        "date": found.venue.date,
    }
    stops = [
        {"name": one.name, "lines": list(one.lines), "wheelchair": one.wheelchair, "distance_m": round(one.distance_m),
         "source": one.source, "date": one.date}
        for one in found.stops
    ]  # fmt: skip
    return {"venue": venue, "stops": stops}


def _snapped(spot: Any) -> dict[str, Any]:
    return {"lon": round(spot.lon, 7), "lat": round(spot.lat, 7), "away_m": round(spot.away_m, 1)}


def _graph(info: GraphInfo) -> dict[str, Any]:
    sources = [{"title": title, "date": date, "licence": licence} for title, date, licence in info.origins]
    return {"version": info.version, "built_at": info.built_at.isoformat(), "sources": sources}


def _met(one: Met) -> dict[str, Any]:
    found: dict[str, Any] = {
        "reason": (one.reason.name or "").lower(),
        "said": said(barrier(one)),
        "street": one.name,
        "lon": round(one.lon, 7),
        "lat": round(one.lat, 7),
    }
    if one.amount is not None and one.amount == one.amount:
        found["amount"] = round(one.amount, 1)
    if one.obstacle is not None:
        found["obstacle"] = _obstacle(one.obstacle)
    return found


def _obstacle(one: ObstacleInfo) -> dict[str, Any]:
    return {
        "id": one.subject, "kind": one.kind, "title": one.title, "label": one.label, "lon": one.lon, "lat": one.lat,
        "until": one.until.isoformat() if one.until else None,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 1)


def _feature(one: Route, told: tuple[Instruction, ...], rank: int) -> dict[str, Any]:
    properties = {
        "rank": rank,
        "length_m": round(one.length_m, 1),
        "time_s": round(one.time_s),
        "cost_s": round(one.cost_s, 1),
        "climb_m": _rounded(one.climb_m),
        "descent_m": _rounded(one.descent_m),
        "steepest_up_pct": _rounded(one.steepest_up_pct),
        "steepest_down_pct": _rounded(one.steepest_down_pct),
        "steps": one.steps,
        "flights": one.flights,
        "kerbs": one.kerbs,
        "kerbs_unknown": one.kerbs_unknown,
        "highest_kerb_cm": one.kerb_cm,
        "crossings": one.crossings,
        "crossings_with_signals": one.signals,
        "lifts": one.lifts,
        "surfaces_m": {said(SURFACES[key]): round(value, 1) for key, value in one.surfaces.items()},
        "narrowest_cm": one.narrowest_cm,
        "lit_share": round(one.lit_m / one.length_m, 3) if one.length_m else 1.0,
        "documented_share": round(one.documented_share, 3),
        "heights": one.rises,
        "obstacles": [_obstacle(obstacle) for obstacle in one.obstacles],
        "instructions": [
            {"said": instruction_said(step), "lon": step.lon, "lat": step.lat, "length_m": round(step.length_m),
             "landmark": step.landmark}
            for step in told
        ],
    }  # fmt: skip
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": one.coordinates},
        "properties": properties,
    }


def instruction_said(step: Instruction) -> str:
    """Return an instruction in the reader's language."""
    return said(step.sentence)


@router.get("/matrix", summary="Les durées entre des lieux")
@open_to(EVERYONE)
def matrix(
    request: Request,
    start: Annotated[str, Query(alias="from", max_length=3000, description="Départs : lon,lat;lon,lat… (50 au plus)")],
    goal: Annotated[str, Query(alias="to", max_length=3000, description="Arrivées : lon,lat;lon,lat… (50 au plus)")],
    profile: Slug = "a-pied",
    territory: Territory = None,
) -> dict[str, Any]:
    """Donne la durée en secondes de chaque départ à chaque arrivée ; null là où aucun chemin ne mène."""
    found = queries.matrix(
        _territory(request, territory),
        profile=queries.profile(profile),
        sources=[place_of(part, "from") for part in start.split(";")],
        targets=[place_of(part, "to") for part in goal.split(";")],
        at=now(),
    )
    rows = [[None if one is None else round(one) for one in row] for row in found.seconds]
    return {"profile": profile, "seconds": rows, "graph": _graph(found.graph)}


@router.get(
    "/isochrone",
    summary="Jusqu’où l’on va en tant de minutes",
    openapi_extra=_geojson("Une surface par durée, la plus petite d’abord"),
)
@open_to(EVERYONE)
def isochrone(
    request: Request,
    start: From,
    profile: Slug = "a-pied",
    minutes: Annotated[
        str, Query(max_length=20, description="Une à quatre durées, en minutes", examples=["5,10"])
    ] = "15",
    territory: Territory = None,
) -> HttpResponse:
    """Donne le sol atteint en tant de minutes, obstacles du moment compris."""
    try:
        asked = [int(part) for part in minutes.split(",")]
    except ValueError as error:
        raise BadPlace(
            "durées « {text} » illisibles", where="minutes", remedy="par exemple 5,10,15", text=minutes
        ) from error
    found, info = queries.isochrone(
        _territory(request, territory), profile=queries.profile(profile), start=place_of(start, "from"),
        minutes=asked, at=now(),
    )  # fmt: skip
    features = [
        {"type": "Feature", "geometry": mapping(one.shape),
         "properties": {"minutes": one.minutes, "length_m": round(one.length_m)}}
        for one in found
    ]  # fmt: skip
    return _answered({"type": "FeatureCollection", "features": features, "profile": profile, "graph": _graph(info)})


Kind = Annotated[
    str, Query(max_length=40, description="Genre de lieu (voir /api/destinations)", examples=["pharmacie"])
]


@router.get("/destinations", summary="Les genres de lieux dont la commune connaît des exemples")
@open_to(EVERYONE)
def place_kinds(request: Request, territory: Territory = None) -> dict[str, Any]:
    """Donne les genres de lieux que les données de la commune situent : écoles, pharmacies, défibrillateurs…"""
    return {"kinds": [{"id": one.slug, "title": one.title} for one in coverage.kinds(_territory(request, territory))]}


@router.get("/nearest", summary="Les lieux d’un genre les plus proches, en temps")
@open_to(EVERYONE)
def nearest(
    request: Request,
    start: From,
    kind: Kind,
    profile: Slug = "a-pied",
    limit: Annotated[int, Query(ge=1, le=20, description="Nombre de lieux, au plus")] = 5,
    territory: Territory = None,
) -> dict[str, Any]:
    """Donne les lieux d’un genre dans l’ordre du temps qu’il faut pour y aller, obstacles du moment compris."""
    found = coverage.nearest(
        _territory(request, territory), kind=kind, place=place_of(start, "from"), profile=queries.profile(profile),
        at=now(), most=limit,
    )  # fmt: skip
    places = [
        {"name": one.place.name, "lon": round(one.place.lon, 7), "lat": round(one.place.lat, 7),
         "seconds": round(one.seconds)}
        for one in found.found
    ]  # fmt: skip
    return {"kind": kind, "profile": profile, "places": places, "source": {"title": found.source, "date": found.date}}


@router.get("/coverage", summary="Les habitants à tant de minutes d’un genre de lieu")
@open_to(EVERYONE)
def covered(
    request: Request,
    kind: Kind,
    profile: Slug = "a-pied",
    minutes: Annotated[int, Query(ge=1, le=60, description="Durée du trajet, en minutes")] = 15,
    territory: Territory = None,
) -> dict[str, Any]:
    """Donne les habitants à tant de minutes, par quartier et par âge, et où un lieu de plus servirait le mieux."""
    found = coverage.coverage(
        _territory(request, territory), kind=kind, profile=queries.profile(profile), minutes=minutes, at=now()
    )
    more = found.more and {
        "lon": round(found.more.lon, 6), "lat": round(found.more.lat, 6), "people": round(found.more.people),
    }  # fmt: skip
    return {
        "kind": kind, "profile": profile, "compared_with": found.compared.slug, "minutes": minutes,
        "total": _counted(found.town), "ages": [_counted(one) for one in found.ages],
        "zones": [{"id": one.id, **_counted(one.all), "median_min": _rounded(one.median_min)} for one in found.zones],
        "one_more": more,
        "sources": [{"title": title, "date": date, "licence": licence} for title, date, licence in found.sources],
    }  # fmt: skip


def _counted(one: Share) -> dict[str, Any]:
    return {"title": one.title, "people": round(one.people), "covered": round(one.covered),
            "share": round(one.share, 4), "covered_compared": round(one.other)}  # fmt: skip
