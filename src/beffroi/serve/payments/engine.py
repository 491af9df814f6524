"""The engine of bills: what each service costs, to whom, and when it is due. One table = one billed service.

[payments]
service  = "education"                 # whose agents keep these bills
register = "enfance"                   # the régie, or the titles, they are sent under
due_days = 30

[[payments.billed]]
slug     = "cantine"
title    = "Restauration scolaire"
unit     = "repas"
units    = "repas"
most     = 23                          # units a child may have in a month
brackets = [{ below = 400, price_cents = 95 }, { below = 800, price_cents = 250 }, { price_cents = 460 }]
outside_cents = 610                    # families of other towns
basis    = "Délibération du conseil municipal"
since    = 2026-09-01                  # the same slug again, with another day, is the next tariff

Another use case may bring its own services: its file says the same under ``also = ["payments"]``.

[[example]]
when = { quotient = 400, service = "cantine", units = 12 }
then = { price_cents = 250, total_cents = 3000 }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.serve.payments.definition import BadBill

ENGINE = "payments"


class Bracket(BaseModel):
    """A price for family quotients under `below` (whole euros, not included); the last bracket has no bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: int | None = Field(default=None, ge=1)
    price_cents: int = Field(ge=0, le=1_000_000)


class Billed(BaseModel):
    """One billed service, from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    title: str = Field(min_length=1, max_length=80)
    unit: str = Field(min_length=1, max_length=20)
    units: str = Field(default="", max_length=20)
    most: int = Field(default=31, ge=1, le=744)
    brackets: list[Bracket] = Field(min_length=1)
    outside_cents: int | None = Field(default=None, ge=0, le=1_000_000)
    concerns: str = Field(default="", max_length=160)
    basis: str = Field(default="", max_length=160)
    since: date = date(2000, 1, 1)

    @model_validator(mode="after")
    def _brackets_cover_all(self) -> Self:
        bounds = [one.below for one in self.brackets]
        known = [bound for bound in bounds[:-1] if bound is not None]
        if bounds[-1] is not None or len(known) != len(bounds) - 1:
            raise ValueError(f"{self.slug}: only the last bracket has no `below`")
        if known != sorted(set(known)):
            raise ValueError(f"{self.slug}: the bounds of the brackets must grow")
        return self

    def price_for(self, quotient: int | None, *, outside: bool = False) -> int:
        """Return the cents of one unit; a family whose quotient is unknown pays the last bracket.

        >>> one = Billed(slug="c", title="C", unit="repas", brackets=[Bracket(below=400, price_cents=95),
        ...     Bracket(price_cents=250)], outside_cents=610)
        >>> [one.price_for(quotient) for quotient in (0, 399, 400, None)], one.price_for(0, outside=True)
        ([95, 95, 250, 250], 610)
        """
        if outside and self.outside_cents is not None:
            return self.outside_cents
        if quotient is None:
            return self.brackets[-1].price_cents
        return next(one.price_cents for one in self.brackets if one.below is None or quotient < one.below)

    def unit_for(self, units: int) -> str:
        """Return the word of the unit, as many as there are."""
        return self.unit if abs(units) < 2 else (self.units or self.unit)


class PaymentsSettings(BaseModel):
    """What a use case bills, under which register, kept by which service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    # The slug of a PayFiP reference: letters and digits only.
    register_slug: str = Field(alias="register", pattern=r"^[a-z0-9]{1,10}$")
    due_days: int = Field(default=30, ge=8, le=90)
    billed: list[Billed] = Field(min_length=1)


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=PaymentsSettings, url_name="portal:bills", example_runner=run_example)


def rules_of(territory: str) -> list[PaymentsSettings]:
    """Return what the open use cases of a town bill; empty where nothing is billed here."""
    if not territory:
        return []
    views = catalogue.use_cases(territory=territory, states=OPEN_STATES)
    found = (one.use_case.settings.get(ENGINE) for one in views)
    return [one for one in found if isinstance(one, PaymentsSettings)]


def is_anywhere() -> bool:
    """Tell whether the files of this installation bill anything; no question to the registry."""
    known = catalogue.catalogue().use_cases.values()
    return any(one.state in OPEN_STATES and ENGINE in one.settings for one in known)


def billed_in(rules: Sequence[PaymentsSettings], slug: str, month: date) -> tuple[PaymentsSettings, Billed]:
    """Return the tariff of a service in force on the first day of a month, and the rules it stands in.

    Raises:
        BadBill: no such service is billed, or not yet in that month.
    """
    known = [(rule, one) for rule in rules for one in rule.billed if one.slug == slug]
    if not known:
        named = ", ".join(sorted({one.slug for rule in rules for one in rule.billed}))
        raise BadBill("le service « {slug} » n’est pas facturé", where="service", remedy="écrivez l’un de : {named}",
                      slug=slug[:40], named=named)  # fmt: skip
    begun = [pair for pair in known if pair[1].since <= month]
    if not begun:
        raise BadBill("le service « {slug} » n’a pas de tarif ce mois-là", where="service",
                      remedy="corrigez le mois, ou ajoutez le tarif au fichier de l’usage", slug=slug)  # fmt: skip
    return max(begun, key=lambda pair: pair[1].since)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Price what an example says: a `quotient` (absent: unknown), a `service`, `units`, maybe `outside`, a `month`."""
    when = example.when
    rules = use_case.settings[ENGINE]
    month = date.fromisoformat(f"{when.get('month', '2026-10')}-01")
    _rule, one = billed_in([rules], str(when["service"]), month)
    price = one.price_for(when.get("quotient"), outside=bool(when.get("outside")))
    return {"price_cents": price, "total_cents": price * int(when["units"]), "unit": one.unit_for(int(when["units"]))}
