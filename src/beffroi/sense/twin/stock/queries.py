"""What is known of stocks: a landlord reads its own, whole; agents read buildings and counts, never a reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q

from beffroi.base.territory.viewer import Viewer
from beffroi.sense.twin.stock.archive import written_archive
from beffroi.sense.twin.stock.models import StockRow
from beffroi.sense.twin.stock.rights import Holder, holder_of, require_agent
from beffroi.sense.twin.stock.tables import TABLES, Table, table_named

OPEN_TICKETS = ("ouvert", "en_cours")


@dataclass(frozen=True, slots=True)
class StockInfo:
    """What a landlord has sent: how many lines of each table, and when it last did."""

    owner: str
    buildings: int
    lots: int
    tickets_open: int
    readings: int
    said_at: datetime


@dataclass(frozen=True, slots=True)
class BuildingInfo:
    """A building of a stock, as its landlord says it, with what hangs on it."""

    values: dict[str, Any]
    lots: int
    vacant: int
    tickets_open: int


def counts(viewer: Viewer) -> dict[str, int]:
    """Return how many lines the stock of the viewer's key holds, by table.

    Raises:
        Refused: not the key of a landlord.
    """
    found = dict(_rows(holder_of(viewer)).values_list("table").annotate(Count("pk")).order_by())
    return {name: int(found.get(name, 0)) for name in TABLES}


def page(viewer: Viewer, name: str, *, limit: int, after: str) -> tuple[list[dict[str, Any]], str]:
    """Return up to `limit` lines of a table by their key, after the key `after`, and the key to go on from (or "").

    Raises:
        Refused: not the key of a landlord. BadStock: no such table.
    """
    table = table_named(name)
    rows = _rows(holder_of(viewer)).filter(table=table.name, ref__gt=after).order_by("ref")[: limit + 1]
    found = [row.values for row in rows]
    return found[:limit], str(found[limit - 1][table.key]) if len(found) > limit else ""


def lines(viewer: Viewer, name: str) -> tuple[Table, Iterator[dict[str, Any]]]:
    """Return a table and all its lines, by their key.

    Raises:
        Refused: not the key of a landlord. BadStock: no such table.
    """
    table = table_named(name)
    return table, _lines(holder_of(viewer), table)


def archive(viewer: Viewer) -> bytes:
    """Return the whole stock of the viewer's key as a ZIP that `operations.send_archive` takes back.

    Raises:
        Refused: not the key of a landlord.
    """
    holder = holder_of(viewer)
    return written_archive({name: _lines(holder, table) for name, table in TABLES.items()})


def stocks(viewer: Viewer, territory: str) -> list[StockInfo]:
    """Return the stocks a territory holds, the largest first.

    Raises:
        Refused: the viewer is no agent of the territory.
    """
    require_agent(viewer, territory)
    found = (
        StockRow.objects.filter(territory=territory)
        .values("owner")
        .annotate(
            buildings=Count("pk", filter=Q(table="batiments")),
            lots=Count("pk", filter=Q(table="lots")),
            tickets_open=Count("pk", filter=Q(table="demandes", values__etat__in=OPEN_TICKETS)),
            readings=Count("pk", filter=Q(table="releves")),
            last=Max("said_at"),
        )
        .order_by("-lots", "owner")
    )
    return [
        StockInfo(one["owner"], one["buildings"], one["lots"], one["tickets_open"], one["readings"], one["last"])
        for one in found
    ]


def buildings(viewer: Viewer, territory: str, owner: str) -> list[BuildingInfo]:
    """Return the buildings of a landlord, by address, with the numbers of their lots and open tickets.

    Raises:
        Refused: the viewer is no agent of the territory.
    """
    require_agent(viewer, territory)
    rows = StockRow.objects.filter(territory=territory, owner=owner)
    hung = {
        one["building"]: one
        for one in rows.exclude(table="batiments")
        .values("building")
        .annotate(
            lots=Count("pk", filter=Q(table="lots")),
            vacant=Count("pk", filter=Q(table="lots", values__occupation="vacant")),
            tickets=Count("pk", filter=Q(table="demandes", values__etat__in=OPEN_TICKETS)),
        )
        .order_by()
    }
    none = {"lots": 0, "vacant": 0, "tickets": 0}
    found = [(row.values, hung.get(row.ref, none)) for row in rows.filter(table="batiments").order_by("ref")]
    return [
        BuildingInfo(values, of["lots"], of["vacant"], of["tickets"])
        for values, of in sorted(found, key=lambda one: str(one[0]["adresse"]))
    ]


def _rows(holder: Holder) -> Any:
    return StockRow.objects.filter(territory=holder.territory, owner=holder.owner)


def _lines(holder: Holder, table: Table) -> Iterator[dict[str, Any]]:
    for row in _rows(holder).filter(table=table.name).order_by("ref").iterator(chunk_size=2000):
        yield row.values
