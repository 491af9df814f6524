"""Which rules apply at a place, and what each says. Knows neither Django nor the lake."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from beffroi.sense.planning.codes import articles_of
from beffroi.sense.planning.settings import Kind

EDGE_M = 1.0
"""Closer to an edge than this, one cannot tell on which side a point is: plans are drawn to a metre at best."""

NEAR_M = 10.0
"""A line or a point of the plan (a hedge, a tree, a wall) this close is told with its distance."""

TOUCHED_M2 = 1.0
"""What covers less than this of a parcel only touches it: neighbours overlap by that much."""

_METRES_PER_DEGREE = 111_320.0
_DAY = re.compile(r"((?:19|20)\d{2})-?(\d{2})-?(\d{2})$")


class How(Enum):
    """How a rule reaches a place."""

    HERE = "here"
    EDGE = "edge"
    NEAR = "near"
    PARCEL = "parcel"


@dataclass(frozen=True, slots=True)
class Place:
    """A point (longitude, latitude in degrees, OGC:CRS84) and the parcel that holds it, None when it is not known."""

    lon: float
    lat: float
    parcel: BaseGeometry | None

    def local(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry in metres east and north of the point; within 0.3 % at the scale of a district."""
        east = _METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        moved: BaseGeometry = shapely.transform(
            shapely.force_2d(geometry), lambda at: (at - (self.lon, self.lat)) * (east, _METRES_PER_DEGREE)
        )
        return moved


@dataclass(frozen=True, slots=True)
class Reach:
    """How a rule reaches a place, and how far its shape is, in metres (0 where it holds the point)."""

    how: How
    away_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in the words of its publisher.

    `category` says what kind of thing it is, `file` and `url` where its text is, `dated` when what founds it was
    decided (None when nothing says it), `height_m` the height allowed where the rule is that, in metres.
    """

    kind: Kind
    name: str
    details: str = ""
    category: str = ""
    articles: tuple[str, ...] = ()
    file: str = ""
    url: str = ""
    dated: date | None = None
    act: str = ""
    height_m: float | None = None
    area_m2: float | None = None


def applying(geometry: BaseGeometry, place: Place) -> Reach | None:
    """Return how a rule drawn as `geometry` (CRS84) reaches a place, None when it does not."""
    shape = place.local(geometry)
    if shape.is_empty:
        return None
    away = float(shape.distance(Point(0, 0)))
    if shape.area > 0:
        if away == 0:
            edge = float(shape.boundary.distance(Point(0, 0)))
            return Reach(How.EDGE if edge < EDGE_M else How.HERE)
        if away < EDGE_M:
            return Reach(How.EDGE, away)
    elif away <= NEAR_M:
        return Reach(How.NEAR, away)
    if place.parcel is not None and _touches(shape, place.local(place.parcel)):
        return Reach(How.PARCEL, away)
    return None


def _touches(shape: BaseGeometry, parcel: BaseGeometry) -> bool:
    if shape.area > 0:
        return bool(shape.intersects(parcel)) and float(shape.intersection(parcel).area) > TOUCHED_M2
    return bool(shape.distance(parcel) < EDGE_M)


def rule_of(kind: Kind, said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    """Return the rule that one row tells; `labels` are what its coded values mean, by column."""
    return _READERS[kind](said, labels)


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return "" if value is None else str(value).strip()


def _day(text: object) -> date | None:
    """Return the day that ends a text (30014_PLU_20171013, 2018-06-20), None when it ends with none."""
    found = _DAY.search(str(text or "").strip()[:40])
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _approved(said: Mapping[str, Any]) -> date | None:
    """Return when the document was approved: its own column before 2017, the end of its name since."""
    return _day(said.get("datappro")) or _day(said.get("idurba"))


def _zone(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    # « N : zone naturelle » says its own name again.
    name, details = _text(said, "libelle"), _text(said, "libelong")
    details = re.sub(rf"^{re.escape(name)}\s*:\s*", "", details) if name else details
    return Rule(
        Kind.ZONE, name, details, labels.get("typezone", ""), file=_text(said, "nomfic"), url=_text(said, "urlfic"),
        dated=_approved(said),
    )  # fmt: skip


def _prescription(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    height = said.get("hauteur_max_m")
    return Rule(
        Kind.PRESCRIPTION, _text(said, "libelle") or labels.get("typepsc", ""), _text(said, "txt"),
        labels.get("typepsc", "") if said.get("stypepsc") else "",
        articles_of(_text(said, "typepsc"), _text(said, "stypepsc")), _text(said, "nomfic"), _text(said, "urlfic"),
        _approved(said), height_m=float(height) if isinstance(height, int | float) else None,
    )  # fmt: skip


def _information(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    return Rule(
        Kind.INFORMATION, _text(said, "libelle") or labels.get("typeinf", ""), _text(said, "txt"),
        labels.get("typeinf", "") if said.get("stypeinf") else "",
        articles_of(_text(said, "typeinf"), _text(said, "stypeinf"), information=True),
        _text(said, "nomfic"), _text(said, "urlfic"), _approved(said),
    )  # fmt: skip


def _easement(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    return Rule(
        Kind.EASEMENT, _text(said, "nom") or _text(said, "nomass"), _text(said, "institue"),
        labels.get("categorie", "") or _text(said, "categorie"), file=_text(said, "fichier_acte"),
        dated=_day(said.get("date_acte")), act=_text(said, "acte"),
    )  # fmt: skip


def _risk(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    return Rule(
        Kind.RISK, _text(said, "libellezonereglement"), labels.get("typereglement", ""), _text(said, "plan"),
        url=_text(said, "adresse_reglement"), dated=_day(said.get("date_plan")), act=_text(said, "etat_plan"),
    )  # fmt: skip


def _district(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    return Rule(Kind.DISTRICT, _text(said, "nom_qp"), _text(said, "code_qp"))


def _parcel(said: Mapping[str, Any], labels: Mapping[str, str]) -> Rule:
    area = said.get("contenance")
    name = " ".join(part for part in (_text(said, "section"), _text(said, "numero")) if part)
    return Rule(
        Kind.PARCEL, name, _text(said, "id"), dated=_day(said.get("updated")),
        area_m2=float(area) if isinstance(area, int | float) else None,
    )  # fmt: skip


_READERS = {
    Kind.PARCEL: _parcel,
    Kind.ZONE: _zone,
    Kind.PRESCRIPTION: _prescription,
    Kind.INFORMATION: _information,
    Kind.EASEMENT: _easement,
    Kind.RISK: _risk,
    Kind.DISTRICT: _district,
}
