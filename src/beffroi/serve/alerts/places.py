"""The shapes of districts and streets: what an area is, and what a follower follows."""

from __future__ import annotations

from collections.abc import Sequence

import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.words import words
from beffroi.base.territory import queries as territory_queries
from beffroi.sense.mobility.works.queries import stretches_of
from beffroi.sense.places import queries as places
from beffroi.serve.alerts.definition import BadAlert
from beffroi.serve.cases.ground import DISTRICT_KIND, METRES_PER_DEGREE, circle

STREET_M = 30.0
"""How far from its middle line a street still is: the houses on both sides."""

AROUND_M = 150.0
MOST_STREETS = 20


def districts_shape(territory: str, slugs: Sequence[str]) -> tuple[shapely.Geometry, list[str]]:
    """Return the shape of districts together (CRS84), and their names.

    Raises:
        BadAlert: none, or one that the town has not.
    """
    known = {one.slug: one for one in territory_queries.zones(territory, DISTRICT_KIND)}
    if not slugs or any(slug not in known for slug in slugs):
        raise BadAlert("quartier inconnu", where="districts", remedy="choisissez-en au moins un dans la liste")
    shapes = [shapely.from_wkb(known[slug].shape) for slug in slugs]
    return shapely.union_all(shapes), [known[slug].name for slug in slugs]


def streets_shape(territory: str, names: Sequence[str]) -> tuple[shapely.Geometry, list[str]]:
    """Return the shape of streets together (CRS84), the houses on both sides with them, and their names.

    Raises:
        BadAlert: none, too many, or one that nobody knows here.
    """
    wanted = [name.strip() for name in names if name.strip()]
    if not 0 < len(wanted) <= MOST_STREETS:
        raise BadAlert("de 1 à {most} rues", where="streets", remedy="donnez leur nom, une par ligne",
                       most=MOST_STREETS)  # fmt: skip
    shapes, kept = [], []
    for name in wanted:
        shape, title = street_shape(territory, name)
        shapes.append(shape)
        kept.append(title)
    return shapely.union_all(shapes), kept


def street_shape(territory: str, name: str) -> tuple[shapely.Geometry, str]:
    """Return the shape of a street and its name as the town writes it.

    By the graph of streets; else, where none was built, a circle around the place its name leads to.

    Raises:
        BadAlert: nobody knows it here.
    """
    try:
        found = stretches_of(territory, name)
    except BeffroiError:
        found = []
    exact = [one for one in found if words(one.name) == words(name)] or found
    if exact:
        lines = shapely.multilinestrings([shapely.linestrings(one.line) for one in exact])
        shape = lines.buffer(STREET_M / METRES_PER_DEGREE, quad_segs=2).simplify(1.0 / METRES_PER_DEGREE)
        return shape, exact[0].name
    try:
        hits = places.addresses(name, citycode=territory, limit=1)
    except BeffroiError:
        hits = []
    if not hits or hits[0].entry.lon is None or hits[0].entry.lat is None:
        raise BadAlert("rue « {name} » inconnue ici", where="streets", remedy="vérifiez son nom, ou dessinez la zone",
                       name=name[:80])  # fmt: skip
    entry = hits[0].entry
    return circle(entry.lon or 0.0, entry.lat or 0.0, max(AROUND_M, float(entry.radius_m))), entry.title
