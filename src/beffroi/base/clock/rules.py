"""The rule book: every dated rule of `rules/`, with its versions, its examples and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

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
    read_toml,
)
from beffroi.base.clock.holidays import FILE_KEYS as CALENDAR_KEYS
from beffroi.base.clock.holidays import HolidayRule, Region, read_holiday, read_region
from beffroi.base.clock.tariffs import Tariff, read_tariff
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.resources import shipped_folder

UNITS = ("hour", "day", "working-day", "business-day", "month", "year")
ENDS = ("as-is", "next-working-day")
CALENDAR_FOLDER = "calendrier"
# Who may drive is no delay: `restrictions` reads it.
RESTRICTIONS = "circulation"

FILE_KEYS = {"title": REQUIRED_TEXT, "domain": REQUIRED_TEXT, "rule": TABLES, "example": TABLES, "tariff": TABLES}
RULE_KEYS = {
    "id": REQUIRED_TEXT,
    "title": REQUIRED_TEXT,
    "starts": REQUIRED_TEXT,
    "version": Key((list,), required=True),
    "extends": NAMES,
    "excludes": NAMES,
    "request": TEXT,
    "supply": TEXT,
}
VERSION_KEYS = {
    "from": REQUIRED_DATE,
    "until": DATE,
    "amount": Key((int,), required=True),
    "unit": Key((str,), required=True, choices=UNITS),
    "article": REQUIRED_TEXT,
    "end": Key((str,), choices=ENDS),
    "clear": Key((bool,)),
    "to_check": TEXT,
}
EXAMPLE_KEYS = {
    "rule": REQUIRED_TEXT,
    "start": Key((date, datetime), required=True),
    "due": Key((date, datetime), required=True),
    "extensions": NAMES,
    "region": TEXT,
    "why": TEXT,
}


class UnknownRule(NotFound):
    """No rule of that name in the rule book."""


class NotInForce(BeffroiError):
    """The rule exists, but no version of it applied on that day."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """What a rule says from a day on.

    `clear` (délai franc): the day of expiry does not count either. `end`: what becomes of a last day that is a
    Saturday, a Sunday or a holiday.
    """

    since: date
    until: date | None
    amount: int
    unit: str
    article: str
    end: str = "as-is"
    clear: bool = False
    to_check: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """A delay set by a text. `extends`: the rules it lengthens; `excludes`: extensions it does not add up with."""

    id: str
    title: str
    starts: str
    versions: tuple[RuleVersion, ...]
    extends: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    request: str = ""
    supply: str = ""
    source: str = ""

    def version_on(self, day: date) -> RuleVersion:
        """Return the version in force on `day`.

        Raises:
            NotInForce: the text did not apply yet, or no longer did.
        """
        for version in reversed(self.versions):
            if version.since <= day and (version.until is None or day < version.until):
                return version
        raise NotInForce(
            "la règle « {rule} » n'avait pas de valeur le {day}",
            where=self.source,
            remedy="ajoutez une version datée, ou vérifiez la date",
            rule=self.id,
            day=day.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: a rule, a start, and the day or instant it must give."""

    rule: str
    start: date | datetime
    due: date | datetime
    extensions: tuple[str, ...]
    region: str
    why: str
    source: str


@dataclass(slots=True)
class RuleBook:
    """Every rule by its id. `problems` are the files served without, each as the error that says why."""

    rules: dict[str, DeadlineRule] = field(default_factory=dict)
    tariffs: dict[str, Tariff] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    holidays: list[HolidayRule] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    problems: list[BadRuleFile] = field(default_factory=list)

    def rule(self, rule_id: str) -> DeadlineRule:
        """Return a rule.

        Raises:
            UnknownRule: with the nearest known name.
        """
        if rule_id not in self.rules:
            raise UnknownRule(
                "règle « {rule} » inconnue" + did_you_mean(rule_id, self.rules),
                remedy="voyez le dossier rules/",
                rule=rule_id,
            )
        return self.rules[rule_id]

    def tariff(self, tariff_id: str) -> Tariff:
        """Return a tariff.

        Raises:
            UnknownRule: with the nearest known name.
        """
        if tariff_id not in self.tariffs:
            raise UnknownRule(
                "tarif « {tariff} » inconnu" + did_you_mean(tariff_id, self.tariffs),
                remedy="voyez le dossier rules/",
                tariff=tariff_id,
            )
        return self.tariffs[tariff_id]


def load_rules(folders: Iterable[Path]) -> RuleBook:
    """Read every TOML file under `folders`; a rule of a later folder replaces the one of that id before it.

    A file that does not read is left out whole and told in `problems`.
    """
    book = RuleBook()
    for folder in folders:
        files = sorted(folder.rglob("*.toml"), key=lambda path: (path.parent.name != CALENDAR_FOLDER, str(path)))
        # Regions before the holidays that name them.
        files.sort(key=lambda path: path.name != "regions.toml")
        for path in files:
            if path.parent.name == RESTRICTIONS:
                continue
            name = f"{folder.name}/{path.relative_to(folder)}"
            try:
                read = _read_calendar if path.parent.name == CALENDAR_FOLDER else _read_rules
                read(book, read_toml(path, name=name), name)
            except BadRuleFile as error:
                book.problems.append(error)
    _check_links(book)
    return book


@lru_cache(maxsize=1)
def shipped_rules() -> RuleBook:
    """Return the rules of this installation, read once."""
    return load_rules([shipped_folder("rules")])


def _read_calendar(book: RuleBook, content: Mapping[str, Any], name: str) -> None:
    check_table(dict(content), CALENDAR_KEYS, where=name)
    regions = {
        region.id: region
        for number, table in enumerate(content.get("region", ()), 1)
        for region in [read_region(table, where=f"{name}: region[{number}]")]
    }
    known = book.regions | regions
    holidays = [
        read_holiday(table, known, where=f"{name}: holiday[{number}]")
        for number, table in enumerate(content.get("holiday", ()), 1)
    ]
    book.regions = known
    book.holidays.extend(holidays)


def _read_rules(book: RuleBook, content: Mapping[str, Any], name: str) -> None:
    check_table(dict(content), FILE_KEYS, where=name)
    rules = [_rule(table, f"{name}: rule[{n}]", name) for n, table in enumerate(content.get("rule", ()), 1)]
    examples = [_example(t, f"{name}: example[{n}]", name) for n, t in enumerate(content.get("example", ()), 1)]
    tables = enumerate(content.get("tariff", ()), 1)
    tariffs = [read_tariff(table, f"{name}: tariff[{n}]", name) for n, table in tables]
    book.rules |= {rule.id: rule for rule in rules}
    book.tariffs |= {one.id: one for one in tariffs}
    book.examples += examples


def _rule(table: Any, where: str, source: str) -> DeadlineRule:
    check_table(table, RULE_KEYS, where=where)
    versions = [_version(item, f"{where}.version[{n}]") for n, item in enumerate(table["version"], 1)]
    if not versions or any(a.since >= b.since for a, b in pairwise(versions)):
        raise BadRuleFile(
            "versions absentes ou hors de l'ordre des dates", where=f"{where}.version", remedy="rangez-les par `from`"
        )
    return DeadlineRule(
        id=table["id"],
        title=table["title"],
        starts=table["starts"],
        versions=tuple(versions),
        extends=frozenset(table.get("extends", ())),
        excludes=frozenset(table.get("excludes", ())),
        request=table.get("request", ""),
        supply=table.get("supply", ""),
        source=source,
    )


def _version(table: Any, where: str) -> RuleVersion:
    check_table(table, VERSION_KEYS, where=where)
    if table["amount"] < 1:
        raise BadRuleFile("un délai dure au moins 1", where=f"{where}.amount", remedy="corrigez la durée")
    return RuleVersion(
        since=table["from"],
        until=table.get("until"),
        amount=table["amount"],
        unit=table["unit"],
        article=table["article"],
        end=table.get("end", "as-is"),
        clear=table.get("clear", False),
        to_check=table.get("to_check", ""),
    )


def _example(table: Any, where: str, source: str) -> Example:
    check_table(table, EXAMPLE_KEYS, where=where)
    return Example(
        rule=table["rule"],
        start=table["start"],
        due=table["due"],
        extensions=tuple(table.get("extensions", ())),
        region=table.get("region", "metropole"),
        why=table.get("why", ""),
        source=where,
    )


def _check_links(book: RuleBook) -> None:
    """Tell names of rules that lead nowhere; the rules that hold them stay."""
    for rule in book.rules.values():
        for linked in sorted(rule.extends | rule.excludes | {name for name in (rule.request, rule.supply) if name}):
            if linked not in book.rules:
                book.problems.append(
                    BadRuleFile(
                        "règle « {linked} » inconnue" + did_you_mean(linked, book.rules),
                        where=f"{rule.source}: {rule.id}",
                        remedy="corrigez le nom, ou ajoutez la règle",
                        linked=linked,
                    )
                )
