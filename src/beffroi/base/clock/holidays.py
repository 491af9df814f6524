"""French public holidays, computed from `rules/calendrier`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from beffroi.base.clock.files import (
    DATE,
    NAMES,
    REQUIRED_DATE,
    REQUIRED_TEXT,
    TABLES,
    TEXT,
    BadRuleFile,
    Key,
    check_table,
    did_you_mean,
)

METROPOLE = "metropole"
EVERYWHERE = "*"
REGION_KEYS = {"id": REQUIRED_TEXT, "name": REQUIRED_TEXT, "timezone": REQUIRED_TEXT, "insee": NAMES}
HOLIDAY_KEYS = {
    "id": REQUIRED_TEXT,
    "name": REQUIRED_TEXT,
    "article": REQUIRED_TEXT,
    "day": TEXT,
    "easter": Key((int,)),
    "regions": Key((list,), required=True),
    "from": REQUIRED_DATE,
    "until": DATE,
    "kind": Key((str,), choices=("legal", "usage")),
    "note": TEXT,
}
FILE_KEYS = {"title": TEXT, "region": TABLES, "holiday": TABLES}


@dataclass(frozen=True, slots=True)
class Region:
    """A part of France with its own holidays or its own hour; `insee` are the prefixes of its communes' codes."""

    id: str
    name: str
    timezone: ZoneInfo
    insee: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """One holiday: a month and day, or days after Easter Sunday, from a day on and perhaps until another."""

    id: str
    name: str
    article: str
    month_day: tuple[int, int] | None
    easter: int
    regions: frozenset[str]
    since: date
    until: date | None
    legal: bool

    def falls_on(self, year: int) -> date | None:
        """Return its day in `year`, or None when the text did not apply yet or no longer does."""
        day = date(year, *self.month_day) if self.month_day else easter_sunday(year) + timedelta(days=self.easter)
        return day if self.since <= day and (self.until is None or day < self.until) else None


@dataclass(frozen=True, slots=True, order=True)
class Holiday:
    """A public holiday of one year, with the text that makes it one."""

    day: date
    name: str
    article: str
    legal: bool = True


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar.

    Source: anonymous algorithm of Nature, 20 April 1876, as given by Meeus, Astronomical Algorithms (1991), ch. 8.

    >>> easter_sunday(2026).isoformat()
    '2026-04-05'
    """
    golden = year % 19
    century, in_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - correction + 15) % 30
    weekday = (32 + 2 * rest + 2 * (in_century // 4) - epact - in_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def read_region(table: Any, *, where: str) -> Region:
    """Return the region a table describes, or raise BadRuleFile."""
    check_table(table, REGION_KEYS, where=where)
    try:
        zone = ZoneInfo(table["timezone"])
    except (KeyError, ValueError) as error:
        raise BadRuleFile(
            "fuseau « {zone} » inconnu",
            where=f"{where}.timezone",
            remedy="écrivez un nom de la base IANA, comme Europe/Paris",
            zone=table["timezone"],
        ) from error
    return Region(table["id"], table["name"], zone, tuple(table.get("insee", ())))


def read_holiday(table: Any, regions: dict[str, Region], *, where: str) -> HolidayRule:
    """Return the holiday a table describes, or raise BadRuleFile."""
    check_table(table, HOLIDAY_KEYS, where=where)
    if ("day" in table) == ("easter" in table):
        raise BadRuleFile("ni jour ni Pâques, ou les deux", where=where, remedy="écrivez soit `day`, soit `easter`")
    for region in table["regions"]:
        if region != EVERYWHERE and region not in regions:
            raise BadRuleFile(
                "région « {region} » inconnue" + did_you_mean(region, regions),
                where=f"{where}.regions",
                remedy="voyez rules/calendrier/regions.toml",
                region=region,
            )
    return HolidayRule(
        id=table["id"],
        name=table["name"],
        article=table["article"],
        month_day=_month_day(table["day"], where=f"{where}.day") if "day" in table else None,
        easter=table.get("easter", 0),
        regions=frozenset(table["regions"]),
        since=table["from"],
        until=table.get("until"),
        legal=table.get("kind", "legal") == "legal",
    )


def _month_day(text: str, *, where: str) -> tuple[int, int]:
    try:
        # 2001 is no leap year: 29 February is no holiday that comes each year.
        day = date.fromisoformat(f"2001-{text}")
    except ValueError as error:
        raise BadRuleFile(
            "jour « {text} » impossible", where=where, remedy="écrivez mois-jour, comme 07-14", text=text
        ) from error
    return day.month, day.day
