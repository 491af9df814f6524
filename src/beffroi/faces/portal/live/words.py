"""What a sensor reads, said: how fresh it is, its level, its trend, the hours that come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.faces.shell import charts
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake.layer_colours import COLOURS
from beffroi.sense.live.queries import Attendance, Span, StreamInfo, ThingInfo, level_of
from beffroi.sense.live.settings import Level
from beffroi.sense.live.usual import Ahead

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """A series as it is said: `value` with its unit, `fresh` how old it is, its level (a word, a kind, a colour)."""

    stream: StreamInfo
    value: str
    share: str
    fresh: str
    level: str
    kind: str
    colour: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class HourSaid:
    """An hour to come, in words; `bar` is the estimate from 0 to 100, of the capacity or of the fullest hour."""

    hour: str
    usual: str
    estimate: str
    bar: int


@dataclass(frozen=True, slots=True)
class Place:
    """A facility of a use case: now, as usual, next."""

    thing: ThingInfo
    told: Told
    usual: str
    hours: tuple[HourSaid, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trend drawn, with the title that says what it is."""

    title: str
    id: str
    line: charts.Line


def fresh(at: datetime, last: datetime | None, *, silent: bool, zone: ZoneInfo) -> str:
    """Say how old a last reading is, and that its series is silent when it has missed its turns."""
    if last is None:
        return _("n’a encore rien envoyé")
    local, today = last.astimezone(zone), at.astimezone(zone).date()
    if silent:
        if local.date() == today:
            return _("muet depuis {hour}").format(hour=date_format(local, "H:i"))
        if local.date() == today - timedelta(days=1):
            return _("muet depuis hier")
        return _("muet depuis le {day}").format(day=date_format(local, "j F Y"))
    minutes = max(0, (at - last) // timedelta(minutes=1))
    if minutes < 1:
        return _("à l’instant")
    if minutes < 60:
        return ngettext("il y a {n} minute", "il y a {n} minutes", minutes).format(n=minutes)
    hours = minutes // 60
    if hours < 24:
        return ngettext("il y a {n} heure", "il y a {n} heures", hours).format(n=hours)
    return ngettext("il y a {n} jour", "il y a {n} jours", hours // 24).format(n=hours // 24)


def with_unit(value: float | None, unit: str) -> str:
    """Say a figure with its unit; a whole one without decimals.

    >>> with_unit(42.0, "°C")
    '42 °C'
    """
    if value is None:
        return "–"
    rounded = round(value) if abs(value) >= 100 or float(value).is_integer() else round(value, 1)
    return f"{number(rounded)} {unit}".strip()


def told(stream: StreamInfo, at: datetime, zone: ZoneInfo, *, active: bool = True) -> Told:
    """Say a series as it is now."""
    level = _level(stream)
    is_now = active and not stream.silent and stream.last_at is not None
    share = ""
    if stream.share is not None and not stream.last_marked:
        full = with_unit(stream.capacity, stream.unit)
        share = _("{n} % de {most}").format(n=number(round(stream.share)), most=full)
    said = fresh(at, stream.last_at, silent=stream.silent, zone=zone) if active else _("suspendu par la commune")
    if stream.last_marked:
        said = _("{fresh}, hors de sa plage : à vérifier").format(fresh=said)
    return Told(
        stream, with_unit(stream.last_result, stream.unit), share, said,
        _(level.label) if level and is_now else "", _kind(stream, level) if is_now else "",
        COLOURS[level.colour] if level and is_now else "", is_now,
    )  # fmt: skip


def _level(stream: StreamInfo) -> Level | None:
    """Return the level of the last result itself: that of the rule waits until it has lasted, and so would mislead."""
    if stream.rule is None or stream.last_result is None or stream.last_marked:
        return None
    return stream.rule.level_named(level_of(stream, stream.last_result))


def _kind(stream: StreamInfo, level: Level | None) -> str:
    if level is None or stream.rule is None:
        return ""
    return "bad" if level.alert else "good" if level == stream.rule.level[0] else "warn"


def place(one: Attendance, at: datetime, zone: ZoneInfo) -> Place:
    """Say a facility: now, its usual, the hours of today that come."""
    unit = one.stream.unit
    usual = ""
    if one.usual is not None:
        usual = ngettext(
            "D’habitude à cette heure : {value} (médiane d’{n} semaine)",
            "D’habitude à cette heure : {value} (médiane de {n} semaines)",
            one.usual.weeks,
        ).format(value=with_unit(round(one.usual.value), unit), n=one.usual.weeks)
    full = one.stream.capacity or max((hour.estimate or 0 for hour in one.ahead), default=0)
    hours = tuple(_hour(hour, full, unit, zone) for hour in one.ahead)
    return Place(one.thing, told(one.stream, at, zone, active=one.thing.active), usual, hours)


def _hour(one: Ahead, full: float, unit: str, zone: ZoneInfo) -> HourSaid:
    usual = _("inconnu") if one.usual is None else with_unit(round(one.usual.value), unit)
    estimate = _("inconnu") if one.estimate is None else _("environ {n}").format(n=number(round(one.estimate)))
    bar = round(min(100.0, 100 * (one.estimate or 0) / full)) if full else 0
    return HourSaid(date_format(one.start.astimezone(zone), "H:i"), usual, estimate, bar)


def drawn(stream: StreamInfo, hours: Sequence[Span], at: datetime, zone: ZoneInfo) -> list[Drawn]:
    """Return the last day and the last week of a series, drawn by the mean of each hour."""
    found = []
    for title, back, form in (
        (_("Les dernières 24 heures"), DAY, "H:i"),
        (_("Les sept derniers jours"), WEEK, "l H:i"),
    ):
        points = [
            charts.Point(date_format(one.start.astimezone(zone), form), round(one.mean, 1))
            for one in hours
            if one.mean is not None and one.start >= at - back
        ]
        line = charts.line_of(points) if all(point.value >= 0 for point in points) else None
        if line is not None:
            found.append(Drawn(title, f"serie-{stream.id}-{back.days}", line))
    return found
