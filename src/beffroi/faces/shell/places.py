"""A place in a form: a point, the known thing it is about, a zone. Plain fields first; the map only fills them in."""

from __future__ import annotations

import math
import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from shapely.geometry import Polygon

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.shell.sentences import said

MARGIN_DEG = 0.02
"""About 2 km: what happens at the edge of a town is still its business."""

MOST_CORNERS = 200
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:[.,]\d+)?")


class BadPlace(BeffroiError):
    """A place as written cannot be read, or lies elsewhere."""


def read_degrees(text: str, *, limit: float) -> float:
    """Return an angle in degrees, written with a point or a comma.

    Raises:
        BadPlace: not a number, or beyond ±`limit`.

    >>> read_degrees("45,0102", limit=90)
    45.0102
    """
    written = text.strip().replace("−", "-")
    value = float(written.replace(",", ".")) if _NUMBER.fullmatch(written) else math.nan
    if not abs(value) <= limit:
        raise BadPlace(
            gettext_noop("« {text} » n’est pas un angle en degrés"),
            remedy=gettext_noop("donnez un nombre, par exemple 45,0102"),
            text=text[:40],
        )
    return value


def read_zone(text: str) -> Polygon:
    """Return the polygon (CRS84) whose corners are written one a line, latitude then longitude.

    Raises:
        BadPlace: a line that is not two angles, fewer than three corners, or sides that cross.

    >>> read_zone("45 3\\n45 3,01\\n45,01 3,01").area > 0
    True
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not 3 <= len(lines) <= MOST_CORNERS:
        raise BadPlace(
            gettext_noop("la zone a {count} coins"),
            remedy=gettext_noop("donnez-en au moins 3, au plus {most}, un par ligne"),
            count=len(lines),
            most=MOST_CORNERS,
        )
    zone = Polygon([_corner(line, number) for number, line in enumerate(lines, start=1)])
    if not zone.is_valid or zone.area == 0:
        raise BadPlace(
            gettext_noop("les côtés de la zone se croisent"),
            remedy=gettext_noop("donnez les coins dans l’ordre où on les rencontre en faisant le tour"),
        )
    return zone


def write_zone(zone: Polygon) -> str:
    """Return the corners of a polygon as `read_zone` reads them."""
    return "\n".join(f"{lat:.6f} {lon:.6f}" for lon, lat, *_height in list(zone.exterior.coords)[:-1])


def _corner(line: str, number: int) -> tuple[float, float]:
    found = _NUMBER.findall(line.replace("−", "-"))
    # « 45.01, 3.02 » parts by the comma what « 45,01 3,02 » holds together.
    if len(found) != 2 or re.sub(r"[\s;,()]", "", _NUMBER.sub("", line.replace("−", "-"))):
        raise BadPlace(
            gettext_noop("le coin « {text} » n’est pas une latitude et une longitude"),
            where=gettext("ligne {n}").format(n=number),
            remedy=gettext_noop("écrivez par exemple 45,0102 3,0045"),
            text=line.strip()[:60],
        )
    return read_degrees(found[1], limit=180), read_degrees(found[0], limit=90)


def _told(error: BadPlace) -> str:
    start = f"{error.where} : " if error.where else ""
    return f"{start}{said(error.what)} ; {said(error.remedy)}."


class DegreesField(forms.CharField):
    """An angle in degrees, as people write it."""

    def __init__(self, *, limit: float, **kwargs: Any) -> None:
        self.limit = limit
        attributes = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> float | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_degrees(text, limit=self.limit)
        except BadPlace as error:
            raise forms.ValidationError(_told(error)) from error


def degrees_fields() -> tuple[DegreesField, DegreesField]:
    """Return the boxes of a latitude and a longitude that may be left empty."""
    return (
        DegreesField(label=_("Latitude"), help_text=_("En degrés, par exemple 45,0102."), limit=90, required=False),
        DegreesField(label=_("Longitude"), help_text=_("En degrés, par exemple 3,0045."), limit=180, required=False),
    )


class PlaceForm(forms.Form):
    """The fields of a place, to be inherited: `lon`, `lat` (degrees, CRS84), `place_object`, `zone`.

    `cleaned_data` holds the angles as numbers, `place_object` as ``<dataset>/<id>`` and `zone` as a polygon, each
    None or empty when not given. A form that wants no zone sets ``zone = None``. `within` is the box of the town:
    a point farther than about 2 km outside it is refused.
    """

    lat, lon = degrees_fields()
    place_object: Any = forms.RegexField(
        r"[a-z0-9-]{1,80}/.{1,80}",
        label=_("Objet concerné"),
        help_text=_("Le jeu de données et l’identifiant écrit sur l’objet, par exemple points-lumineux/PL-0123."),
        required=False,
    )
    zone: Any = forms.CharField(
        label=_("Zone"),
        help_text=_("Un coin par ligne, latitude puis longitude : 45,0102 3,0045."),
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        required=False,
    )
    place_required = True

    def __init__(self, *args: Any, within: BBox | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.within = within

    def clean_zone(self) -> Polygon | None:
        text = self.cleaned_data["zone"]
        try:
            return read_zone(text) if text else None
        except BadPlace as error:
            raise forms.ValidationError(_told(error)) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        lon, lat = values.get("lon"), values.get("lat")
        wrong = {"lon", "lat"} & self.errors.keys()
        if wrong:
            return values
        if (lon is None) != (lat is None):
            self.add_error("lon" if lon is None else "lat", gettext("Donnez la latitude et la longitude."))
        elif lon is None and self.place_required:
            self.add_error("lat", gettext("Indiquez le lieu sur la carte, ou sa latitude et sa longitude."))
        elif lon is not None and lat is not None and not self._is_near(lon, lat):
            self.add_error("lat", gettext("Ce lieu est loin de la commune. Vérifiez le repère."))
        return values

    def _is_near(self, lon: float, lat: float) -> bool:
        box = self.within
        return box is None or (
            box.west - MARGIN_DEG <= lon <= box.east + MARGIN_DEG
            and box.south - MARGIN_DEG <= lat <= box.north + MARGIN_DEG
        )
