"""What is known of unfit housing: figures by block, orders for their service, what was published for everybody.

Who belongs to the housing service reads its datasets. Other agents and officials read figures by block, those of fewer
than `least` kept quiet, and those that would give them away too. The public reads what was published, and nothing else.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import shapely

from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Unfit
from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.models import UnfitPublication
from beffroi.sense.twin.premises.queries import STAFF, all_lots
from beffroi.sense.twin.unfit.blocks import Block, Blocks
from beffroi.sense.twin.written import key_among, read_rows

BLOCKS, ORDER = "blocks", "order"
LEAKING = ("F", "G")
COUNTS = ("reports", "files", "inspections", "orders", "vacant", "leaking")
"""What is counted by block, and kept quiet where it is small."""


class UnfitRefused(Refused):
    """These figures are for the agents and officials of the town, the orders for their service."""


class OrderNotFound(NotFound):
    """No such order."""


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """A block: counts are None when they are not told. `known` dwellings have a state, `labels` an energy label."""

    block: Block
    reports: int | None
    files: int | None
    inspections: int | None
    orders: int | None
    vacant: int | None
    leaking: int | None
    known: int
    labels: int

    @property
    def weight(self) -> int:
        """Return what blocks are ranked by: files, reports, inspections and orders that may be told."""
        return sum(one or 0 for one in (self.reports, self.files, self.inspections, self.orders))


@dataclass(frozen=True, slots=True)
class TownUnfit:
    """The blocks where something is known, the heaviest first. `whole` says it tells every number."""

    blocks: tuple[BlockFigures, ...]
    whole: bool
    least: int
    sources: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class OrderInfo:
    """An order (CCH, art. L511-1 s.). Days are None where there is none; `published` is the number of its publication.

    `dwelling` is the one aimed at, which is never published; `address` is that of the building.
    """

    number: str
    police: str
    urgent: bool
    signed_on: date | None
    notified_on: date | None
    lifted_on: date | None
    dwelling: str
    address: str
    published: int | None

    def refusal(self, today: date) -> str:
        """Return why it may not be published: `notice`, `lifted`, `published`; empty when it may."""
        if self.published is not None:
            return "published"
        if self.lifted_on is not None and self.lifted_on <= today:
            return "lifted"
        if self.notified_on is None or self.notified_on > today:
            return "notice"
        return ""


@dataclass(frozen=True, slots=True)
class PublicationInfo:
    """An act of publication, what it showed, and how it was undone; people by their number."""

    number: int
    kind: str
    subject: str
    values: Any
    reason: str
    author: int | None
    published_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: int | None
    withdrawn_reason: str


def entitled(viewer: Viewer, territory: str, wanted: Unfit) -> bool:
    """Tell whether a viewer belongs to the service of unfit housing: a person, never a key."""
    return viewer.scopes is None and f"service:{wanted.service}" in viewer.clearances(territory)


def require_entitled(viewer: Viewer, territory: str, wanted: Unfit) -> None:
    """Let the agents of the housing service through.

    Raises:
        UnfitRefused: anybody else.
    """
    if not entitled(viewer, territory, wanted):
        raise UnfitRefused("les arrêtés et leur publication sont au service de l’habitat",
                           remedy="demandez à un administrateur d’entrer dans ce service")  # fmt: skip


def town_unfit(
    viewer: Viewer, territory: str, wanted: Unfit, *, reported: Sequence[tuple[float, float]] = ()
) -> TownUnfit | None:
    """Return what is known by block, None when the town has no such data.

    Args:
        reported: places (longitude, latitude) of what residents reported here.

    Raises:
        UnfitRefused: the viewer is neither agent nor official of the town.
    """
    if not any(viewer.has(role, territory) for role in STAFF):
        raise UnfitRefused("l’habitat indigne est lu par les agents et les élus de la commune",
                           remedy="demandez ce rôle à un administrateur")  # fmt: skip
    made = _read(territory, wanted)
    if made is None:
        return None
    counts = Counter(one for one in made.blocks.of(list(reported)) if one >= 0)
    rows = [replace(one, reports=counts[one.block.number - 1]) for one in made.figures]
    whole = entitled(viewer, territory, wanted)
    told = rows if whole else _quiet(rows, wanted)
    shown = [one for one in told if _something(one)]
    shown.sort(key=lambda one: (-one.weight, -(one.vacant or 0), one.block.number))
    return TownUnfit(tuple(shown), whole, wanted.least, made.sources)


def _something(one: BlockFigures) -> bool:
    """Tell whether anything is told of a block beside its labels."""
    return any(getattr(one, name) for name in COUNTS if name != "leaking")


def _quiet(rows: Sequence[BlockFigures], wanted: Unfit) -> list[BlockFigures]:
    """Return rows without small numbers, none included: that there is none must not be told from that there are few.

    No total is told beside them, so that none is found by subtraction. Labels are open data: they are everybody's.
    """
    told = []
    for one in rows:
        small = {name: None for name in COUNTS if name != "leaking" and getattr(one, name) < wanted.least}
        vacant = one.vacant or 0
        # LOVAC's own rule, on both sides: all but a few vacant tells as much as a few.
        if min(vacant, one.known - vacant) < wanted.premises.least:
            small["vacant"] = None
        told.append(replace(one, **small))  # type: ignore[arg-type]
    return told


# --- Orders and publications ------------------------------------------------------------------------------------------


def orders(viewer: Viewer, territory: str, wanted: Unfit) -> list[OrderInfo]:
    """Return the orders of a town, the last signed first.

    Raises:
        UnfitRefused: the viewer does not belong to the housing service.
    """
    require_entitled(viewer, territory, wanted)
    return read_orders(territory, wanted)


def read_orders(territory: str, wanted: Unfit) -> list[OrderInfo]:
    """Return the orders with the eyes of the housing service, whoever asks."""
    eyes, details = _eyes(territory, wanted), _details(territory, wanted)
    keys = ("numero", "police", "urgence", "date_arrete", "date_notification", "date_mainlevee", "logement", "adresse")
    rows = _rows(eyes, details.get(wanted.orders), keys)
    live = UnfitPublication.objects.filter(territory=territory, kind=ORDER, withdrawn_at=None)
    published = dict(live.values_list("subject", "pk"))
    found = [
        OrderInfo(
            str(row["numero"]), str(row.get("police") or ""), row.get("urgence") in (True, "oui"),
            _day(row.get("date_arrete")), _day(row.get("date_notification")), _day(row.get("date_mainlevee")),
            str(row.get("logement") or ""), str(row.get("adresse") or ""), published.get(str(row["numero"])),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.signed_on or date.min, one.number), reverse=True)


def publications(viewer: Viewer, territory: str, wanted: Unfit) -> list[PublicationInfo]:
    """Return every act of publication, undone or not, the last first.

    Raises:
        UnfitRefused: the viewer neither belongs to the housing service nor administers the town.
    """
    if not viewer.has(Role.ADMINISTRATOR, territory):
        require_entitled(viewer, territory, wanted)
    rows = UnfitPublication.objects.filter(territory=territory)
    return [_info(row) for row in rows.order_by("-published_at", "-pk")]


def published(territory: str, wanted: Unfit, *, today: date) -> list[PublicationInfo]:
    """Return what the public is told, the last act first: an order since lifted, or gone, is not told any more."""
    known = {one.number: one for one in read_orders(territory, wanted)}
    rows = UnfitPublication.objects.filter(territory=territory, withdrawn_at=None).order_by("-published_at", "-pk")
    return [
        _info(row)
        for row in rows
        if row.kind == BLOCKS or (row.subject in known and _in_force(known[row.subject], today))
    ]


def _in_force(one: OrderInfo, today: date) -> bool:
    return one.lifted_on is None or one.lifted_on > today


def _info(row: UnfitPublication) -> PublicationInfo:
    return PublicationInfo(
        row.pk, row.kind, row.subject, row.values, row.reason, row.author_id, row.published_at, row.withdrawn_at,
        row.withdrawn_by_id, row.withdrawn_reason,
    )  # fmt: skip


_RANK = r"(?:n[°o]\s*)?(?:\d+(?!\d*\s*(?:er|[eè]me|e)\b)\w?|[a-z](?!['’\w]))"
_INNER = re.compile(
    r"\s*[,;(].*"
    r"|\s+(?:app|appt|apt|appart|appartement|logt|logement|b[âa]t|b[âa]timent|studio)\b.*"
    # Words of street names too: they lead to a dwelling when a number or a letter follows.
    rf"|\s+(?:lot|porte|pte|[ée]tage|[ée]t|esc|escalier|chambre)\.?\s*{_RANK}\b.*"
    r"|\s+\d+\s*(?:er|[eè]me|e)\s+[ée]tage.*"
    r"|\s+chez\s+(?:m|mr|mme|mlle)\b.*",
    re.IGNORECASE,
)
"""What leads from the door of a building to one dwelling in it, or to somebody."""


def public_address(text: str) -> str:
    """Return the address of a building, without what leads to one dwelling in it.

    >>> public_address("12 bis Rue Haute, appartement 4"), public_address("3 Rue Basse Appt 12 chez M. X")
    ('12 bis Rue Haute', '3 Rue Basse')
    >>> public_address("7 Rue de la Porte Neuve porte B"), public_address("5 Rue du Lot 2e étage")
    ('7 Rue de la Porte Neuve', '5 Rue du Lot')
    """
    return _INNER.sub("", " ".join(text.split())).strip()


# --- Reading the lake -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    blocks: Blocks
    figures: tuple[BlockFigures, ...]
    sources: tuple[tuple[str, datetime], ...]


def _eyes(territory: str, wanted: Unfit) -> Viewer:
    return Viewer(None, (Grant(territory, Role.AGENT, frozenset({wanted.service})),))


def _details(territory: str, wanted: Unfit) -> dict[str, DatasetDetail]:
    eyes = _eyes(territory, wanted)
    slugs = (wanted.files, wanted.inspections, wanted.orders, wanted.labels, wanted.parcels, wanted.addresses)
    known = [one for one in lake.datasets(eyes, territory=territory) if one.ref.slug in slugs]
    return {one.ref.slug: lake.dataset(eyes, one.ref, version=one.version) for one in known}


def _read(territory: str, wanted: Unfit) -> _Made | None:
    details = _details(territory, wanted)
    if wanted.files not in details or wanted.parcels not in details:
        return None
    lots = all_lots(territory, wanted.premises)
    versions = tuple((slug, one.summary.version) for slug, one in sorted(details.items()))
    key = (territory, versions, lake.edits_mark(territory), id(lots))
    with _holding:
        if key not in _held:
            _held[key] = (_made(territory, wanted, details), lots)
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key][0]


def _made(territory: str, wanted: Unfit, details: dict[str, DatasetDetail]) -> _Made:
    eyes = _eyes(territory, wanted)
    blocks = Blocks(eyes, details[wanted.parcels], details.get(wanted.addresses))
    homes = [one for one in all_lots(territory, wanted.premises) if one.use == "logement" and one.place]
    homes = [one for one in homes if one.vacant is not None]
    at_home = blocks.of([one.place for one in homes if one.place])
    known = Counter(at_home)
    vacant = Counter(block for one, block in zip(homes, at_home, strict=True) if one.vacant)
    labels = _rows(eyes, details.get(wanted.labels), ("etiquette_dpe", GEOMETRY))
    labels = [row for row in labels if row.get("etiquette_dpe") and row.get(GEOMETRY)]
    at_label = blocks.of(_places(labels))
    leaking = Counter(
        block for row, block in zip(labels, at_label, strict=True) if row["etiquette_dpe"] in LEAKING
    )  # fmt: skip
    counted = {
        name: Counter(blocks.of(_places(_in_course(eyes, details.get(slug)))))
        for name, slug in (("files", wanted.files), ("inspections", wanted.inspections), ("orders", wanted.orders))
    }
    all_labels = Counter(at_label)
    figures = tuple(
        BlockFigures(
            one, 0, counted["files"][rank], counted["inspections"][rank], counted["orders"][rank], vacant[rank],
            leaking[rank], known[rank], all_labels[rank],
        )
        for rank, one in enumerate(blocks.blocks)
    )  # fmt: skip
    sources = tuple((one.summary.title, one.summary.updated_at) for one in details.values())
    return _Made(blocks, figures, sources)


def _in_course(eyes: Viewer, detail: DatasetDetail | None) -> list[dict[str, Any]]:
    """Return the places of a dataset; an order that was lifted counts no more."""
    return [row for row in _rows(eyes, detail, (GEOMETRY, "date_mainlevee")) if not row.get("date_mainlevee")]


def _rows(eyes: Viewer, detail: DatasetDetail | None, keys: Sequence[str]) -> list[dict[str, Any]]:
    if detail is None:
        return []
    known = [
        key for key in keys
        if (key == GEOMETRY and detail.summary.geometry_type) or (key != GEOMETRY and key_among(detail, (key,)))
    ]  # fmt: skip
    return [dict(zip(known, row, strict=True)) for row in read_rows(eyes, detail, *known)]


def _places(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    shapes = [bytes(row[GEOMETRY]) for row in rows if row.get(GEOMETRY)]
    at = shapely.get_coordinates(shapely.point_on_surface(shapely.from_wkb(shapes))).tolist()
    return [(float(x), float(y)) for x, y in at]


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


_held: OrderedDict[object, tuple[_Made, object]] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 2
