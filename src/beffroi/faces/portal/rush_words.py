"""What the pages of hours say: sentences first, then the rows of their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from beffroi.faces.portal.itinerary import distance, duration
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.mobility.hours import queries
from beffroi.sense.mobility.hours.queries import Day, Measure, Peak, Place, Shifted, Site, SitePlace, Way
from beffroi.sense.mobility.hours.settings import HoursSettings

DAYS = {
    Day.WEEKDAY: gettext_lazy("Un jour ouvré"),
    Day.SATURDAY: gettext_lazy("Un samedi"),
    Day.SUNDAY: gettext_lazy("Un dimanche ou un jour férié"),
}
NO_WORD = "–"


def told_place(place: Place, day: Day, settings: HoursSettings) -> dict[str, Any]:
    """Return what is said of a place on a kind of day."""
    told: dict[str, Any] = {"place": place, "day": str(DAYS[day]), "source": place.source,
                            "flow": place.measure == Measure.VEHICLES}  # fmt: skip
    if day not in place.days:
        return told | {"sentences": [], "rows": []}
    hourly = place.days[day]
    found = queries.peaks(hourly.values, first=settings.first, last=settings.last)
    sentences = [_peak_sentence(place, day, peak, first=not rank) for rank, peak in enumerate(found)]
    for peak in found:
        sentences += _better_sentences(place, peak, hourly.values)
    return told | {
        "sentences": sentences or [_("{place} : rien n’y fut compté ce genre de jour.").format(place=place.name)],
        "rows": _rows(place, hourly.values, found, settings),
        "estimated": place.capacity is not None and place.measure == Measure.VEHICLES,
        "capacity": None if place.capacity is None else figure(place.capacity),
        "period": period(hourly.first, hourly.last),
        "days": hourly.days,
    }


def _peak_sentence(place: Place, day: Day, peak: Peak, *, first: bool) -> str:
    said = {
        (Measure.VEHICLES, True): _("{day}, {place} est le plus chargé {hours} : {value}."),
        (Measure.VEHICLES, False): _("Presque autant {hours} : {value}."),
        (Measure.FILLING, True): _("{day}, {place} est le plus rempli {hours} : {value}."),
        (Measure.FILLING, False): _("Presque autant {hours} : {value}."),
    }[place.measure, first]
    value = measured(place.measure, peak.value)
    value = value if peak.end - peak.start == 1 else _("jusqu’à {value}").format(value=value)
    return said.format(day=DAYS[day], place=place.name, hours=span(peak.start, peak.end), value=value)


def _better_sentences(place: Place, peak: Peak, values: Sequence[float | None]) -> list[str]:
    said = []
    for hour, words in ((peak.before, _("Mieux avant")), (peak.after, _("Mieux après"))):
        value = None if hour is None else values[hour]
        if hour is not None and value is not None:
            less = _("{less} % de moins").format(less=round(100 * (1 - value / peak.value)))
            told = measured(place.measure, value)
            said.append(_("{words} : {hours}, {value} ({less}).").format(
                words=words, hours=span(hour, hour + 1), value=told, less=less))  # fmt: skip
    return said or [_("Aucune des heures voisines n’est nettement plus calme.")]


def _rows(
    place: Place, values: Sequence[float | None], found: Sequence[Peak], settings: HoursSettings
) -> list[dict[str, Any]]:
    shown = range(settings.first, settings.last)
    top = 1.0 if place.measure == Measure.FILLING else max((values[hour] or 0 for hour in shown), default=0) or 1.0
    return [
        {
            "hour": label(hour),
            "value": NO_WORD if (value := values[hour]) is None else _short(place.measure, value),
            "bar": round(100 * (value or 0) / top),
            "estimate": _estimate(place, value),
            "note": _note(hour, found),
            "busy": any(peak.start <= hour < peak.end for peak in found),
        }
        for hour in shown
    ]


def _short(measure: Measure, value: float) -> str:
    """Return a figure whose unit the head of its column tells."""
    return figure(value) if measure == Measure.VEHICLES else _("{share} %").format(share=round(100 * value))


def _note(hour: int, found: Sequence[Peak]) -> str:
    if any(peak.start <= hour < peak.end for peak in found):
        return _("pointe")
    return _("mieux") if any(hour in (peak.before, peak.after) for peak in found) else ""


def _estimate(place: Place, value: float | None) -> str:
    """Return how much longer the street takes, in words; beyond its capacity the formula is not sure."""
    if place.capacity is None or place.measure != Measure.VEHICLES or value is None:
        return NO_WORD
    if value > place.capacity:
        return _("au-delà de la capacité")
    more = round(100 * (queries.slowed(value, place.capacity) - 1))
    return _("+ {more} %").format(more=more) if more else _("aucun")


def glance_rows(known: Sequence[Place], settings: HoursSettings) -> list[dict[str, Any]]:
    """Return the peak of each place on a weekday, in the order of places."""
    rows = []
    for place in known:
        hourly = place.days.get(Day.WEEKDAY)
        found = queries.peaks(hourly.values, first=settings.first, last=settings.last) if hourly else ()
        if found:
            peak = max(found, key=lambda one: one.value)
            rows.append(
                {"place": place, "hours": span(peak.start, peak.end), "value": measured(place.measure, peak.value)}
            )
    return rows


def told_way(found: Way, day: Day, settings: HoursSettings) -> dict[str, Any]:
    """Return what is said of a trip through the hours of a kind of day."""
    sentences = []
    peaks = queries.peaks(found.load, first=settings.first, last=settings.last) if found.load else ()
    if found.car_s is not None and found.length_m is not None:
        sentences.append(_("En voiture, {time} sans circulation ({length}).").format(
            time=duration(found.car_s), length=distance(found.length_m)))  # fmt: skip
        sentences.append(_axes_sentence(found, day, peaks))
    taken = {one.hour: one.seconds for one in found.trips if one.seconds is not None}
    if taken:
        short, long = (pick(taken, key=lambda hour: taken[hour]) for pick in (min, max))
        said = _("En transport, de {short} ({at_short}) à {long} ({at_long}).")
        values = {"short": duration(taken[short]), "at_short": label(short), "long": duration(taken[long])}
        sentences.append(said.format(**values, at_long=label(long)))
    elif found.trips:
        sentences.append(_("Aucun transport ne relie ces deux lieux ce jour-là."))
    rows = [
        {
            "hour": label(hour),
            "bar": round(100 * (load or 0)),
            "load": NO_WORD if load is None else _("{share} %").format(share=round(100 * load)),
            "transit": duration(taken[hour]) if hour in taken else NO_WORD,
            "note": _note(hour, peaks),
            "busy": any(peak.start <= hour < peak.end for peak in peaks),
        }
        for hour in range(settings.first, settings.last)
        for load in (found.load[hour] if found.load else None,)
    ]  # fmt: skip
    sources = {one.source.title: (one.source, period(one.days[day].first, one.days[day].last)) for one in found.axes}
    return {
        "day": str(DAYS[day]), "day_key": day.value, "sentences": sentences, "rows": rows, "axes": found.axes,
        "on": date_format(found.on, "l j F Y"), "trips": bool(taken), "sources": list(sources.values()),
    }  # fmt: skip


def _axes_sentence(found: Way, day: Day, peaks: Sequence[Peak]) -> str:
    if not found.axes:
        return _("Aucune rue de ce chemin n’est comptée par heure : on ne sait pas quand il se charge.")
    names = ", ".join(dict.fromkeys(one.name for one in found.axes))
    passing = ngettext("Il passe par {n} rue comptée : {names}.", "Il passe par {n} rues comptées : {names}.",
                       len(found.axes)).format(n=len(found.axes), names=names)  # fmt: skip
    busy = _(" et ").join(span(peak.start, peak.end) for peak in peaks)
    return (
        _("{passing} {day}, le plus chargé {busy}.").format(passing=passing, day=DAYS[day], busy=busy)
        if busy
        else passing
    )


def told_site(found: Site, *, start_min: int, end_min: int, settings: HoursSettings) -> dict[str, Any]:
    """Return what the sheet of an employer says: the peak of each axis, and two tables of other hours."""
    tables = [
        _table(found.axes, [one.coming for one in found.axes], found.coming, arriving=True),
        _table(found.axes, [one.leaving for one in found.axes], found.leaving, arriving=False),
    ]
    first = next(iter(found.axes), None)
    return {
        "axes": [_axis(one, settings) for one in found.axes],
        "tables": tables,
        "start": clock(start_min),
        "end": clock(end_min),
        "passes": found.passes,
        "on": date_format(found.passes.on, "l j F Y") if found.passes else "",
        "stops": ", ".join(found.passes.stops) if found.passes else "",
        "source": first and first.place.source,
        "period": period(first.place.days[Day.WEEKDAY].first, first.place.days[Day.WEEKDAY].last) if first else "",
        "days": first.place.days[Day.WEEKDAY].days if first else None,
    }  # fmt: skip


def _axis(one: SitePlace, settings: HoursSettings) -> dict[str, str]:
    peak = max(queries.peaks(one.place.days[Day.WEEKDAY].values, first=settings.first, last=settings.last),
               key=lambda peak: peak.value, default=None)  # fmt: skip
    return {
        "name": one.place.name,
        "distance": distance(one.distance_m),
        "hours": span(peak.start, peak.end) if peak else NO_WORD,
        "value": measured(one.place.measure, peak.value) if peak else NO_WORD,
    }


def _table(
    axes: Sequence[SitePlace], shifts: Sequence[Sequence[Shifted]], passes: Sequence[int | None], *, arriving: bool
) -> dict[str, Any]:
    whole = queries.together(shifts) if shifts else ()
    best = queries.best_shift(whole)
    sentence = ""
    if best is not None and best.change is not None:
        said = _("Commencer à {at} : {less} % de véhicules en moins autour du site.") if arriving else _(
            "Finir à {at} : {less} % de véhicules en moins autour du site.")  # fmt: skip
        sentence = said.format(at=clock(best.start_min), less=round(-100 * best.change)) + _at_once(whole, best)
    elif whole:
        sentence = _("Décaler d’une heure et demie au plus n’allège guère ces rues.")
    rows = [
        {
            "at": clock(one.start_min),
            "shift": _shift(one.shift_min),
            "cells": [_cell(axis[rank]) for axis in shifts],
            "whole": _cell(one),
            "passes": NO_WORD if passes[rank] is None else passes[rank],
            "usual": one.shift_min == 0,
            "best": best is not None and one.shift_min == best.shift_min,
        }
        for rank, one in enumerate(whole)
    ]
    return {"arriving": arriving, "sentence": sentence, "rows": rows, "names": [one.place.name for one in axes]}


def _at_once(whole: Sequence[Shifted], best: Shifted) -> str:
    """Return what half an hour already brings, when the best asks for more and it brings a twentieth."""
    half = [one for one in whole if abs(one.shift_min) == 30 and one.change is not None and one.change <= -0.05]
    if abs(best.shift_min) == 30 or not half:
        return ""
    first = min(half, key=lambda one: one.change or 0.0)
    less = round(-100 * (first.change or 0.0))
    return " " + _("Dès {at} ({shift}) : {less} % de moins.").format(
        at=clock(first.start_min), shift=_shift(first.shift_min), less=less)  # fmt: skip


def _cell(one: Shifted) -> dict[str, str]:
    change = "" if one.change is None or one.shift_min == 0 else signed_percent(one.change)
    return {"value": NO_WORD if one.volume is None else figure(one.volume), "change": change}


def _shift(minutes: int) -> str:
    if not minutes:
        return _("aujourd’hui")
    said = _("{minutes} min plus tôt") if minutes < 0 else _("{minutes} min plus tard")
    return said.format(minutes=abs(minutes))


def signed_percent(share: float) -> str:
    """Return a difference in whole hundredths with its sign: « − 12 % »."""
    whole = round(100 * share)
    return _("{sign} {share} %").format(sign="−" if whole < 0 else "+", share=abs(whole)) if whole else "="


def measured(measure: Measure, value: float) -> str:
    """Return a figure with its unit."""
    if measure == Measure.FILLING:
        return _("{share} % des places prises").format(share=round(100 * value))
    return _("{vehicles} véhicules par heure").format(vehicles=figure(value))


def figure(value: float) -> str:
    """Return a count, by ten from a hundred on: nothing is counted finer."""
    return str(number(int(round(value, -1 if value >= 100 else 0))))


def label(hour: int) -> str:
    """Return an hour as one reads it in a column."""
    return kept_together(_("{start} h – {end} h").format(start=hour, end=hour + 1))


def span(start: int, end: int) -> str:
    """Return a run of hours as a sentence says it."""
    return _("{start} à {end}").format(start=kept_together(_("de {hour} h").format(hour=start)),
                                       end=kept_together(_("{hour} h").format(hour=end)))  # fmt: skip


def clock(minutes: int) -> str:
    """Return a minute of the day as a clock tells it."""
    minutes %= 1440
    return kept_together(_("{hour} h {minute:02d}").format(hour=minutes // 60, minute=minutes % 60))


def kept_together(text: str) -> str:
    """Return a text that no line breaks."""
    return text.replace(" ", "\u00a0")


def period(first: date | None, last: date | None) -> str:
    """Return the days something was counted on, empty when nobody says."""
    if first is None or last is None:
        return ""
    return _("du {first} au {last}").format(first=date_format(first, "j F Y"), last=date_format(last, "j F Y"))
