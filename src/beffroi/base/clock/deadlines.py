"""Count delays: hours, days, working days, months and years, with the reason of each step."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from beffroi.base.clock.holidays import Holiday, Region
from beffroi.base.clock.rules import DeadlineRule, RuleVersion
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence, gettext_noop

SATURDAY, SUNDAY = 5, 6
# Holidays of one day, or none: what the counting asks of the calendar.
IsHoliday = Callable[[date], Holiday | None]


class BadDeadline(BeffroiError):
    """A deadline cannot be counted from what was given."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a count: what was done, by which text, and the day or instant reached."""

    sentence: Sentence
    article: str
    reached: date | datetime


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time that does not count: from `start` to `end`, both days included."""

    start: date
    end: date
    reason: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a delay ends. `last_day` is the last day one may act; `expires_at` the instant it is too late."""

    rule: str
    start: date | datetime
    last_day: date
    expires_at: datetime
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts in one region: its hour and its holidays."""

    region: Region
    holiday_on: IsHoliday

    def is_working_day(self, day: date, *, saturday: bool = False) -> bool:
        """Tell whether `day` is worked: Monday to Friday, and Saturday when said, holidays excepted."""
        rest = {SUNDAY} if saturday else {SATURDAY, SUNDAY}
        return day.weekday() not in rest and self.holiday_on(day) is None

    def after_working_days(self, day: date, count: int, *, saturday: bool = False) -> date:
        """Return the `count`-th working day after `day`, which does not count."""
        while count:
            day += timedelta(days=1)
            count -= self.is_working_day(day, saturday=saturday)
        return day

    def carried_over(self, day: date) -> date:
        """Return `day`, or the next day that is no Saturday, Sunday or holiday."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day


def after_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the last of that month when it has no such day.

    Source: code de procédure civile, art. 641 al. 2.

    >>> after_months(date(2026, 1, 31), 1).isoformat()
    '2026-02-28'
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(slots=True)
class _Count:
    """A count under way: where it stands and the steps that led there."""

    counter: Counter
    day: date
    steps: list[Step]

    def step(self, template: str, article: str, **values: object) -> None:
        self.steps.append(Step(Sentence(template, values), article, self.day))


def count_deadline(
    rule: DeadlineRule,
    start: date | datetime,
    *,
    counter: Counter,
    on: date | None = None,
    extensions: Sequence[DeadlineRule] = (),
    suspensions: Iterable[Suspension] = (),
) -> Deadline:
    """Count `rule` from `start`.

    Args:
        start: the day the delay starts from, which does not count; an instant for a delay in hours. A naive instant is
            read in the hour of the region.
        counter: the region's hour and holidays.
        on: the day whose version of the rule applies; that of `start` when not given.
        extensions: rules that lengthen this one.
        suspensions: times that do not count.

    Raises:
        BadDeadline: a delay in hours without an hour, an extension that does not extend this rule, given twice or with
            one it excludes, a suspension that ends before it starts.
        NotInForce: no version of the rule applied on that day.
    """
    zone = counter.region.timezone
    instant = _instant(start, counter) if isinstance(start, datetime) else None
    first = instant.astimezone(zone).date() if instant else start
    version = rule.version_on(on or first)
    lengths = [version, *_extension_versions(rule, extensions, on or first)]
    pauses = _ordered(suspensions)
    if version.unit == "hour":
        if instant is None:
            raise BadDeadline(
                "la règle « {rule} » se compte en heures : {start} n'a pas d'heure",
                remedy="donnez la date et l'heure",
                rule=rule.id,
                start=start.isoformat(),
            )
        return _count_hours(rule, instant, lengths, pauses, counter)
    count = _Count(counter, first, [])
    count.step(gettext_noop("le délai part du {day}, qui ne compte pas ({starts})"), "", day=first, starts=rule.starts)
    _add_lengths(count, lengths)
    if version.clear:
        count.day += timedelta(days=1)
        count.step(
            gettext_noop("délai franc : le jour de l'échéance ne compte pas, soit le {day}"),
            version.article,
            day=count.day,
        )
    _add_pauses(count, pauses, version)
    if version.end == "next-working-day":
        _carry_over(count, version)
    _say_what_to_check(count.steps, lengths, count.day)
    midnight = datetime.combine(count.day + timedelta(days=1), time(), zone)
    return Deadline(rule.id, start, count.day, midnight, tuple(count.steps))


def _instant(start: datetime, counter: Counter) -> datetime:
    return start if start.tzinfo else start.replace(tzinfo=counter.region.timezone)


def _extension_versions(rule: DeadlineRule, extensions: Sequence[DeadlineRule], day: date) -> list[RuleVersion]:
    given = [extension.id for extension in extensions]
    for extension in extensions:
        excluded = sorted(extension.excludes & set(given))
        if rule.id not in extension.extends or excluded or given.count(extension.id) > 1:
            raise BadDeadline(
                "« {extension} » ne s'ajoute pas à « {rule} »" + (" avec « {excluded} »" if excluded else ""),
                where=extension.source,
                remedy="une majoration s'applique aux règles qu'elle nomme, une fois, et sans celles qu'elle exclut",
                extension=extension.id,
                rule=rule.id,
                excluded=", ".join(excluded),
            )
    return [extension.version_on(day) for extension in extensions]


def _ordered(suspensions: Iterable[Suspension]) -> list[Suspension]:
    pauses = sorted(suspensions, key=lambda pause: (pause.start, pause.end))
    for pause in pauses:
        if pause.end < pause.start:
            raise BadDeadline(
                "suspension du {start} au {end} : elle finit avant de commencer",
                remedy="corrigez les dates",
                start=pause.start.isoformat(),
                end=pause.end.isoformat(),
            )
    merged: list[Suspension] = []
    for pause in pauses:
        # A day suspended twice is suspended once.
        if merged and pause.start <= merged[-1].end:
            last = merged[-1]
            merged[-1] = Suspension(last.start, max(last.end, pause.end), last.reason or pause.reason, last.article)
        else:
            merged.append(pause)
    return merged


def _count_hours(
    rule: DeadlineRule, start: datetime, lengths: list[RuleVersion], pauses: list[Suspension], counter: Counter
) -> Deadline:
    zone = counter.region.timezone
    reached = start.astimezone(UTC)
    steps = [
        Step(
            Sentence(
                gettext_noop("le délai part du {at} ({starts})"), {"at": _shown(start, counter), "starts": rule.starts}
            ),
            "",
            start,
        )
    ]
    for length in lengths:
        if length.unit != "hour":
            raise BadDeadline("« {rule} » se compte en heures, sa majoration non", where=rule.source, rule=rule.id)
        # Elapsed hours, counted in UTC: a night when clocks change has 23 or 25 of them.
        reached += timedelta(hours=length.amount)
        sentence = Sentence(
            gettext_noop("{amount} heures écoulées mènent au {at}"),
            {"amount": length.amount, "at": _shown(reached, counter)},
        )
        steps.append(Step(sentence, length.article, reached.astimezone(zone)))
    for pause in pauses:
        begins = datetime.combine(pause.start, time(), zone).astimezone(UTC)
        ends = datetime.combine(pause.end + timedelta(days=1), time(), zone).astimezone(UTC)
        if begins < reached and ends > start.astimezone(UTC):
            reached += ends - max(begins, start.astimezone(UTC))
            sentence = Sentence(
                gettext_noop("suspendu du {start} au {end} : reporté au {at}"),
                {"start": pause.start, "end": pause.end, "at": _shown(reached, counter)},
            )
            steps.append(Step(sentence, pause.article, reached.astimezone(zone)))
    local = reached.astimezone(zone)
    _say_what_to_check(steps, lengths, local)
    return Deadline(rule.id, start, local.date(), local, tuple(steps))


def _shown(instant: datetime, counter: Counter) -> str:
    return instant.astimezone(counter.region.timezone).strftime("%Y-%m-%d %H:%M")


def _add_lengths(count: _Count, lengths: list[RuleVersion]) -> None:
    """Add the delay and its extensions; those in months make one delay, counted from date to date once."""
    months = {"month": 1, "year": 12}
    total = 0
    origin = count.day
    for length in lengths:
        if length.unit in months:
            total += length.amount * months[length.unit]
            count.day = after_months(origin, total)
            same = count.day.day == origin.day
            template = (
                gettext_noop("{total} mois de quantième à quantième mènent au {day}")
                if same
                else gettext_noop("{total} mois mènent à un jour qui n'existe pas : dernier jour du mois, le {day}")
            )
            count.step(template, length.article, total=total, day=count.day)
            continue
        origin, total = _after_days(count, length), 0


def _after_days(count: _Count, length: RuleVersion) -> date:
    if length.unit == "day":
        count.day += timedelta(days=length.amount)
        template = gettext_noop("{amount} jours mènent au {day}")
    elif length.unit == "hour":
        raise BadDeadline(
            "une majoration en heures ne s'ajoute pas à un délai en jours ou en mois", where=length.article
        )
    else:
        saturday = length.unit == "business-day"
        count.day = count.counter.after_working_days(count.day, length.amount, saturday=saturday)
        template = (
            gettext_noop("{amount} jours ouvrables (du lundi au samedi, hors jours fériés) mènent au {day}")
            if saturday
            else gettext_noop("{amount} jours ouvrés (du lundi au vendredi, hors jours fériés) mènent au {day}")
        )
    count.step(template, length.article, amount=length.amount, day=count.day)
    return count.day


def _add_pauses(count: _Count, pauses: list[Suspension], version: RuleVersion) -> None:
    first = count.steps[0].reached
    for pause in pauses:
        begins = max(pause.start, first + timedelta(days=1)) if isinstance(first, date) else pause.start
        if begins > count.day or pause.end < begins:
            continue
        days = [begins + timedelta(days=n) for n in range((pause.end - begins).days + 1)]
        if version.unit in ("working-day", "business-day"):
            saturday = version.unit == "business-day"
            lost = sum(count.counter.is_working_day(day, saturday=saturday) for day in days)
            count.day = count.counter.after_working_days(count.day, lost, saturday=saturday)
        else:
            lost = len(days)
            count.day += timedelta(days=lost)
        count.step(
            gettext_noop("suspendu du {start} au {end} ({lost} jours, {reason}) : reporté au {day}"),
            pause.article,
            start=begins,
            end=pause.end,
            lost=lost,
            reason=pause.reason,
            day=count.day,
        )


def _carry_over(count: _Count, version: RuleVersion) -> None:
    carried = count.counter.carried_over(count.day)
    if carried == count.day:
        return
    holiday = count.counter.holiday_on(count.day)
    why = holiday.name if holiday else ("samedi" if count.day.weekday() == SATURDAY else "dimanche")
    ended, count.day = count.day, carried
    count.step(
        gettext_noop("le {ended} n'est pas travaillé ({why}) : reporté au premier jour ouvrable, le {day}"),
        version.article,
        ended=ended,
        why=why,
        day=carried,
    )


def _say_what_to_check(steps: list[Step], lengths: list[RuleVersion], reached: date | datetime) -> None:
    for length in lengths:
        if length.to_check:
            steps.append(
                Step(Sentence(gettext_noop("à vérifier : {what}"), {"what": length.to_check}), length.article, reached)
            )
