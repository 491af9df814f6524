"""What a landlord sends: one table, or all four at once; everything is taken, or nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.twin.stock import events
from beffroi.sense.twin.stock.archive import read_archive
from beffroi.sense.twin.stock.models import StockRow
from beffroi.sense.twin.stock.rights import Holder, holder_of, require_agent
from beffroi.sense.twin.stock.tables import TABLES, BadStock, Table, checked, table_named

Mode = Literal["merge", "replace"]
_BATCH = 500
_Keyed = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the lines of a table."""

    added: int
    changed: int
    removed: int
    same: int


def send_table(viewer: Viewer, name: str, lines: Iterable[Any], *, mode: Mode, at: datetime) -> Taken:
    """Take the lines of a table: each replaces the one of the same key; sent again, it changes nothing.

    Args:
        lines: mappings of the columns of the table (`tables.read_csv`, or JSON objects).
        mode: ``merge`` keeps the lines that are not sent, ``replace`` removes them.

    Raises:
        Refused: not the key of a landlord.
        BadStock: a line is refused, names a building or a lot that is not there, or one removed is still named.
    """
    holder, table = holder_of(viewer), table_named(name)
    found = checked(table, lines)
    with transaction.atomic():
        taken = _take(holder, table, found, mode, at)
        _check_links(holder)
        _tell(holder, {name: taken}, at)
    return taken


def send_archive(viewer: Viewer, content: bytes, *, at: datetime) -> dict[str, Taken]:
    """Take a whole stock: the ZIP that `queries.archive` gives, or one made alike; what is not in it is removed.

    Raises:
        Refused, BadStock: see `send_table`; also not a ZIP, or a table absent.
    """
    holder = holder_of(viewer)
    found = {name: checked(TABLES[name], lines) for name, lines in read_archive(content).items()}
    with transaction.atomic():
        taken = {name: _take(holder, TABLES[name], found[name], "replace", at) for name in TABLES}
        _check_links(holder)
        _tell(holder, taken, at)
    return taken


@transaction.atomic
def forget_stock(viewer: Viewer, territory: str, owner: str, *, at: datetime) -> int:
    """Erase all that a landlord has sent; return how many lines.

    Raises:
        Refused: the viewer is no agent of the territory.
    """
    require_agent(viewer, territory)
    count, _ = StockRow.objects.filter(territory=territory, owner=owner).delete()
    record(kind=events.FORGOTTEN, territory=territory, subject=events.subject_of(owner), actor=viewer.person_id, at=at,
           payload={"lines": count})  # fmt: skip
    return count


def _take(holder: Holder, table: Table, found: _Keyed, mode: Mode, at: datetime) -> Taken:
    rows = StockRow.objects.filter(territory=holder.territory, owner=holder.owner, table=table.name)
    known = {row.ref: row for row in rows.select_for_update().order_by("pk")}
    new = [
        StockRow(territory=holder.territory, owner=holder.owner, table=table.name, ref=key,
                 building=values["batiment_ref"], values=values, said_at=at)
        for key, values in found.items() if key not in known
    ]  # fmt: skip
    changed = []
    for key, values in found.items():
        row = known.get(key)
        if row is not None and row.values != values:
            row.values, row.building, row.said_at = values, values["batiment_ref"], at
            changed.append(row)
    gone = [row.pk for key, row in known.items() if key not in found] if mode == "replace" else []
    StockRow.objects.bulk_create(new, batch_size=_BATCH)
    StockRow.objects.bulk_update(changed, ["values", "building", "said_at"], batch_size=_BATCH)
    for begin in range(0, len(gone), _BATCH):
        StockRow.objects.filter(pk__in=gone[begin : begin + _BATCH]).delete()
    # Said again is still the stock: its years begin anew.
    same = [known[key].pk for key in found.keys() & known.keys() if known[key].said_at != at]
    for begin in range(0, len(same), _BATCH):
        StockRow.objects.filter(pk__in=same[begin : begin + _BATCH]).update(said_at=at)
    return Taken(len(new), len(changed), len(gone), len(same))


def _check_links(holder: Holder) -> None:
    """Refuse lines that name a building or a lot the stock does not hold."""
    rows = StockRow.objects.filter(territory=holder.territory, owner=holder.owner)
    held = {name: set(rows.filter(table=name).values_list("ref", flat=True)) for name in ("batiments", "lots")}
    faults = []
    for table, ref, building, lot in rows.exclude(table="batiments").values_list(
        "table", "ref", "building", "values__lot_ref"
    ):
        if building not in held["batiments"]:
            faults.append(
                {
                    "where": f"{table}, {ref}, batiment_ref",
                    "what": f"le bâtiment « {building} » n’est pas dans la table batiments",
                }
            )
        if table != "lots" and lot and lot not in held["lots"]:
            faults.append(
                {"where": f"{table}, {ref}, lot_ref", "what": f"le lot « {lot} » n’est pas dans la table lots"}
            )
    if faults:
        raise BadStock("{count} lignes nomment un bâtiment ou un lot absent ; rien n’a été pris", where="batiment_ref",
                       faults=faults[:50], remedy="envoyez les bâtiments, puis les lots, avant ce qui les nomme",
                       count=len(faults))  # fmt: skip


def _tell(holder: Holder, taken: Mapping[str, Taken], at: datetime) -> None:
    counts = {name: {"added": one.added, "changed": one.changed, "removed": one.removed} for name, one in taken.items()}
    record(kind=events.SENT, territory=holder.territory, subject=events.subject_of(holder.owner), at=at, payload=counts)
