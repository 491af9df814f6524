"""`/api/search` and `/api/addresses`: what can be found, and where addresses are.

Addresses answer in the shape of the national geocoder (addok, GeocodeJSON), so that its clients need only another
address. They ask nothing of the session nor of the registry.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from beffroi.base.kernel.errors import BeffroiError
from beffroi.faces.api.catalogue import TERRITORY_PATTERN
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.finding import layer_url, page_url, postal_label, postcode
from beffroi.sense.places import queries as places
from beffroi.sense.places.queries import Hit, Kind

router = Router(tags=["Recherche et adresses"])

ATTRIBUTION = "Commune"
LICENCE = "Licence Ouverte 2.0"

Text = Annotated[str, Query(min_length=1, max_length=200, description="Ce que l’on cherche", examples=["bd hugo"])]
Lon = Annotated[float | None, Query(ge=-180, le=180, description="Longitude (degrés) : préfère ce qui est proche")]
Lat = Annotated[float | None, Query(ge=-90, le=90, description="Latitude (degrés)")]
Limit = Annotated[int, Query(ge=1, le=places.MOST, description="Nombre de réponses")]
CityCode = Annotated[str | None, Query(pattern=TERRITORY_PATTERN, description="Code INSEE de la commune")]


class UnknownKind(BeffroiError):
    """A kind of thing that is not found here."""


class Result(Schema):
    """A thing found."""

    kind: Kind
    title: str
    category: str
    details: str
    score: float = Field(ge=0, le=1, description="1 : exactement ce qui est cherché")
    lon: float | None = Field(description="Degrés, OGC:CRS84")
    lat: float | None
    hours: str = Field(description="Horaires, tels que publiés")
    start: str = Field(description="Début d’un événement (ISO 8601)")
    dataset: str | None = Field(description="Jeu de données d’où vient la réponse", examples=["34172/ecoles"])
    id: str
    url: str = Field(description="Page du portail")
    map_url: str = Field(description="Carte à cet endroit ; vide si la chose n’est nulle part")


class SearchAnswer(Schema):
    """What a search found, best first."""

    q: str
    instead: str = Field(description="Recherche corrigée, quand des mots étaient inconnus ; vide sinon")
    counts: dict[str, int] = Field(description="Nombre de réponses de chaque genre, au-delà de celles données")
    results: list[Result]


class AddressProperties(Schema):
    """An address, in the words of the national geocoder."""

    label: str = Field(examples=["12 Rue du Lavoir 34000 Montpellier"])
    score: float = Field(ge=0, le=1)
    id: str
    type: Literal["housenumber", "street"]
    name: str = Field(examples=["12 Rue du Lavoir"])
    housenumber: str | None = None
    street: str | None = None
    postcode: str
    citycode: str
    city: str
    distance: int | None = Field(None, description="Mètres en ligne droite, pour une recherche inverse")


class Point(Schema):
    """A GeoJSON point."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class AddressFeature(Schema):
    """An address as a GeoJSON feature."""

    type: Literal["Feature"]
    geometry: Point
    properties: AddressProperties


class AddressCollection(Schema):
    """Addresses found, best or nearest first."""

    type: Literal["FeatureCollection"]
    version: str
    features: list[AddressFeature]
    attribution: str
    licence: str
    query: str | None = None
    limit: int


@router.get("/search", response=SearchAnswer, summary="Chercher partout à la fois")
@open_to(EVERYONE)
def search(
    request: Request,
    q: Text,
    kinds: Annotated[
        str | None, Query(max_length=200, description="Genres, séparés par des virgules", examples=["place,event"])
    ] = None,
    lon: Lon = None,
    lat: Lat = None,
    limit: Limit = 10,
) -> HttpResponse:
    """Cherche dans les services, lieux, rues, adresses, événements, données et documents de la commune.

    Les accents, les abréviations et les fautes de frappe ne comptent pas ; deux lettres suffisent. `limit` vaut pour
    chaque genre. Ce que le lecteur ne peut pas voir n’est pas trouvé.
    """
    territory = request.commune.code if request.commune else ""
    found = places.search(request.viewer, territory, q, kinds=_kinds(kinds), near=_near(lon, lat), limit=limit)
    answer = {
        "q": q,
        "instead": found.instead,
        "counts": {kind.value: count for kind, count in found.counts.items()},
        "results": [_result(hit) for hit in found.hits],
    }
    return _json(answer)


@router.get("/addresses", response=AddressCollection, summary="Trouver une adresse")
@open_to(EVERYONE)
def addresses(
    request: Request,
    q: Text,
    limit: Limit = 5,
    autocomplete: Annotated[bool, Query(description="Le dernier mot peut être un début")] = True,
    type: Annotated[Literal["housenumber", "street"] | None, Query(description="Adresses ou rues seulement")] = None,
    postcode: Annotated[str | None, Query(pattern=r"^\d{5}$", description="Code postal")] = None,
    citycode: CityCode = None,
    lon: Lon = None,
    lat: Lat = None,
) -> HttpResponse:
    """Donne les adresses et les rues que le texte peut désigner, au format du géocodeur national (addok).

    Un numéro inconnu dans sa rue donne la rue.
    """
    found = places.addresses(
        q,
        citycode=citycode or "",
        postcode=postcode or "",
        houses_only=type == "housenumber",
        streets_only=type == "street",
        near=_near(lon, lat),
        autocomplete=autocomplete,
        limit=limit,
    )
    return _json(_collection([_feature(hit) for hit in found], limit) | {"query": q})


@router.get("/addresses/reverse", response=AddressCollection, summary="L’adresse la plus proche")
@open_to(EVERYONE)
def nearest_addresses(
    request: Request,
    lon: Annotated[float, Query(ge=-180, le=180, description="Longitude (degrés)", examples=[3.8767])],
    lat: Annotated[float, Query(ge=-90, le=90, description="Latitude (degrés)", examples=[43.6112])],
    limit: Limit = 1,
    citycode: CityCode = None,
) -> HttpResponse:
    """Donne les adresses les plus proches d’un point, à deux kilomètres au plus ; la liste est vide au-delà."""
    found = places.reverse(lon, lat, citycode=citycode or "", limit=limit)
    features = [_feature(one.hit, distance=round(one.distance_m)) for one in found]
    return _json(_collection(features, limit))


def _kinds(text: str | None) -> list[Kind]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    known = {kind.value: kind for kind in Kind}
    for name in names:
        if name not in known:
            raise UnknownKind(
                "genre « {name} » inconnu",
                where="kinds",
                remedy="genres connus : {known}",
                name=name[:40],
                known=", ".join(known),
            )
    return [known[name] for name in names]


def _near(lon: float | None, lat: float | None) -> tuple[float, float] | None:
    return None if lon is None or lat is None else (lon, lat)


def _result(hit: Hit) -> dict[str, Any]:
    entry = hit.entry
    return {
        "kind": hit.kind.value,
        "title": hit.title,
        "category": entry.category,
        "details": entry.details or entry.city,
        "score": round(hit.score, 4),
        "lon": hit.lon,
        "lat": hit.lat,
        "hours": entry.hours,
        "start": entry.start,
        "dataset": str(entry.ref) if entry.ref else None,
        "id": hit.house.id if hit.house else entry.id,
        "url": page_url(hit),
        "map_url": page_url(hit) if entry.kind is Kind.STREET else layer_url(entry),
    }


def _feature(hit: Hit, *, distance: int | None = None) -> dict[str, Any]:
    entry = hit.entry
    properties: dict[str, Any] = {
        "label": postal_label(hit),
        "score": round(hit.score, 4),
        "id": hit.house.id if hit.house else entry.id,
        "type": "housenumber" if hit.house else "street",
        "name": hit.title,
        "postcode": postcode(hit),
        "citycode": entry.citycode,
        "city": entry.city,
    }
    if hit.house:
        properties |= {"housenumber": hit.number, "street": entry.title}
    if distance is not None:
        properties["distance"] = distance
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [hit.lon, hit.lat]},
        "properties": properties,
    }


def _collection(features: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "version": "draft",
        "features": features,
        "attribution": _(ATTRIBUTION),
        "licence": LICENCE,
        "limit": limit,
    }


def _json(answer: dict[str, Any]) -> HttpResponse:
    # As it is: checking every answer against its shape is the tests' work, and costs more than finding it.
    response = HttpResponse(json.dumps(answer, ensure_ascii=False), content_type="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response
