"""What the page of flows says: the shares of an hour, then what was counted, estimated, seen, or is out of order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Any

import shapely
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.rush_words import figure, kept_together, period, span
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.mobility.flows.queries import (
    Day,
    Flow,
    Missing,
    Mode,
    Nature,
    Place,
    Share,
    Town,
    share_at,
    together,
)

MODES = {
    Mode.WALK: gettext_noop("Piétons"),
    Mode.BIKE: gettext_noop("Vélos"),
    Mode.SCOOTER: gettext_noop("Trottinettes"),
    Mode.MOTORBIKE: gettext_noop("Deux-roues à moteur"),
    Mode.CAR: gettext_noop("Voitures et fourgonnettes"),
    Mode.LORRY: gettext_noop("Poids lourds"),
    Mode.BUS: gettext_noop("Autobus et cars"),
    Mode.MOTOR: gettext_noop("Véhicules à moteur, tous ensemble"),
    Mode.MIXED: gettext_noop("Plusieurs modes comptés ensemble"),
}
NATURES = {
    Nature.MEASURED: gettext_noop("mesuré"),
    Nature.ESTIMATED: gettext_noop("estimé"),
    Nature.SAMPLE: gettext_noop("vu par un échantillon"),
}
_WHY = {
    Missing.ALONE: gettext_lazy("un seul mode compté"),
    Missing.UNCOUNTED: gettext_lazy("un des modes n’a pas été compté à cette heure"),
    Missing.MIXED: gettext_lazy("plusieurs modes comptés ensemble"),
}
MOST_LISTED = 30
UNKNOWN = "inconnu"
_USUAL, _LEAST, _MOST = 600.0, 0.3, 2.2
"""The passages of a disc of the usual size on the map; the least and the most a disc is of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A mode at a place at the hour asked: `value` None when nobody knows, `said` how it is known."""

    place: Place
    flow: Flow
    value: float | None
    mode: str
    figure: str
    said: str
    bounds: tuple[float, float] | None

    @property
    def where(self) -> tuple[float, float]:
        """Return a point of the place, longitude then latitude."""
        middle = self.place.shape.representative_point()
        return middle.x, middle.y


def lines_of(town: Town, day: Day, hour: int, mode: Mode | None) -> list[Line]:
    """Return every mode at every place at an hour, in the order of the places; one mode alone when it is asked."""
    return [
        _line(place, flow, day, hour)
        for place in town.places for flow in place.flows
        if mode in (None, flow.mode)
    ]  # fmt: skip


def _line(place: Place, flow: Flow, day: Day, hour: int) -> Line:
    value = flow.at(day, hour)
    return Line(place, flow, value, _(MODES[flow.mode]), _("inconnu") if value is None else figure(value),
                _said(flow, value, day, hour), flow.between(day, hour))  # fmt: skip


def _said(flow: Flow, value: float | None, day: Day, hour: int) -> str:
    if value is None:
        return _unknown(flow)
    if flow.nature == Nature.MEASURED:
        days = (flow.used or {}).get(day)
        many = ngettext("mesuré, moyenne de {n} jour", "mesuré, moyenne de {n} jours", days or 0).format(n=days)
        return many if days else _("mesuré")
    if flow.nature == Nature.SAMPLE:
        return _("trajets d’un échantillon, pas un comptage")
    between = flow.between(day, hour)
    if between is None:
        return _("estimé")
    return _("estimé, de {low} à {high}").format(low=figure(between[0]), high=figure(between[1]))


def _unknown(flow: Flow) -> str:
    if flow.nature == Nature.ESTIMATED:
        return _("trop peu de compteurs pour l’estimer")
    if flow.nature == Nature.SAMPLE:
        return _("moins de trajets que le seuil")
    return _("compteur en panne") if flow.failed else _("pas compté à cette heure")


def told_hour(town: Town, day: Day, hour: int, mode: Mode | None) -> dict[str, Any]:
    """Return what the page says of an hour of a kind of day."""
    lines = lines_of(town, day, hour, mode)
    by_nature = {nature: [one for one in lines if one.flow.nature == nature] for nature in Nature}
    estimated, sample = (_busiest(by_nature[nature]) for nature in (Nature.ESTIMATED, Nature.SAMPLE))
    return {
        "hour": span(hour, hour + 1),
        "shares": _shares(town, day, hour),
        "measured": _by_place(by_nature[Nature.MEASURED]),
        "estimated": estimated[:MOST_LISTED],
        "more_estimated": max(0, len(estimated) - MOST_LISTED),
        "unknown": sum(one.value is None for one in by_nature[Nature.ESTIMATED]),
        "sample": sample[:MOST_LISTED],
        "more_sample": max(0, len(sample) - MOST_LISTED),
        "failed": failures(town),
    }


def _by_place(lines: Sequence[Line]) -> dict[str, Any]:
    """Return what was measured as a table: a line a place, a column a mode; a dash where a mode is not counted."""
    modes = [mode for mode in Mode if any(one.flow.mode == mode for one in lines)]
    rows: dict[str, dict[Mode, Line]] = {}
    for one in lines:
        rows.setdefault(one.place.key, {})[one.flow.mode] = one
    told = [(next(iter(found.values())), [_cell(found.get(mode)) for mode in modes]) for found in rows.values()]
    return {"heads": [_(MODES[mode]) for mode in modes], "rows": told}


def _cell(line: Line | None) -> str:
    if line is None:
        return "–"
    return line.said if line.value is None else line.figure


def _busiest(lines: Iterable[Line]) -> list[Line]:
    """Return the busiest part of each street by mode, the busiest street first; what nobody knows is left out."""
    found: dict[tuple[str, Mode, str], Line] = {}
    for one in lines:
        # Two streets without a name are not one street.
        key = (one.place.name, one.flow.mode, "" if one.place.name else one.place.key)
        if one.value is not None and (key not in found or one.value > (found[key].value or 0.0)):
            found[key] = one
    return sorted(found.values(), key=lambda one: (-(one.value or 0.0), one.place.name))


def _shares(town: Town, day: Day, hour: int) -> dict[str, Any]:
    """Return the modal shares: of all the places that count the three families, then of each that counts some."""
    found = [(place, share_at(place, day, hour)) for place in town.places
             if place.is_counted and len(place.flows) > 1]  # fmt: skip
    modes = [mode for mode in Mode if any(mode in share.passages for _place, share in found)]
    whole, count = together(share for _place, share in found)
    return {
        "heads": [_(MODES[mode]) for mode in modes],
        "rows": [(place.name, _cells(share, modes), figure(share.total) if not share.missing else "",
                  _WHY[share.missing] if share.missing else "") for place, share in found],
        "whole": _cells(whole, modes) if count else [],
        "count": count,
        "total": figure(whole.total),
        "sentence": _sentence(whole, count) if count else "",
    }  # fmt: skip


def _cells(share: Share, modes: Iterable[Mode]) -> list[str]:
    return ["–" if (part := share.of(mode)) is None else percent(part) for mode in modes]


def percent(part: float) -> str:
    """Return a share as one reads it: under a half of a hundredth, it says so."""
    said = _("{n} %").format(n=round(100 * part)) if part == 0 or part >= 0.005 else _("moins de 1 %")
    return kept_together(said)


def _sentence(share: Share, count: int) -> str:
    ranked = sorted(share.passages, key=lambda mode: -share.passages[mode])
    parts = ", ".join(f"{_(MODES[mode]).lower()} {percent(share.of(mode) or 0.0)}" for mode in ranked)
    where = ngettext("Là où l’on compte à la fois à pied, à vélo et à moteur ({n} lieu)",
                     "Là où l’on compte à la fois à pied, à vélo et à moteur ({n} lieux)", count)  # fmt: skip
    return _("{where} : {parts}.").format(where=where.format(n=number(count)), parts=parts)


def failures(town: Town) -> list[str]:
    """Return what to say of the counters that were out of order on some of the days read."""
    return [
        _("{place}, {mode} : {days}.").format(place=place.name, mode=_(MODES[flow.mode]).lower(),
                                              days=_left_out(flow.failed))
        for place in town.places for flow in place.flows if flow.failed
    ]  # fmt: skip


def _left_out(days: Sequence[date]) -> str:
    if len(days) == 1:
        return _("le {day} n’est pas retenu").format(day=date_format(days[0], "j F Y"))
    return _("{n} jours ne sont pas retenus, {period}").format(n=len(days), period=period(days[0], days[-1]))


def errors(town: Town) -> list[str]:
    """Return how far estimates fall from what was counted, by mode: the median gap, a counter left out each time."""
    return [_("{mode} {share}").format(mode=_(MODES[mode]).lower(), share=percent(gap))
            for mode, gap in town.errors.items()]  # fmt: skip


def features(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return what the map draws: discs as large as what passes, the largest under; hollow what was not measured."""
    found = []
    for one in sorted(lines, key=lambda line: -(line.value or 0.0)):
        told = {"mode": UNKNOWN if one.value is None else one.flow.mode.value, "size": _size(one.value),
                "title": f"{one.place.name}, {one.mode.lower()} : {one.figure} ({one.said})"}  # fmt: skip
        if one.value is None or one.flow.nature != Nature.MEASURED:
            told["hollow"] = True
        if one.flow.nature == Nature.SAMPLE and one.value is None:
            continue
        shape = shapely.set_precision(one.place.shape, 1e-6, mode="pointwise")
        found.append({"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": told})
    return found


def _size(value: float | None) -> float:
    return 0.6 if value is None else round(min(_MOST, max(_LEAST, sqrt(value / _USUAL))), 2)
