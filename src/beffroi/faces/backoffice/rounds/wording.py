"""A round in words: hours, kilometres, what a change costs, why a stop is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from beffroi.sense.mobility.rounds.operations import Change
from beffroi.sense.mobility.rounds.queries import RoundSheet
from beffroi.sense.mobility.rounds.solving import LeftOut
from beffroi.sense.mobility.rounds.timing import Line, Timeline, Totals

STATES = {
    "waiting": (gettext_lazy("En attente de calcul"), "wait"),
    "computing": (gettext_lazy("Calcul en cours"), "wait"),
    "ready": (gettext_lazy("Calculée"), "good"),
    "failed": (gettext_lazy("N’a pas pu être calculée"), "bad"),
}
WRONG = {
    "barred": gettext_lazy("Trop étroit pour ce véhicule, ou sans accès"),
    "overload": gettext_lazy("Au-delà de la capacité"),
    "late": gettext_lazy("Après l’heure promise"),
    "overtime": gettext_lazy("Rentre après la fin du service"),
    "late-break": gettext_lazy("Pause trop tardive"),
}
_LEFT_OUT = {
    "width": gettext_lazy("Trop étroit pour « {vehicle} » : {street} laisse {limit} m, il en demande {own}."),
    "height": gettext_lazy("Trop bas pour « {vehicle} » : {street} laisse {limit} m, il en demande {own}."),
    "weight": gettext_lazy("Trop lourd pour {street} : {limit} t au plus, « {vehicle} » en pèse {own}."),
    "barred": gettext_lazy("{street} n’est ouverte à aucun de ces véhicules."),
    "closed": gettext_lazy("{street} est fermée ce jour-là."),
    "far": gettext_lazy("Aucune rue connue près de là."),
    "cut": gettext_lazy("Aucun chemin n’y mène pour ces véhicules : {street}."),
    "large": gettext_lazy("Il y a là {own}, et « {vehicle} » n’emporte que {limit}."),
    "dense": gettext_lazy("Sur une grande rue, il ne reste aucune heure hors des heures chargées."),
    "window": gettext_lazy("Aucun véhicule ne peut y être à l’heure promise."),
    "shift": gettext_lazy("Trop loin pour en revenir avant la fin du service."),
    "capacity": gettext_lazy("Les véhicules sont pleins : il faut un vidage ou un véhicule de plus."),
    "time": gettext_lazy("Les heures des véhicules sont prises : il faut un véhicule ou des heures de plus."),
}


def clock_time(seconds: int) -> str:
    """Return a time of day as one reads it.

    >>> clock_time(18_300)
    '5 h 05'
    >>> clock_time(90_000)
    '1 h 00'
    """
    return _("{h} h {m:02d}").format(h=seconds // 3600 % 24, m=seconds % 3600 // 60)


def length(metres: int) -> str:
    """Return a length in kilometres."""
    return _("{km} km").format(km=f"{metres / 1000:.1f}".replace(".", _(",")))


def duration(seconds: int) -> str:
    """Return a duration by the minute, its sign kept."""
    minutes = round(abs(seconds) / 60)
    sign = "−" if seconds < 0 and minutes else ""
    if minutes < 60:
        return sign + _("{m} min").format(m=minutes)
    return sign + _("{h} h {m:02d}").format(h=minutes // 60, m=minutes % 60)


def left_out_told(one: LeftOut) -> str:
    """Say why a stop is left out."""
    metric = {"width": 100, "height": 100, "weight": 1000}.get(one.code, 1)
    numbers = {name: f"{getattr(one, name) / metric:g}".replace(".", _(",")) for name in ("limit", "own")}
    street = one.street or _("une rue sans nom")
    return str(_LEFT_OUT[one.code]).format(street=street, vehicle=one.vehicle, **numbers)


def change_told(change: Change) -> str:
    """Say what a change by hand costs or spares."""
    km = ("+" if change.metres >= 0 else "−") + length(abs(change.metres))
    time = ("+" if change.work_s >= 0 else "−") + duration(abs(change.work_s))
    told = _("{km}, {time}.").format(km=km, time=time)
    if change.wrong > 0:
        told += " " + ngettext("Un engagement de plus n’est pas tenu.", "{n} engagements de plus ne sont pas tenus.",
                               change.wrong).format(n=change.wrong)  # fmt: skip
    elif change.wrong < 0:
        told += " " + _("Un engagement de plus est tenu.")
    return told


@dataclass(frozen=True, slots=True)
class Gain:
    """One line of the comparison with today's round."""

    title: str
    current: str
    now: str
    difference: str


def gains(now: Totals, current: Totals | None, *, teams: bool = False) -> list[Gain]:
    """Return the figures of a round beside those of today's; the difference is empty when there is none.

    `teams`: of people, who drive nothing.
    """
    rows: Sequence[tuple[str, str, Any]] = (
        (_("Kilomètres"), "metres", length),
        (_("Heures de trajet") if teams else _("Heures au volant"), "drive_s", duration),
        (_("Heures de travail, pauses comprises"), "work_s", duration),
        (_("Équipes sorties") if teams else _("Véhicules sortis"), "vehicles", str),
        (_("Arrêts servis"), "stops", str),
        (_("Engagements non tenus"), "wrong", str),
    )
    found = []
    for title, name, told in rows:
        value, before = getattr(now, name), getattr(current, name) if current else None
        difference = ""
        if before is not None and value != before:
            difference = ("+" if value > before else "−") + told(abs(value - before))
            if before:
                difference += _(" ({share} %)").format(
                    share=f"{100 * (value - before) / before:+.0f}".replace("-", "−")
                )
        found.append(Gain(title, told(before) if before is not None else "", told(value), difference))
    return found


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One line of a vehicle's sheet. `number` counts its stops; `index` is its place in the order, -1 when fixed."""

    kind: str
    number: int
    index: int
    title: str
    time: str
    wait: str
    drive: str
    load: str
    wrong: tuple[str, ...]


def told_lines(sheet: RoundSheet, timeline: Timeline) -> list[ToldLine]:
    """Return a vehicle's lines in words."""
    found, number = [], 0
    for line in timeline.lines:
        number += line.kind == "stop"
        found.append(
            ToldLine(
                kind=line.kind, number=number if line.kind == "stop" else 0, index=line.index,
                title=_title(sheet, timeline, line), time=clock_time(line.begin_s),
                wait=duration(line.begin_s - line.arrive_s) if line.begin_s - line.arrive_s >= 60 else "",
                drive=f"{length(line.metres)}, {duration(line.drive_s)}" if line.metres else "",
                load=f"{line.load:g}".replace(".", _(",")) if line.kind == "stop" else "",
                wrong=tuple(str(WRONG[code]) for code in line.wrong),
            )
        )  # fmt: skip
    return found


def _title(sheet: RoundSheet, timeline: Timeline, line: Line) -> str:
    vehicle, tip = sheet.plan.vehicle(timeline.vehicle), sheet.plan.tip
    return {
        "start": _("Départ : {site}").format(site=vehicle.depot.name),
        "end": (_("Fin : {site}") if vehicle.arrival else _("Retour : {site}")).format(site=vehicle.home.name),
        "tip": _("Vidage : {site}").format(site=tip.name if tip else ""),
        "break": _("Pause de {time}").format(time=duration(line.leave_s - line.begin_s)),
    }.get(line.kind) or sheet.stops[line.stop].name


def vehicle_told(timeline: Timeline) -> str:
    """Say in a line what a vehicle does."""
    stops = ngettext("{n} arrêt", "{n} arrêts", timeline.stops).format(n=timeline.stops)
    return _("{stops}, {km}, {time}, de {start} à {end}").format(
        stops=stops, km=length(timeline.metres), time=duration(timeline.work_s),
        start=clock_time(timeline.lines[0].leave_s), end=clock_time(timeline.lines[-1].leave_s),
    )  # fmt: skip
