"""Who a commune is, as the nation publishes it: name, inhabitants, SIREN, contour. Knows no Django."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.lake.fetching import NotFetched, Wait, fetch

URL = "https://geo.api.gouv.fr/communes/{commune}?fields=nom,population,siren,contour&format=json"
NAME = "commune.json"
_MOST_BYTES = 20 << 20


@dataclass(frozen=True, slots=True)
class Identity:
    """A commune of the official geographic code; `contour` in CRS84, None when the answer has none that can be read."""

    name: str
    population: int = 0
    siren: str = ""
    contour: BaseGeometry | None = None


def identity_of(commune: str, *, folder: Path, wait: Wait, mirror: Path | None = None) -> Identity:
    """Ask who a commune is; what came is kept in `folder`.

    Raises:
        NotFetched: nobody answers, nothing is known of this code, or the answer is of another.

    Source: API Découpage administratif (Etalab), from the official geographic code and Admin Express.
    """
    url = URL.format(commune=commune)
    got = fetch(url, folder / NAME, mirror=mirror, wait=wait, most_bytes=_MOST_BYTES, most_tries=3)
    try:
        told = json.loads(got.path.read_bytes())
        name, code = str(told["nom"]), str(told.get("code", commune))
        population, siren = int(told.get("population") or 0), str(told.get("siren") or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(url) from error
    if code != commune or not name.strip():
        raise _unreadable(url)
    return Identity(name.strip(), population, siren, _area(told.get("contour")))


def _area(told: object) -> BaseGeometry | None:
    try:
        found = shape(told)
    except (ValueError, KeyError, TypeError, AttributeError, shapely.errors.ShapelyError):
        return None
    return found if found.geom_type in ("Polygon", "MultiPolygon") and found.is_valid and not found.is_empty else None


def _unreadable(url: str) -> BeffroiError:
    return NotFetched("réponse illisible, ou d’une autre commune", where=url, remedy="donnez le nom : --name « … »")
