"""A field where one gives an address: suggested as one types, proposed by the server without JavaScript.

    class WhereForm(forms.Form):
        where = AddressField(label=gettext_lazy("Où ?"))

    form = WhereForm(request.POST or None)
    form.fields["where"].citycode = request.commune.code      # of this commune only
    form.cleaned_data["where"].lon

The text, and the place chosen for it, travel as ``where``, ``where_lon``, ``where_lat`` and ``where_label``. A text
that may mean several addresses is refused with the candidates to choose from (``where_choice``): nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from beffroi.base.kernel.words import words
from beffroi.faces.shell.finding import postal_label
from beffroi.sense.places import queries as places
from beffroi.sense.places.queries import Hit

MOST_CANDIDATES = 6
# An answer this much better than the next is the one meant.
CLEAR_LEAD = 0.15
SURE = 0.85


@dataclass(frozen=True, slots=True)
class Address:
    """A place someone gave: its label, and where it is in degrees (OGC:CRS84). `id` is empty for a point of the map."""

    label: str
    lon: float
    lat: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form sent: the text, the place the page found for `label`, the candidate chosen."""

    text: str = ""
    lon: str = ""
    lat: str = ""
    label: str = ""
    choice: str = ""


class AddressInput(forms.Widget):
    """The text, its suggestions, and the place chosen."""

    template_name = "shell/components/address.html"
    citycode = ""
    candidates: tuple[str, ...] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template shows: what was typed, and the candidates when there are several."""
        context = super().get_context(name, value, attrs)
        typed = as_typed(value)
        context["widget"] |= {"typed": typed, "citycode": self.citycode, "candidates": self.candidates}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Typed:
        """Return what was sent."""
        return Typed(
            text=str(data.get(name, "")).strip(),
            **{part: str(data.get(f"{name}_{part}", "")).strip() for part in ("lon", "lat", "label", "choice")},
        )

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Tell whether the field was not on the page."""
        return name not in data


class AddressField(forms.Field):
    """An address of the town. Cleans to an `Address`, or None when it is empty and may be."""

    widget = AddressInput
    default_error_messages = {
        "unknown": gettext_lazy(
            "Cette adresse n’est pas connue ici. Vérifiez le nom de la rue, ou donnez une rue voisine."
        ),
        "several": gettext_lazy("Plusieurs adresses correspondent : choisissez la vôtre."),
    }

    def __init__(self, *, citycode: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.citycode = citycode

    @property
    def citycode(self) -> str:
        """Return the INSEE code of the commune looked in, empty for all those of the installation."""
        return self._citycode

    @citycode.setter
    def citycode(self, code: str) -> None:
        self._citycode = self.widget.citycode = code

    def to_python(self, value: Any) -> Address | None:
        """Return the address meant.

        Raises:
            ValidationError: no address answers, or several do.
        """
        typed = as_typed(value)
        if not typed.text:
            return None
        return _placed(typed) or self._looked_for(typed)

    def _looked_for(self, typed: Typed) -> Address:
        text = typed.choice or typed.text
        hits = places.addresses(text, citycode=self.citycode, autocomplete=False, limit=MOST_CANDIDATES)
        # What is chosen among candidates is one of them, word for word.
        exact = [hit for hit in hits if words(postal_label(hit)) == words(text)]
        if not hits:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        if exact or _is_clear(hits):
            return address_of((exact or hits)[0])
        self.widget.candidates = tuple(postal_label(hit) for hit in hits)
        raise forms.ValidationError(self.error_messages["several"], code="several")


def address_of(hit: Hit) -> Address:
    """Return an address found as one given."""
    return Address(postal_label(hit), *hit.place, hit.house.id if hit.house else hit.entry.id)


def nearest_label(lon: float, lat: float) -> str:
    """Return the address nearest to a point, for someone who pointed at a map; its coordinates when none is near."""
    found = places.reverse(lon, lat, limit=1)
    if found:
        return postal_label(found[0].hit)
    return gettext("Point {lat}, {lon}").format(lat=f"{lat:.5f}", lon=f"{lon:.5f}")


def _is_clear(hits: list[Hit]) -> bool:
    best = hits[0].score
    return best >= SURE and all(hit.score <= best - CLEAR_LEAD for hit in hits[1:])


def _placed(typed: Typed) -> Address | None:
    """Return the place the page found, when it is for the very text that was sent."""
    if typed.label != typed.text or not typed.label:
        return None
    try:
        lon, lat = float(typed.lon), float(typed.lat)
    except ValueError:
        return None
    known = math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90
    return Address(typed.label, lon, lat) if known else None


def as_typed(value: Any) -> Typed:
    """Return what a form sent, an address already known, or a text, as what was typed."""
    if isinstance(value, Typed):
        return value
    if isinstance(value, Address):
        return Typed(value.label, str(value.lon), str(value.lat), value.label)
    return Typed(str(value or ""))
