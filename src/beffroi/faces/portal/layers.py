"""A service of the `layers` engine: what the map shows, told as a list that needs no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.catalogue.definition import UseCase
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.energy import EnergyTable, energy_table
from beffroi.faces.portal.floods import FloodTable, flood_table
from beffroi.faces.portal.hours import HoursLine, hours_lines, tells_hours
from beffroi.faces.portal.layer_asked import Asked, AskedLayers, Moment, asked_layers, moment
from beffroi.faces.portal.layer_figures import FigureTable, figure_tables
from beffroi.faces.portal.layer_look import Mark, colour_of, look_config, mark_of, marks_of, sentence_of, title_of
from beffroi.faces.portal.layer_near import Away, away_of
from beffroi.faces.portal.layer_spots import SpotTable, spot_table
from beffroi.faces.portal.mapping import DrawnMap, LayerShow, layers_map, shown_title
from beffroi.faces.portal.painting import Painting, painting
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.tables import cell
from beffroi.faces.portal.underground.words import Told, told_here
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.overlays import Overlay, open_overlays
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import FIELD, Look, Settings
from beffroi.lake.queries import DatasetDetail, DatasetRef, DatasetSummary, TilesState
from beffroi.lake.reading import Column
from beffroi.sense.twin.queries import town_buildings

ENGINE = "layers"


class BadPage(BeffroiError):
    """The address asks for a page of a list that cannot be."""


MOST_LISTED, MOST_NEAR = 20, 20
MOST_READ = 5_000
PAGE = 1_000
MOST_FACTS = 6
# The parts of an address in the national schemas, in the order they are written.
_ADDRESS = (("adr_numero", "adr_nomvoie"), ("adr_num", "adr_voie"), ("numero", "voie"), ("adresse",))


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing told of a place; `phone` is set where the text can be dialled."""

    title: str
    text: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the list: what it is, where, when; `is_open` is None when its hours are not known."""

    id: str
    name: str
    address: str
    hours: tuple[HoursLine, ...]
    hours_as_written: str
    facts: tuple[Fact, ...]
    sentence: str = ""
    mark: Mark | None = None
    is_open: bool | None = None
    away: Away | None = None

    @property
    def mark_label(self) -> str:
        """Return the class of the place, empty when its sentence says it already."""
        label = self.mark.label if self.mark else ""
        return "" if label.casefold() in self.sentence.casefold() else label


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A dataset of the service: its places, how many there are in all, where it comes from and when."""

    ref: DatasetRef
    title: str
    source: str
    updated_at: datetime
    rhythm: str
    total: int
    places: tuple[Place, ...]
    marks: tuple[Mark, ...] = ()
    licence: str = ""
    kept_ids: tuple[str, ...] | None = None
    geometry: str = ""
    start: int = 0

    @property
    def first(self) -> int:
        """Return the rank of the first place listed, from 1."""
        return self.start + 1

    @property
    def last(self) -> int:
        """Return the rank of the last place listed."""
        return self.start + len(self.places)

    @property
    def size(self) -> int:
        """Return how many places a page lists."""
        return MOST_LISTED

    @property
    def page_prefix(self) -> str:
        """Return what the address says before how many places come first: several lists may be on one page."""
        return f"{self.ref.slug}:"

    @property
    def anchor(self) -> str:
        """Return where the list is on the page."""
        return f"liste-{self.ref.slug}"


@dataclass(frozen=True, slots=True)
class ShownLayers:
    """What the page of the service shows; `map` is None while none can be drawn."""

    datasets: tuple[ListedDataset, ...]
    map: DrawnMap | None
    asked: AskedLayers
    figures: tuple[FigureTable, ...] = ()
    spots: SpotTable | None = None
    offline: bool = False
    painted: Painting | None = None
    live: tuple[Overlay, ...] = ()
    energy: EnergyTable | None = None
    floods: FloodTable | None = None
    underground: Told | None = None

    @property
    def count(self) -> int:
        """Return how many places answer what is asked."""
        return sum(one.total for one in self.datasets)

    @property
    def nearest(self) -> tuple[ListedDataset, Place] | None:
        """Return the first of all the places ranked by the way to them, None when none is."""
        ranked = [(one, place) for one in self.datasets for place in one.places[:1] if place.away]
        return min(ranked, key=lambda pair: pair[1].away.order if pair[1].away else 0.0, default=None)


def shown_layers(request: Request, use_case: UseCase) -> ShownLayers | None:
    """Return what a use case shows of the town's data to this reader, None when it shows no layers."""
    wanted: Settings | None = use_case.settings.get(ENGINE)
    if wanted is None or not request.commune:
        return None
    viewer, hour = request.viewer, moment(request.commune.code, request.commune.timezone, now())
    known = town_datasets(request)
    by_slug = {one.ref.slug: one for one in known}
    chosen = [by_slug[slug] for slug in wanted.datasets if slug in by_slug]
    details = {one.ref.slug: (one, lake.dataset(viewer, one.ref)) for one in chosen}
    asked = asked_layers(request.GET, wanted, list(details.values()), viewer=viewer, citycode=territory_of(request))
    starts = _asked_page(request.GET.get("debut", ""))
    listed = tuple(
        _listed(
            viewer, *details[one.ref.slug], wanted=wanted, asked=asked, hour=hour, start=starts.get(one.ref.slug, 0)
        )
        for one in chosen
    )
    shows = [
        LayerShow(one, _colour(one, wanted), _config(one, wanted, asked, kept, details), usage=use_case.id)
        for one, kept in zip(chosen, listed, strict=True)
        if one.geometry_type and lake.tiles_state(viewer, one.ref) is TilesState.READY
    ]
    where = {slug: asked.of(slug, detail.columns).where for slug, (_one, detail) in details.items()}
    painted = _painted(viewer, known, use_case, wanted)
    paint = painted.config() if painted else None
    live = tuple(one for one in open_overlays(request) if one.slug in wanted.live)
    drawn = layers_map(
        viewer, shows, known, volumes=wanted.volumes or painted is not None, paint=paint, overlays=live
    ) if shows else None  # fmt: skip
    return ShownLayers(
        listed,
        drawn,
        asked,
        figure_tables(viewer, wanted.figures, details, where),
        spot_table(viewer, request.commune.code, wanted.spots),
        offline=wanted.offline,
        painted=painted,
        live=live,
        energy=energy_table(viewer, known, use_case) if wanted.energy else None,
        floods=_floods(request, known, wanted),
        underground=_underground(request, known, wanted),
    )


def _floods(request: Request, known: Sequence[DatasetSummary], wanted: Settings) -> FloodTable | None:
    if wanted.floods is None:
        return None
    return flood_table(request.viewer, known, wanted.floods, request.GET, territory=territory_of(request))


def _underground(request: Request, known: Sequence[DatasetSummary], wanted: Settings) -> Told | None:
    if wanted.underground is None:
        return None
    return told_here(request.viewer, known, wanted.underground, request.GET, territory=territory_of(request))


def _painted(viewer: Viewer, known: Sequence[DatasetSummary], use_case: UseCase, wanted: Settings) -> Painting | None:
    """Return the buildings in the classes of the service, None when it asks for none, or the town has no buildings."""
    look = wanted.look(wanted.painted) if wanted.painted else None
    is_known = any(one.ref.slug == wanted.painted for one in known)
    if look is None or not is_known or town_buildings([one for one in known if one.geometry_type]) is None:
        return None
    return painting(viewer, known, slug=look.dataset, key=look.column, use_case=use_case)


def _colour(summary: DatasetSummary, wanted: Settings) -> str:
    return colour_of(summary, wanted.look(summary.ref.slug))


def _asked_page(text: str) -> dict[str, int]:
    """Read `debut=jeu:rang`: the rank of the first place listed of one dataset.

    Raises:
        BadPage: not that form.
    """
    if not text:
        return {}
    slug, _colon, rank = text.partition(":")
    first = whole_number(rank)
    if first is None:
        raise BadPage(
            gettext_noop("« {text} » n’est pas une page de la liste"),
            where="debut",
            remedy=gettext_noop("suivez les liens de la liste"),
            text=text[:40],
        )
    return {slug: first}


def _config(
    summary: DatasetSummary,
    wanted: Settings,
    asked: AskedLayers,
    kept: ListedDataset,
    details: Mapping[str, tuple[DatasetSummary, DatasetDetail]],
) -> dict[str, Any]:
    """Return how the map draws a dataset, and which of its things: those that answer what is asked."""
    slug = summary.ref.slug
    of = asked.of(slug, details[slug][1].columns)
    return {
        "look": look_config(wanted.look(slug)),
        "where": [[one.column, one.op, str(one.value)] for one in of.where],
        "only": list(kept.kept_ids) if of.open_column and kept.kept_ids is not None else None,
    }


def listed_dataset(viewer: Viewer, summary: DatasetSummary, wanted: Sequence[str], *, most: int) -> ListedDataset:
    """Return the first `most` places of a dataset by name, with the facts of the columns `wanted`."""
    page = lake.table(viewer, summary.ref, limit=most)
    rows = [_row(page.columns, row) for row in page.rows]
    return _of_rows(summary, page.columns, page.ids, rows, total=page.total, wanted=wanted)


def _row(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip((column.key for column in columns), row, strict=True))


def _listed(
    viewer: Viewer,
    summary: DatasetSummary,
    detail: DatasetDetail,
    *,
    wanted: Settings,
    asked: AskedLayers,
    hour: Moment,
    start: int,
) -> ListedDataset:
    """Return the places of a dataset that answer what is asked, nearest first when the reader says where she is."""
    of = asked.of(summary.ref.slug, detail.columns)
    look = wanted.look(summary.ref.slug)
    read_all = bool(of.open_column or asked.near)
    named = name_column(detail.columns)
    columns, ids, rows, total = _read(
        viewer, summary.ref, of, most=MOST_READ if read_all else MOST_LISTED, start=0 if read_all else start,
        order=named.key if named else None,
    )  # fmt: skip
    if of.open_column:
        opened = [rank for rank, row in enumerate(rows) if hour.is_open(row.get(of.open_column))]
        ids, rows = [ids[rank] for rank in opened], [rows[rank] for rank in opened]
        total = len(ids)
    kept = tuple(ids) if of.open_column else None
    away: Mapping[str, Away] = {}
    if asked.near is not None and summary.geometry_type:
        away = away_of(viewer, summary.ref, ids, where=of.where, near=asked.near, most=MOST_NEAR)
        order = sorted((rank for rank, one in enumerate(ids) if one in away), key=lambda rank: away[ids[rank]].order)
        ids, rows = [ids[rank] for rank in order], [rows[rank] for rank in order]
    # What was read whole is cut here; near a place, only the nearest are ranked: they make one page.
    page = slice(start, start + MOST_LISTED) if read_all and not away else slice(0, MOST_LISTED)
    return _of_rows(
        summary, columns, ids[page], rows[page], total=len(ids) if away else total,
        start=0 if away else start, wanted=wanted.columns, look=look,
        hour=hour if any(one.kind == "open" for one in wanted.filters) else None, away=away, kept=kept,
    )  # fmt: skip


def _read(
    viewer: Viewer, ref: DatasetRef, of: Asked, *, most: int, start: int = 0, order: str | None = None
) -> tuple[tuple[Column, ...], list[str], list[dict[str, Any]], int]:
    ids: list[str] = []
    rows: list[dict[str, Any]] = []
    while True:
        page = lake.table(
            viewer, ref, where=of.where, limit=min(PAGE, most - len(ids)), offset=start + len(ids), order_by=order
        )
        ids += page.ids
        rows += [_row(page.columns, row) for row in page.rows]
        if page.next_offset is None or len(ids) >= most:
            return page.columns, ids, rows, page.total


def _of_rows(
    summary: DatasetSummary,
    columns: Sequence[Column],
    ids: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    total: int,
    wanted: Sequence[str],
    look: Look | None = None,
    hour: Moment | None = None,
    away: Mapping[str, Away] | None = None,
    kept: tuple[str, ...] | None = None,
    start: int = 0,
) -> ListedDataset:
    named = name_column(columns)
    places = [
        _place(one, row, columns, named, wanted, look, hour, (away or {}).get(one))
        for one, row in zip(ids, rows, strict=True)
    ]
    return ListedDataset(
        ref=summary.ref,
        title=(look.label if look else "") or shown_title(summary),
        source=summary.producer,
        updated_at=summary.updated_at,
        rhythm=summary.rhythm,
        total=total,
        places=tuple(places if away else sorted(places, key=lambda place: folded(place.name))),
        marks=marks_of(summary, look),
        licence=summary.licence,
        kept_ids=kept,
        geometry=summary.geometry_type or "",
        start=start,
    )


def _place(
    feature_id: str,
    row: Mapping[str, Any],
    columns: Sequence[Column],
    named: Column | None,
    wanted: Sequence[str],
    look: Look | None,
    hour: Moment | None,
    away: Away | None,
) -> Place:
    timed = next((column for column in columns if tells_hours(column)), None)
    text = row.get(timed.key) if timed else None
    lines = hours_lines(text)
    name = title_of(row, columns, look) or (str(row.get(named.key) or "") if named else "")
    sentence = sentence_of(row, columns, look)
    # What the sentence says is not said again.
    said = set(FIELD.findall(" ".join([*look.sentence, look.named]))) if look and sentence else set()
    own = {column.key for column in (named, timed) if column} | said
    by_key = {column.key: column for column in columns if column.key not in own}
    told = [by_key[key] for key in wanted if key in by_key and row[key] not in (None, "")]
    return Place(
        id=feature_id,
        name=name or _("Élément {n}").format(n=feature_id),
        address="" if said else _address(row),
        hours=() if timed and timed.key in said else lines,
        hours_as_written="" if lines or not text or (timed and timed.key in said) else str(text),
        facts=tuple(fact_of(row[column.key], column) for column in told[:MOST_FACTS]),
        sentence=sentence,
        mark=mark_of(row, look),
        is_open=hour.is_open(text) if hour and timed else None,
        away=away,
    )


def fact_of(value: Any, column: Column) -> Fact:
    """Return one thing told of a place; what is a telephone number can be dialled."""
    text = cell(value, column).text
    if not {"tel", "telephone"} & set(column.key.split("_")):
        return Fact(column.title, f"{text}\u00a0{column.unit}" if column.unit else text)
    digits = text.replace(" ", "")
    local = f"0{digits.removeprefix('+33')}" if digits.startswith("+33") else digits
    return Fact(column.title, "\u00a0".join(local[at : at + 2] for at in range(0, len(local), 2)), phone=digits)


def _address(row: Mapping[str, Any]) -> str:
    for keys in _ADDRESS:
        if all(key in row for key in keys):
            return " ".join(str(row[key]) for key in keys if row[key] not in (None, ""))
    return ""


def told_by(use_case: UseCase, slug: str, properties: Mapping[str, Any], columns: Sequence[Column]) -> tuple[str, str]:
    """Return how a use case names one thing and what it says of it, both empty when it says nothing of its dataset."""
    wanted: Settings | None = use_case.settings.get(ENGINE)
    look = wanted.look(slug) if wanted else None
    return title_of(properties, columns, look), sentence_of(properties, columns, look)
