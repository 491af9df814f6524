"""Where the accidents of a service gather, as a table one reads: ranked by what passes there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.finding import map_url
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_settings import Spots
from beffroi.sense.mobility.exposure import BlackSpot, black_spots

MOST_SPOTS = 40


@dataclass(frozen=True, slots=True)
class SpotLine:
    """One spot of the table, each cell as it is read."""

    rank: int
    street: str
    map_url: str
    accidents: str
    victims: str
    passing: str
    rate: str
    interval: str


@dataclass(frozen=True, slots=True)
class SpotTable:
    """The spots of a town; `said` is the table in one sentence, `method` how it was made, `source` who counted."""

    said: str
    method: str
    lines: tuple[SpotLine, ...]
    more: int
    source: str


def spot_table(viewer: Viewer, territory: str, wanted: Spots | None) -> SpotTable | None:
    """Return the black spots that a use case asks for, None when it asks for none or they are not known."""
    if wanted is None:
        return None
    try:
        found = black_spots(viewer, territory, wanted)
    except BeffroiError:
        # Too many to read for a page: the map and the list stand without the table.
        return None
    if found is None:
        return None
    ranked = [_line(rank, one) for rank, one in enumerate(found.spots[:MOST_SPOTS], start=1)]
    period = (
        str(found.first)
        if found.first == found.last
        else _("{first} à {last}").format(first=found.first, last=found.last)
    )
    said = ngettext(
        "{n} point noir sur {accidents} accidents ({period}).",
        "{n} points noirs sur {accidents} accidents ({period}).",
        len(found.spots),
    ).format(n=number(len(found.spots)), accidents=number(found.accidents), period=period)
    method = _(
        "Un point noir : au moins {least} accidents dans un cercle de {within} m autour de l’un d’eux. Le rang vient "
        "du bas de l’intervalle, le taux que les chiffres permettent d’affirmer : peu d’accidents disent peu. Là où "
        "personne n’a compté le trafic, aucun taux n’est donné."
    ).format(least=wanted.least, within=number(wanted.within_m))
    source = found.counted.producer if found.counted else ""
    return SpotTable(said, method, tuple(ranked), max(0, len(found.spots) - MOST_SPOTS), source)


def _line(rank: int, one: BlackSpot) -> SpotLine:
    rate, interval = _("inconnu"), ""
    if one.rate is not None:
        rate = number(round(one.rate.value, 2))
        interval = _("de {low} à {high}").format(
            low=number(round(one.rate.low, 2)), high=number(round(one.rate.high, 2))
        )
    return SpotLine(
        rank,
        one.street or _("Sans nom"),
        map_url(one.lon, one.lat, layer="accidents"),
        number(one.accidents),
        _victims(one),
        number(round(one.per_day, -1)) if one.per_day else _("non compté"),
        rate,
        interval,
    )


def _victims(one: BlackSpot) -> str:
    if one.killed is None or one.badly_hurt is None:
        return _("non publiées")
    killed = ngettext("{n} tué", "{n} tués", one.killed).format(n=number(one.killed)) if one.killed else ""
    hurt = ngettext("{n} hospitalisé", "{n} hospitalisés", one.badly_hurt).format(n=number(one.badly_hurt))
    return ", ".join(part for part in (killed, hurt if one.badly_hurt else "") if part) or _("aucune")
