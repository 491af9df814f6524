"""Ask the clock: holidays, working days, deadlines, and what an incomplete file does to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from beffroi.base.clock.deadlines import BadDeadline as BadDeadline
from beffroi.base.clock.deadlines import Counter, Deadline, count_deadline
from beffroi.base.clock.deadlines import Step as Step
from beffroi.base.clock.deadlines import Suspension as Suspension
from beffroi.base.clock.files import BadRuleFile, did_you_mean
from beffroi.base.clock.holidays import EVERYWHERE, METROPOLE, Holiday, Region
from beffroi.base.clock.rules import DeadlineRule, Example, shipped_rules
from beffroi.base.clock.rules import UnknownRule as UnknownRule
from beffroi.base.clock.tariffs import NoTariff as NoTariff
from beffroi.base.clock.tariffs import Price as Price
from beffroi.base.clock.tariffs import Tariff
from beffroi.base.kernel.errors import NotFound

OUVRES = "working-day"
OUVRABLES = "business-day"


class UnknownRegion(NotFound):
    """No region of that name in the calendar."""


def regions() -> list[Region]:
    """Return the regions of the calendar, France's mainland first."""
    return list(shipped_rules().regions.values())


def region(region_id: str) -> Region:
    """Return a region.

    Raises:
        UnknownRegion: with the nearest known name.
    """
    known = shipped_rules().regions
    if region_id not in known:
        raise UnknownRegion(
            "région « {region} » inconnue" + did_you_mean(region_id, known),
            remedy="voyez rules/calendrier/regions.toml",
            region=region_id,
        )
    return known[region_id]


def region_of(insee: str) -> Region:
    """Return the region of a commune from its INSEE code; France's mainland when none is named after it.

    >>> region_of("67482").id, region_of("97411").id, region_of("34172").id
    ('alsace-moselle', 'la-reunion', 'metropole')
    """
    matching = (found for found in regions() if insee.startswith(found.insee or ("\0",)))
    return next(matching, region(METROPOLE))


def timezone_of(insee: str) -> ZoneInfo:
    """Return the time zone of a commune from its INSEE code."""
    return region_of(insee).timezone


def public_holidays(year: int, region_id: str = METROPOLE, *, with_customs: bool = False) -> list[Holiday]:
    """Return the public holidays of `year` in a region, in order; two may fall on one day.

    Args:
        with_customs: also days that a local custom alone keeps (``legal`` is then false).

    Source: code du travail, art. L3133-1, L3134-13, L3422-2, and local texts, dated in `rules/calendrier`.
    """
    holidays = _holidays(year, region(region_id).id)
    return [holiday for holiday in holidays if with_customs or holiday.legal]


@lru_cache(maxsize=1024)
def _holidays(year: int, region_id: str) -> tuple[Holiday, ...]:
    found = [
        Holiday(day, rule.name, rule.article, rule.legal)
        for rule in shipped_rules().holidays
        if rule.regions & {region_id, EVERYWHERE} and (day := rule.falls_on(year)) is not None
    ]
    return tuple(sorted(found))


def holiday_on(day: date, region_id: str = METROPOLE) -> Holiday | None:
    """Return the legal holiday that `day` is, or None."""
    return next((found for found in _holidays(day.year, region_id) if found.day == day and found.legal), None)


def is_working_day(day: date, region_id: str = METROPOLE, *, calendar: str = OUVRES) -> bool:
    """Tell whether `day` is worked: Monday to Friday (`OUVRES`) or to Saturday (`OUVRABLES`), holidays excepted."""
    return _counter(region_id).is_working_day(day, saturday=calendar == OUVRABLES)


def rules() -> list[DeadlineRule]:
    """Return every rule, in the order of its id."""
    return sorted(shipped_rules().rules.values(), key=lambda rule: rule.id)


def rule(rule_id: str) -> DeadlineRule:
    """Return a rule, or raise UnknownRule with the nearest known name."""
    return shipped_rules().rule(rule_id)


def tariff(tariff_id: str) -> Tariff:
    """Return a tariff, or raise UnknownRule with the nearest known name."""
    return shipped_rules().tariff(tariff_id)


def tariffs() -> list[Tariff]:
    """Return every tariff, in the order of its id."""
    return sorted(shipped_rules().tariffs.values(), key=lambda one: one.id)


def examples() -> list[Example]:
    """Return the worked examples that every rule file carries."""
    return list(shipped_rules().examples)


def rule_problems() -> list[BadRuleFile]:
    """Return what keeps a rule file from being served, for `beffroi check`."""
    return list(shipped_rules().problems)


def _counter(region_id: str) -> Counter:
    known = region(region_id)
    return Counter(known, lambda day: holiday_on(day, known.id))


def due_date(
    rule: str | DeadlineRule,
    start: date | datetime,
    *,
    at: date | None = None,
    region_id: str = METROPOLE,
    extensions: Sequence[str | DeadlineRule] = (),
    suspensions: Iterable[Suspension] = (),
) -> Deadline:
    """Return when a delay ends, with each step of the count and its article.

    Args:
        start: the day it runs from (see the rule's `starts`), or the instant for a delay in hours.
        at: the day whose version of the rule applies; that of `start` when not given.
        region_id: whose holidays and hour count (``region_of(insee).id``).
        extensions: what lengthens it (majoration, prolongation).
        suspensions: times that do not count. A delay that is interrupted starts anew: call again from the new day.

    Raises:
        UnknownRule, UnknownRegion: a name leads nowhere.
        NotInForce: the rule did not apply on that day.
        BadDeadline: these cannot go together.

    >>> due_date("urbanisme.permis-construire", date(2026, 3, 1)).last_day.isoformat()
    '2026-06-01'
    """
    book = shipped_rules()
    chosen = [found if isinstance(found, DeadlineRule) else book.rule(found) for found in (rule, *extensions)]
    return count_deadline(
        chosen[0], start, counter=_counter(region_id), on=at, extensions=chosen[1:], suspensions=suspensions
    )


class FileState(StrEnum):
    """Where a file that may have missed documents stands."""

    RUNNING = "running"  # the delay runs from the deposit
    AWAITING = "awaiting"  # documents were asked for in time: the delay has not started
    RESTARTED = "restarted"  # they came: the delay runs from their reception
    LAPSED = "lapsed"  # they did not come in time: tacit rejection


@dataclass(frozen=True, slots=True)
class FileDelays:
    """The delays of one file. `due` is None while documents are awaited and once the file lapsed."""

    state: FileState
    request_limit: Deadline
    supply_limit: Deadline | None
    due: Deadline | None


def file_delays(
    rule_id: str,
    *,
    deposited: date,
    at: date,
    requested: date | None = None,
    supplied: date | None = None,
    region_id: str = METROPOLE,
    extensions: Sequence[str | DeadlineRule] = (),
) -> FileDelays:
    """Return the delays of a file whose documents may have been missing.

    A list of missing documents received by the applicant in time stops the delay from starting; it starts when the
    documents come; without them in time the request is tacitly rejected. A late list has no effect.

    Args:
        deposited: the day the file was received.
        at: the day one looks at it.
        requested: the day the applicant received the list of missing documents.
        supplied: the day the last of them was received.

    Raises:
        BadDeadline: the rule knows no missing documents, or documents came before they were asked for.

    Source: code de l'urbanisme, art. R*423-19, R*423-22, R*423-38, R*423-39, R*423-41.
    """
    found = rule(rule_id)
    if not (found.request and found.supply):
        raise BadDeadline(
            "la règle « {rule} » ne prévoit pas de pièces manquantes",
            where=found.source,
            remedy="comptez-la par due_date",
            rule=rule_id,
        )
    if (requested is not None and requested < deposited) or (
        supplied is not None and supplied < (requested or deposited)
    ):
        raise BadDeadline("dates dans le désordre", remedy="dépôt, puis demande de pièces, puis réception des pièces")

    def counted(start: date) -> Deadline:
        return due_date(found, start, region_id=region_id, extensions=extensions)

    request_limit = due_date(found.request, deposited, region_id=region_id)
    if requested is None or requested > request_limit.last_day:
        return FileDelays(FileState.RUNNING, request_limit, None, counted(deposited))
    supply_limit = due_date(found.supply, requested, region_id=region_id)
    if supplied is not None and supplied <= supply_limit.last_day:
        return FileDelays(FileState.RESTARTED, request_limit, supply_limit, counted(supplied))
    state = FileState.LAPSED if (supplied or at) > supply_limit.last_day else FileState.AWAITING
    return FileDelays(state, request_limit, supply_limit, None)
