"""Unfit housing in words and tables: a number kept quiet is said so; an act says who did it, when and why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.territory import queries as territories
from beffroi.base.territory.queries import UnknownPerson
from beffroi.faces.portal.lighting.words import Grid, percent
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.twin.unfit.operations import WHY_NOT
from beffroi.sense.twin.unfit.queries import BLOCKS, BlockFigures, OrderInfo, PublicationInfo

POLICES = {
    "securite": gettext_noop("Mise en sécurité"),
    "insalubrite": gettext_noop("Traitement de l’insalubrité"),
}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order as its service reads it; `refusal` says why it may not be published, empty when it may."""

    number: str
    title: str
    address: str
    dwelling: str
    days: str
    published: int | None
    refusal: str


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """An order as everybody reads it."""

    title: str
    address: str
    days: str
    published: str


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act of publication as it is kept."""

    number: int
    title: str
    said: str
    undone: str
    live: bool


def block_name(rank: int, streets: Sequence[str]) -> str:
    """Name a block by its number and its streets."""
    if not streets:
        return _("Îlot {n}").format(n=number(rank))
    return _("Îlot {n}, {streets}").format(n=number(rank), streets=", ".join(streets))


def _count(value: int | None, least: int) -> str:
    return _("moins de {least}").format(least=number(least)) if value is None else number(value)


def _heads(*, reports: bool) -> tuple[str, ...]:
    first = (_("Îlot"), _("Signalements")) if reports else (_("Îlot"),)
    return (*first, _("Dossiers"), _("Visites"), _("Arrêtés en cours"), _("Logements vacants"), _("Étiquettes F et G"))


def _cells(told: Mapping[str, Any], least: int) -> tuple[str, ...]:
    counts = tuple(_count(told[name], least) for name in ("files", "inspections", "orders"))
    known, vacant, labels, leaking = told["known"], told["vacant"], told["labels"], told["leaking"]
    if not known:
        empty = "–"
    elif vacant is None:
        empty = _("non dit")
    else:
        empty = _("{n} sur {known} ({share})").format(n=number(vacant), known=number(known),
                                                      share=percent(vacant / known))  # fmt: skip
    leaks = (
        _("{n} sur {known} ({share})").format(n=number(leaking), known=number(labels), share=percent(leaking / labels))
        if labels
        else "–"
    )
    return (*counts, empty, leaks)


def blocks_grid(caption: str, rows: Sequence[BlockFigures], least: int) -> Grid:
    """Tell blocks to staff."""
    told = [
        (
            block_name(one.block.number, one.block.streets),
            "",
            (_count(one.reports, least), *_cells({name: getattr(one, name) for name in (
                "files", "inspections", "orders", "known", "vacant", "labels", "leaking")}, least)),
        )
        for one in rows
    ]  # fmt: skip
    return Grid(caption, _heads(reports=True), tuple(told))


def published_grid(caption: str, values: Mapping[str, Any]) -> Grid:
    """Tell blocks to everybody, as they were published."""
    rows = [(block_name(one["number"], one["streets"]), "", _cells(one, values["least"])) for one in values["rows"]]
    return Grid(caption, _heads(reports=False), tuple(rows))


def day(value: date | datetime | str | None) -> str:
    """Write a day, a dash where there is none."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if value else None
    return date_format(value, "j F Y") if value else "–"


def order_title(police: str, *, urgent: bool) -> str:
    """Name an order by its police."""
    title = _(POLICES.get(police, gettext_noop("Arrêté")))
    return _("{title}, procédure d’urgence").format(title=title) if urgent else title


def order_line(one: OrderInfo, today: date) -> OrderLine:
    """Tell an order to its service."""
    said = _("Pris le {signed}").format(signed=day(one.signed_on))
    if one.notified_on:
        said += _(", notifié le {notified}").format(notified=day(one.notified_on))
    else:
        said += _(", non notifié")
    if one.lifted_on:
        said += _(", levé le {lifted}").format(lifted=day(one.lifted_on))
    why = one.refusal(today)
    return OrderLine(
        one.number, order_title(one.police, urgent=one.urgent), one.address, one.dwelling, said, one.published,
        _(WHY_NOT[why]) if why else "",
    )  # fmt: skip


def published_line(one: PublicationInfo) -> PublishedLine:
    """Tell everybody an order that was published."""
    told = one.values
    days = _("Pris le {signed}, notifié le {notified}").format(
        signed=day(told["signed_on"]), notified=day(told["notified_on"])
    )
    return PublishedLine(
        order_title(told["police"], urgent=told["urgent"]), told["address"], days, day(one.published_at)
    )


def names_of(numbers: Iterable[int | None], territory: str) -> dict[int, str]:
    """Return the names of people by their number; who has left, or asked to be forgotten, has none."""
    names: dict[int, str] = {}
    for one in {who for who in numbers if who}:
        with contextlib.suppress(UnknownPerson):
            names[one] = territories.person(one, territory=territory).name
    return names


def act_lines(found: Sequence[PublicationInfo], territory: str) -> list[ActLine]:
    """Tell the acts of publication, who did them, and why."""
    names = names_of((who for one in found for who in (one.author, one.withdrawn_by)), territory)
    lines = []
    for one in found:
        title = _("Indicateurs par îlot") if one.kind == BLOCKS else _("Arrêté {number}").format(number=one.subject)
        who = _("Publié le {day} par {who} : {reason}")
        said = who.format(day=day(one.published_at), who=names.get(one.author or 0, "–"), reason=one.reason)
        undone = ""
        if one.withdrawn_at:
            text = _("Retiré le {day} par {who} : {reason}")
            undone = text.format(
                day=day(one.withdrawn_at), who=names.get(one.withdrawn_by or 0, "–"),
                reason=one.withdrawn_reason or _("remplacé par une publication plus récente"),
            )  # fmt: skip
        lines.append(ActLine(one.number, title, said, undone, one.withdrawn_at is None))
    return lines
