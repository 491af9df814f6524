"""Departures, lines and incidents in words and colours a page can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.shell.colours import contrast
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility.transit.departures import Departure, Group, Source
from beffroi.sense.mobility.transit.live import Live, Status
from beffroi.sense.mobility.transit.messages import Alert
from beffroi.sense.mobility.transit.queries import Board, Line
from beffroi.sense.mobility.transit.realtime import State

SOON_MIN = 60
PLAIN = "#4a5568"
INK, PAPER = "#000000", "#ffffff"
LEAST = 4.5

# Source: GTFS Schedule Reference, route_type, and its extended types by hundreds.
KINDS = {
    0: gettext_noop("Tram"),
    1: gettext_noop("Métro"),
    2: gettext_noop("Train"),
    3: gettext_noop("Bus"),
    4: gettext_noop("Bateau"),
    5: gettext_noop("Tram à câble"),
    6: gettext_noop("Téléphérique"),
    7: gettext_noop("Funiculaire"),
    11: gettext_noop("Trolleybus"),
    12: gettext_noop("Monorail"),
}
_EXTENDED = {1: 2, 2: 3, 4: 1, 7: 3, 8: 11, 9: 0, 10: 4, 12: 4, 13: 6, 14: 7}

CAUSES = {
    "technical_problem": gettext_noop("problème technique"),
    "strike": gettext_noop("grève"),
    "demonstration": gettext_noop("manifestation"),
    "accident": gettext_noop("accident"),
    "holiday": gettext_noop("jour férié"),
    "weather": gettext_noop("intempéries"),
    "maintenance": gettext_noop("entretien"),
    "construction": gettext_noop("travaux"),
    "police_activity": gettext_noop("intervention de police"),
    "medical_emergency": gettext_noop("urgence médicale"),
}
EFFECTS = {
    "no_service": gettext_noop("Service interrompu"),
    "reduced_service": gettext_noop("Service réduit"),
    "significant_delays": gettext_noop("Retards importants"),
    "detour": gettext_noop("Déviation"),
    "additional_service": gettext_noop("Service renforcé"),
    "modified_service": gettext_noop("Service modifié"),
    "stop_moved": gettext_noop("Arrêt déplacé"),
    "accessibility_issue": gettext_noop("Problème d’accessibilité"),
}
GRAVE = {"no_service", "significant_delays", "accessibility_issue", "detour", "stop_moved"}
STOP_ACCESS = {
    0: gettext_noop("Accès en fauteuil : le réseau ne le dit pas."),
    1: gettext_noop("Arrêt accessible en fauteuil."),
    2: gettext_noop("Arrêt non accessible en fauteuil."),
}
VEHICLE_ACCESS = {0: gettext_noop("non dit"), 1: gettext_noop("oui"), 2: gettext_noop("non")}


def kind_of(line: Line) -> str:
    """Return what sort of vehicle a line has, in the reader's language."""
    return _(KINDS.get(base_kind(line.kind), KINDS[3]))


def base_kind(code: int) -> int:
    """Return the plain route type of a code, extended ones included.

    >>> base_kind(900), base_kind(704), base_kind(3)
    (0, 3, 3)
    """
    return code if code in KINDS else _EXTENDED.get(code // 100, 3)


@dataclass(frozen=True, slots=True)
class Badge:
    """The name of a line on its colour, readable: the text is black or white where the network's own is not."""

    name: str
    said: str
    colour: str
    text: str
    width: int


def badge(line: Line) -> Badge:
    """Return the badge of a line."""
    colour = line.colour or PLAIN
    text = line.text_colour or PAPER
    if contrast(colour, text) < LEAST:
        text = max((INK, PAPER), key=lambda one: contrast(colour, one))
    spoken = _("{kind} {name}").format(kind=kind_of(line), name=line.name)
    return Badge(line.name, spoken, colour, text, max(30, 14 + 10 * len(line.name)))


def badges(lines: Iterable[Line]) -> list[Badge]:
    """Return the badges of lines, each name once."""
    return list({(one.name, one.colour): badge(one) for one in lines}.values())


@dataclass(frozen=True, slots=True)
class ToldDeparture:
    """One departure: its time, how long to wait, what is said of it (`kind` is that of a badge), access on board."""

    at: datetime
    time: str
    wait: str
    towards: str
    state: str
    kind: str
    planned: str
    access: str
    platform: str


@dataclass(frozen=True, slots=True)
class ToldGroup:
    """The departures of a line in a direction; `later` is said when there is none left today."""

    badge: Badge
    url: tuple[str, str]
    towards: str
    departures: tuple[ToldDeparture, ...]
    later: str


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return the time of a departure as clocks show it."""
    return date_format(at.astimezone(zone), "H:i")


def told_groups(board: Board) -> list[ToldGroup]:
    """Return the departures of a stop, line by line and direction by direction."""
    return [_group(board, one) for one in board.groups]


def _group(board: Board, group: Group) -> ToldGroup:
    line = board.line(group.route)
    main = group.towards[0] if group.towards else ""
    return ToldGroup(
        badge=badge(line),
        url=(line.feed, line.id),
        towards=main,
        departures=tuple(told_departure(board, one, main) for one in group.departures),
        later="" if group.departures else _later(group.first_after, board.at, board.timetable.zone),
    )


def _later(first: Departure | None, at: datetime, zone: ZoneInfo) -> str:
    if first is None:
        return _("Aucun passage dans les quinze jours.")
    days = (first.at.astimezone(zone).date() - at.astimezone(zone).date()).days
    time = clock(first.at, zone)
    if days == 0:
        return _("Plus de passage cette nuit ; premier à {time}.").format(time=time)
    if days == 1:
        return _("Plus de passage aujourd’hui ; premier demain à {time}.").format(time=time)
    day = date_format(first.at.astimezone(zone), "l j F")
    return _("Plus de passage aujourd’hui ; premier {day} à {time}.").format(day=day, time=time)


def told_departure(board: Board, one: Departure, main: str = "") -> ToldDeparture:
    """Return a departure in words; `main` is the destination its list is about already."""
    zone = board.timetable.zone
    state, kind = _state(one)
    time = clock(one.at, zone)
    platform = board.timetable.stops.platforms[one.stop]
    return ToldDeparture(
        at=one.at,
        time=_("vers {time}").format(time=time) if one.about else time,
        wait=_wait(one, board.at),
        towards="" if one.destination == main else one.destination,
        state=state,
        kind=kind,
        planned=clock(one.planned_at, zone) if one.planned_at and one.delay_s and abs(one.delay_s) >= 60 else "",
        access=_(VEHICLE_ACCESS.get(one.wheelchair, VEHICLE_ACCESS[0])),
        platform=platform if len(board.platforms) > 1 else "",
    )


def _wait(one: Departure, at: datetime) -> str:
    minutes = int((one.at - at).total_seconds() // 60)
    if one.state is not State.RUNS or minutes >= SOON_MIN:
        return ""
    return _("dans {n} min").format(n=minutes) if minutes else _("à l’approche")


def _state(one: Departure) -> tuple[str, str]:
    if one.state is State.CANCELLED:
        return _("Supprimé"), "bad"
    if one.state is State.SKIPS:
        return _("Ne s’arrête pas ici"), "bad"
    if one.source is Source.ADDED:
        return _("Passage ajouté"), "good"
    asked = {2: _("à réserver par téléphone"), 3: _("à demander au conducteur")}.get(one.on_request, "")
    if one.delay_s is None:
        return asked or _("Horaire prévu"), ""
    minutes = round(abs(one.delay_s) / 60)
    if minutes == 0:
        return _("À l’heure"), "good"
    if one.delay_s > 0:
        return ngettext("Retard de {n} min", "Retard de {n} min", minutes).format(n=minutes), "warn"
    return ngettext("En avance de {n} min", "En avance de {n} min", minutes).format(n=minutes), "warn"


@dataclass(frozen=True, slots=True)
class ToldLive:
    """What is said of the source of times: `kind` is that of a notice."""

    kind: str
    title: str
    text: str


def told_live(live: Live, zone: ZoneInfo) -> ToldLive:
    """Return whether times are those of the moment or those planned, and since when."""
    why = f" ({said(live.problem)})" if live.problem is not None else ""
    if live.status is Status.FRESH and live.told_at is not None:
        text = _("Retards et suppressions dits par le réseau à {time}.").format(time=clock(live.told_at, zone))
        return ToldLive("success", _("Temps réel"), text)
    if live.status is Status.STALE and live.told_at is not None:
        moment = date_format(live.told_at.astimezone(zone), _("j F à H:i"))
        text = _("Sans nouvelles du réseau depuis le {moment}{why}.").format(moment=moment, why=why)
        return ToldLive("warning", _("Temps réel interrompu : horaires prévus"), text)
    if live.status is Status.WAITING:
        text = _("Le réseau n’a pas encore répondu{why}.").format(why=why)
        return ToldLive("warning", _("Horaires prévus"), text)
    return ToldLive("info", _("Horaires prévus"), _("Ce réseau ne dit pas ici ses retards."))


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """An incident in words: when it holds, what it does, why."""

    title: str
    paragraphs: tuple[str, ...]
    effect: str
    cause: str
    dates: str
    url: str
    kind: str
    now: bool


def told_alerts(alerts: Iterable[Alert], at: datetime, zone: ZoneInfo) -> list[ToldAlert]:
    """Return incidents in words."""
    return [told_alert(one, at, zone) for one in alerts]


def told_alert(alert: Alert, at: datetime, zone: ZoneInfo) -> ToldAlert:
    """Return an incident in words."""
    effect, cause = EFFECTS.get(alert.effect, ""), CAUSES.get(alert.cause, "")
    text = strip_tags(alert.text)
    grave = alert.severity == "severe" or alert.effect in GRAVE
    return ToldAlert(
        title=strip_tags(alert.title) or _(effect) or _("Information du réseau"),
        paragraphs=tuple(line.strip() for line in text.splitlines() if line.strip()),
        effect=_(effect) if effect else "",
        cause=_(cause) if cause else "",
        dates=_dates(alert, at, zone),
        url=alert.url,
        kind="warning" if grave and alert.holds(at) else "info",
        now=alert.holds(at),
    )


def _dates(alert: Alert, at: datetime, zone: ZoneInfo) -> str:
    """Return the period in force, else the next one."""
    to_come = [
        (start, end) for start, end in sorted(alert.periods, key=lambda one: one[0] or at) if end is None or end > at
    ]
    if not to_come:
        return ""
    start, end = to_come[0]
    since = date_format(start.astimezone(zone), _("j F Y, H:i")) if start else ""
    until = date_format(end.astimezone(zone), _("j F Y, H:i")) if end else ""
    if since and until:
        return _("Du {since} au {until}").format(since=since, until=until)
    if since:
        return (
            _("Depuis le {since}").format(since=since)
            if start and start <= at
            else _("À partir du {since}").format(since=since)
        )
    return _("Jusqu’au {until}").format(until=until) if until else ""
