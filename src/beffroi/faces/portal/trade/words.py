"""How shops fare, in words and tables: what is masked is said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.lighting.words import Grid
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.places.trade.queries import DOWN, STABLE, UP, Line, Trading

TRENDS = {UP: gettext_noop("en hausse"), STABLE: gettext_noop("stable"), DOWN: gettext_noop("en baisse")}
STATES = {
    "waiting": gettext_noop("en attente de la mairie"), "accepted": gettext_noop("comptée"),
    "refused": gettext_noop("non retenue"),
}  # fmt: skip
GOOD, EVEN, BAD, MASKED = "hausse", "equilibre", "baisse", "tu"


def season(text: str) -> str:
    """Say a season: « 4e trimestre 2026 »."""
    year, _dash, rank = text.partition("-T")
    return _("trimestre {rank} de {year}").format(rank=rank, year=year)


def counts(found: Mapping[str, int] | None) -> str:
    """Write how many go up, stay and go down; a masked measure is said so."""
    if found is None:
        return _("tu")
    if not sum(found.values()):
        return "–"
    return _("{up} ↗, {stable} →, {down} ↘").format(
        up=number(found[UP]), stable=number(found[STABLE]), down=number(found[DOWN])
    )


def events(found: Mapping[str, int] | None, kind: str) -> str:
    """Write how many shops a kind of notice is about."""
    return _("tu") if found is None else number(found[kind])


def grid(caption: str, head: str, lines: Sequence[Line], rest: str, whole: Line | None = None) -> Grid:
    """Return groups as a table, what is masked together last, then the whole."""
    heads = (
        head, _("Ouverts"), _("Comptes publiés"), _("Tendance déclarée"), _("Créations"), _("Ventes"), _("Difficultés"),
        _("Radiations"),
    )  # fmt: skip
    rows = [(one.name or rest.format(n=number(one.groups)), "", _cells(one)) for one in lines]
    if whole is not None:
        rows.append((_("Toute la commune"), "", _cells(whole)))
    return Grid(caption, heads, tuple(rows))


def _cells(one: Line) -> tuple[str, ...]:
    kinds = ("opened", "sold", "trouble", "closed")
    told = tuple(events(one.events, kind) for kind in kinds)
    return number(one.shops), counts(one.accounts), counts(one.declared), *told


def grids(found: Trading) -> list[Grid]:
    """Return the sectors, then the streets: there are many more of those."""
    return [
        grid(
            _("Par secteur d’activité"), _("Secteur"), found.sectors, _("Autres secteurs, ensemble ({n})"), found.whole
        ),
        grid(_("Par rue"), _("Rue"), found.streets, _("Autres rues, ensemble ({n})"), found.whole),
    ]  # fmt: skip


def mark_of(line: Line) -> str:
    """Return the mark of a street on the map: more up, as many, more down, or masked."""
    known = [one for one in (line.accounts, line.declared) if one is not None]
    up, down = sum(one[UP] for one in known), sum(one[DOWN] for one in known)
    if not known:
        return MASKED
    return GOOD if up > down else BAD if down > up else EVEN


def features(found: Trading, url: str) -> list[dict[str, Any]]:
    """Return the streets that are told, for the map: one point each, in the middle of its shops."""
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(one.lon, 5), round(one.lat, 5)]},
            "properties": {
                "genre": mark_of(one), "url": url,
                "title": _("{street} : {shops}").format(street=one.name, shops=_shops(one.shops)) + _told(one),
            },
        }
        for one in found.streets
        if one.name and one.lon is not None and one.lat is not None
    ]  # fmt: skip


def _shops(count: int) -> str:
    return ngettext("{n} établissement", "{n} établissements", count).format(n=number(count))


def _told(one: Line) -> str:
    parts = []
    if one.accounts is not None and any(one.accounts.values()):
        parts.append(_("comptes {said}").format(said=counts(one.accounts)))
    if one.declared is not None and any(one.declared.values()):
        parts.append(_("tendance {said}").format(said=counts(one.declared)))
    return "".join(f" ; {part}" for part in parts)
