"""Prices that hang on what a family has: dated scales of `rules/`, and how each price was reached.

[[tariff]]
id    = "enfance.cantine"
title = "Restauration scolaire"
unit  = "repas"
basis = "quotient"                # or "resources": the family's resources of a month

[[tariff.version]]
from    = 2026-09-01
article = "Délibération du conseil municipal…"
bands   = [{ below = 400, cents = 95 }, { below = 800, cents = 240 }, { cents = 490 }]
outside_cents = 620               # families of another commune
siblings = [{ from = 2, percent = 80 }]       # from the second child on, what is left to pay

A tariff by resources has `rates` instead of `bands`: millionths of the resources, by number of children, between
`floor_cents` and `ceiling_cents`. Every amount is whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from beffroi.base.clock.files import REQUIRED_DATE, REQUIRED_TEXT, TABLES, TEXT, BadRuleFile, Key, check_table
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.money import euros as euros_of
from beffroi.base.kernel.sentences import Sentence

_COUNT = Key((int,))
TARIFF_KEYS = {
    "id": REQUIRED_TEXT,
    "title": REQUIRED_TEXT,
    "unit": REQUIRED_TEXT,
    "basis": Key((str,), required=True, choices=("quotient", "resources")),
    "version": Key((list,), required=True),
    "example": TABLES,
}
VERSION_KEYS = {
    "from": REQUIRED_DATE,
    "article": REQUIRED_TEXT,
    "to_check": TEXT,
    "bands": TABLES,
    "rates": TABLES,
    "floor_cents": _COUNT,
    "ceiling_cents": _COUNT,
    "outside_cents": _COUNT,
    "siblings": TABLES,
}
BAND_KEYS = {"below": _COUNT, "cents": Key((int,), required=True)}
RATE_KEYS = {"children": Key((int,), required=True), "millionths": Key((int,), required=True)}
SIBLING_KEYS = {"from": Key((int,), required=True), "percent": Key((int,), required=True)}
EXAMPLE_KEYS = {
    "on": REQUIRED_DATE,
    "euros": _COUNT,
    "children": _COUNT,
    "outside": Key((bool,)),
    "cents": Key((int,), required=True),
    "why": TEXT,
}


class NoTariff(BeffroiError):
    """The tariff exists, but had no price on that day."""


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """What a tariff says from a day on. `bands`: bound in euros, not included (None: no bound), and cents."""

    since: date
    article: str
    bands: tuple[tuple[int | None, int], ...]
    rates: tuple[tuple[int, int], ...]
    floor_cents: int
    ceiling_cents: int | None
    outside_cents: int | None
    siblings: tuple[tuple[int, int], ...]
    to_check: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """A price, by what unit, how it was reached (each step a sentence), and by what text."""

    cents: int
    unit: str
    steps: tuple[Sentence, ...]
    article: str
    to_check: str = ""


@dataclass(frozen=True, slots=True)
class TariffExample:
    """A worked example: a family, a day, and what it pays for one unit."""

    on: date
    euros: int | None
    children: int
    outside: bool
    cents: int
    why: str


@dataclass(frozen=True, slots=True)
class Tariff:
    """A scale with its versions."""

    id: str
    title: str
    unit: str
    basis: str
    versions: tuple[TariffVersion, ...]
    examples: tuple[TariffExample, ...]
    source: str = ""

    def version_on(self, day: date) -> TariffVersion:
        """Return the version in force on `day`.

        Raises:
            NoTariff: there was none yet.
        """
        found = next((one for one in reversed(self.versions) if one.since <= day), None)
        if found is None:
            raise NoTariff(
                "le tarif « {tariff} » n’avait pas de prix le {day}", where=self.source,
                remedy="ajoutez une version datée", tariff=self.id, day=day.isoformat(),
            )  # fmt: skip
        return found

    def price(self, on: date, *, euros: int | None, children: int = 1, outside: bool = False) -> Price:
        """Return what one unit costs a family, and how it was reached.

        Args:
            euros: its family quotient, or its resources of a month; None when it does not say: the highest price.
            children: its dependent children; one at least.
            outside: it lives in another commune.

        Raises:
            NoTariff: the tariff had no price on that day.
        """
        version = self.version_on(on)
        if outside and version.outside_cents is not None:
            cents, steps = version.outside_cents, [Sentence("tarif des familles d’une autre commune")]
        elif self.basis == "resources":
            cents, steps = _by_rate(version, euros, max(1, children))
        else:
            cents, steps = _by_band(version, euros)
        rank, percent = max(((low, part) for low, part in version.siblings if low <= children), default=(0, 100))
        if percent != 100:
            before, cents = cents, _rounded(cents * percent, 100)
            told = Sentence(
                "{rank} enfants ou plus : {percent} % de {before}",
                {"rank": rank, "percent": percent, "before": euros_of(before)},
            )
            steps.append(told)
        return Price(cents, self.unit, tuple(steps), version.article, version.to_check)


def _by_band(version: TariffVersion, given: int | None) -> tuple[int, list[Sentence]]:
    if given is None:
        return version.bands[-1][1], [Sentence("quotient familial inconnu : tarif le plus haut")]
    low = 0
    for below, cents in version.bands:
        if below is None:
            words = Sentence("quotient familial de {quotient} € : tranche à partir de {low} €",
                             {"quotient": given, "low": low})  # fmt: skip
            return cents, [words]
        if given < below:
            words = Sentence("quotient familial de {quotient} € : tranche de {low} à moins de {below} €",
                             {"quotient": given, "low": low, "below": below})  # fmt: skip
            return cents, [words]
        low = below
    raise AssertionError("the last band has no bound")


def _by_rate(version: TariffVersion, given: int | None, children: int) -> tuple[int, list[Sentence]]:
    _least, millionths = max(pair for pair in version.rates if pair[0] <= children)
    steps = []
    if given is None and version.ceiling_cents is not None:
        counted = version.ceiling_cents
        steps.append(Sentence("ressources inconnues : plafond de {ceiling} par mois", {"ceiling": euros_of(counted)}))
    else:
        counted = max((given or 0) * 100, version.floor_cents)
        if version.ceiling_cents is not None:
            counted = min(counted, version.ceiling_cents)
        steps.append(Sentence("ressources comptées : {counted} par mois, entre plancher et plafond",
                              {"counted": euros_of(counted)}))  # fmt: skip
    rate = f"{millionths / 10_000:.4f}".replace(".", ",")
    values = {"children": children, "rate": rate}
    steps.append(Sentence("enfants à charge : {children}, d’où un taux d’effort de {rate} % par heure", values))
    return _rounded(counted * millionths, 1_000_000), steps


def _rounded(top: int, bottom: int) -> int:
    """Return a quotient of whole numbers, to the nearest, halves up.

    >>> _rounded(155, 100), _rounded(250, 100), _rounded(149, 100)
    (2, 3, 1)
    """
    return (2 * top + bottom) // (2 * bottom)


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_tariff(table: Any, where: str, source: str) -> Tariff:
    """Return a tariff of a file.

    Raises:
        BadRuleFile: a key is unknown or missing, the bands do not cover all, or the versions are out of order.
    """
    check_table(table, TARIFF_KEYS, where=where)
    by_rate = table["basis"] == "resources"
    versions = [_version(one, f"{where}.version[{n}]", by_rate=by_rate) for n, one in enumerate(table["version"], 1)]
    if not versions or any(a.since >= b.since for a, b in pairwise(versions)):
        raise BadRuleFile(
            "versions absentes ou hors de l'ordre des dates", where=f"{where}.version", remedy="rangez-les par `from`"
        )
    examples = [_example(one, f"{where}.example[{n}]") for n, one in enumerate(table.get("example", ()), 1)]
    return Tariff(table["id"], table["title"], table["unit"], table["basis"], tuple(versions), tuple(examples), source)


def _version(table: Any, where: str, *, by_rate: bool) -> TariffVersion:
    check_table(table, VERSION_KEYS, where=where)
    bands = _rows(table, "bands", BAND_KEYS, where)
    rates = _rows(table, "rates", RATE_KEYS, where)
    siblings = _rows(table, "siblings", SIBLING_KEYS, where)
    bounds = [one.get("below") for one in bands]
    if by_rate and (not rates or rates[0]["children"] != 1):
        raise BadRuleFile("taux absents", where=f"{where}.rates", remedy="donnez-les à partir d’un enfant")
    known = [one for one in bounds[:-1] if one is not None]
    whole = bool(bounds) and bounds[-1] is None and len(known) == len(bounds) - 1 and known == sorted(set(known))
    if not by_rate and not whole:
        raise BadRuleFile(
            "les tranches ne couvrent pas tout", where=f"{where}.bands",
            remedy="des bornes `below` croissantes, et la dernière tranche sans borne",
        )  # fmt: skip
    return TariffVersion(
        since=table["from"],
        article=table["article"],
        bands=tuple((one.get("below"), one["cents"]) for one in bands),
        rates=tuple((one["children"], one["millionths"]) for one in rates),
        floor_cents=table.get("floor_cents", 0),
        ceiling_cents=table.get("ceiling_cents"),
        outside_cents=table.get("outside_cents"),
        siblings=tuple((one["from"], one["percent"]) for one in siblings),
        to_check=table.get("to_check", ""),
    )


def _rows(table: Mapping[str, Any], name: str, keys: Mapping[str, Key], where: str) -> list[dict[str, int]]:
    rows = list(table.get(name, ()))
    for number, row in enumerate(rows, 1):
        check_table(row, keys, where=f"{where}.{name}[{number}]")
    return rows


def _example(table: Any, where: str) -> TariffExample:
    check_table(table, EXAMPLE_KEYS, where=where)
    return TariffExample(
        table["on"], table.get("euros"), table.get("children", 1), table.get("outside", False), table["cents"],
        table.get("why", ""),
    )  # fmt: skip
