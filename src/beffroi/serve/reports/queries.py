"""What can be asked about reports; rights are cut in the query. See docs/rooms/reports.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import shapely
from django.db.models import Q, QuerySet

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OPEN, CaseNotFound, Sight, Status, case_not_found
from beffroi.serve.cases.queries import CaseInfo, PartyInfo
from beffroi.serve.reports.categories import OpenCategory as OpenCategory
from beffroi.serve.reports.categories import categories_for as categories_for
from beffroi.serve.reports.categories import category_for as category_for
from beffroi.serve.reports.categories import found_by_words as found_by_words
from beffroi.serve.reports.categories import open_categories
from beffroi.serve.reports.filters import PAGE_SIZE as PAGE_SIZE
from beffroi.serve.reports.filters import ReportFilter as ReportFilter
from beffroi.serve.reports.filters import filtered
from beffroi.serve.reports.likeness import Likeness, Sought, likenesses
from beffroi.serve.reports.models import Match, Report
from beffroi.serve.reports.places import Place, ground
from beffroi.serve.reports.popular import popular_categories as popular_categories
from beffroi.serve.reports.trust import trust_level as trust_level

# Counting stops there: « plus de 10 000 » says as much, and stays quick.
MOST_COUNTED = 10_000
MAP_MOST = 2_000


@dataclass(frozen=True, slots=True)
class ReportInfo:
    """A report as one reader sees it: its request (`case`) and what is its own. Degrees are CRS84.

    `zone` is a GeoJSON polygon or "". `private_details` is for its service and those who made it. `photos` are numbers
    of attachments this reader may open, `reporters` how many made or follow it, joined ones included.
    """

    case: CaseInfo
    use_case: str
    label: str
    lon: float
    lat: float
    address: str
    street: str
    district: str
    zone: str
    dataset: str
    feature: str
    details: Mapping[str, Any]
    private_details: Mapping[str, Any]
    lasting: bool
    expires_at: datetime | None
    still_there: int
    gone: int
    source: str
    photos: tuple[int, ...] = ()
    reporters: int = 1

    @property
    def number(self) -> str:
        """Return the number people quote."""
        return self.case.number


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of a list. `total` stops at `MOST_COUNTED`, and is then a « more than »."""

    items: tuple[ReportInfo, ...]
    total: int
    page: int
    size: int

    @property
    def has_more(self) -> bool:
        """Tell whether another page follows."""
        return self.page * self.size < self.total


@dataclass(frozen=True, slots=True)
class MapPoint:
    """A report as a point of the map: enough to draw it and to open it."""

    number: str
    category: str
    status: Status
    lon: float
    lat: float
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Similar:
    """A report that may be about the same thing, how alike (0 to 1) and how far."""

    report: ReportInfo
    score: float
    distance_m: float
    same_object: bool = False


# --- Lists ------------------------------------------------------------------------------------------------------------


def reports(
    viewer: Viewer,
    territory: str,
    wanted: ReportFilter | None = None,
    *,
    at: datetime,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> ReportPage:
    """Return the reports of a town that the viewer may know of: public ones to everyone, her services' to an agent.

    Joined reports are left out, their lead stands for them. Four queries, however many there are.
    """
    return _page(viewer, territory, cases.readable(viewer, territory, prefix="case__"), wanted, at, page, size)


def public_reports(
    territory: str, wanted: ReportFilter | None = None, *, at: datetime, page: int = 1, size: int = PAGE_SIZE
) -> ReportPage:
    """Return the reports of a town that everybody may know of, as everybody sees them; for feeds and snapshots."""
    return _page(Viewer(), territory, cases.public(territory, prefix="case__"), wanted, at, page, size)


def queue(
    viewer: Viewer,
    territory: str,
    wanted: ReportFilter | None = None,
    *,
    at: datetime,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> ReportPage:
    """Return the reports of the services the viewer works in, the most pressing first; nothing to anyone else."""
    wanted = _of_the_queue(viewer, territory, wanted)
    if not wanted.services:
        return ReportPage((), 0, page, size)
    return _page(viewer, territory, Q(case__territory=territory), wanted, at, page, size)


def _of_the_queue(viewer: Viewer, territory: str, wanted: ReportFilter | None) -> ReportFilter:
    """Return the filter of the queue of the services the viewer works in; it names no service when there is none."""
    wanted = wanted or ReportFilter()
    mine = cases.services_of(viewer, territory)
    services = tuple(sorted(mine & set(wanted.services) if wanted.services else mine))
    return replace(wanted, services=services, order=wanted.order or "due", statuses=wanted.statuses or ("open",))


def following(
    viewer: Viewer, territory: str, wanted: ReportFilter | None = None, *, after: str, at: datetime
) -> str | None:
    """Return the number of the report that follows one in the viewer's queue, None after the last.

    `after` keeps its place once it has left the queue, closed for instance; when it is none of the viewer's services,
    the head of the queue is returned. One look at an index per service, and one for `after`.
    """
    wanted = _of_the_queue(viewer, territory, wanted)
    place = Q()
    if is_number(after):
        known = Report.objects.filter(pk=cases.case_id_of(after), case__territory=territory)
        known = known.filter(case__service__in=cases.services_of(viewer, territory))
        for due_at, key in known.values_list("case__due_at", "pk"):
            # The first half alone is a range of the index of the queue.
            place = Q(case__due_at__gte=due_at) & (Q(case__due_at__gt=due_at) | Q(pk__gt=key))
    heads = _heads(Q(case__territory=territory) & place, wanted, at, 1)
    return cases.number_of(min(heads)[1]) if heads else None


def map_points(
    viewer: Viewer, territory: str, wanted: ReportFilter | None = None, *, at: datetime, limit: int = MAP_MOST
) -> list[MapPoint]:
    """Return the reports of a town as points, the last ones first, cut as `reports` is; one query."""
    readable, own = cases.readable(viewer, territory, prefix="case__"), cases.services_of(viewer, territory)
    rows = filtered(_base(readable), wanted or ReportFilter(), at=at, own=own)
    fields = ("pk", "case__category", "case__status", "lon", "lat", "case__opened_at")
    return [
        MapPoint(cases.number_of(key), category, Status(status), lon, lat, opened_at)
        for key, category, status, lon, lat, opened_at in rows.order_by("-pk").values_list(*fields)[:limit]
    ]


def _base(readable: Q, wanted: ReportFilter | None = None) -> QuerySet[Report]:
    """Return the rows of a list: a merged report is left to its lead, unless it is asked for by its own number."""
    rows = Report.objects.filter(readable)
    return rows if wanted is not None and wanted.numbers else rows.filter(case__lead=None)


def _page(
    viewer: Viewer, territory: str, readable: Q, wanted: ReportFilter | None, at: datetime, page: int, size: int
) -> ReportPage:
    wanted = wanted or ReportFilter()
    page, size = max(1, page), max(1, min(size, 1000))
    rows = filtered(_base(readable, wanted), wanted, at=at, own=cases.services_of(viewer, territory))
    total = rows.order_by()[: MOST_COUNTED + 1].count()
    order = {"due": ("case__due_at", "case_id"), "changed": ("-case__changed_at", "-case_id")}
    start = (page - 1) * size
    if wanted.order == "due" and len(wanted.services) > 1:
        pressing = _pressing(readable, wanted, at, start, size)
        return ReportPage(tuple(_infos(viewer, territory, pressing)), total, page, size)
    chosen = rows.select_related("case__lead" if wanted.numbers else "case").order_by(
        *order.get(wanted.order, ("-case_id",))
    )[start : start + size]
    return ReportPage(tuple(_infos(viewer, territory, chosen)), total, page, size)


def _pressing(readable: Q, wanted: ReportFilter, at: datetime, start: int, size: int) -> list[Report]:
    """Return a page of the queue of several services: the head of each, read in the order of its index, then merged."""
    heads = _heads(readable, wanted, at, start + size)
    keys = [key for _, key in sorted(heads)[start : start + size]]
    found = Report.objects.select_related("case").in_bulk(keys)
    return [found[key] for key in keys]


def _heads(readable: Q, wanted: ReportFilter, at: datetime, most: int) -> list[tuple[datetime, int]]:
    """Return the due date and the key of the first reports of each service's queue."""
    heads: list[tuple[datetime, int]] = []
    for service in wanted.services:
        rows = filtered(_base(readable), replace(wanted, services=(service,)), at=at, own=frozenset(wanted.services))
        heads += rows.order_by("case__due_at", "case_id").values_list("case__due_at", "pk")[:most]
    return heads


def _infos(viewer: Viewer, territory: str, rows: Iterable[Report]) -> list[ReportInfo]:
    """Return what the viewer sees of rows; two queries more, for photos and reporters."""
    found = list(rows)
    keys = [row.case_id for row in found]
    photos, reporters = cases.public_photos(keys), cases.party_counts(keys)
    labels = {code: one.category.label for code, one in open_categories(territory).items()} if found else {}
    infos = []
    for row in found:
        sight = cases.sight(viewer, row.case)
        shown = photos.get(row.case_id, ()) if row.case.published or sight >= Sight.AGENT else ()
        infos.append(
            _info(row, cases.case_info(row.case, sight), labels, photos=shown, reporters=reporters.get(row.case_id, 1))
        )
    return infos


def _info(
    row: Report,
    case: CaseInfo,
    labels: Mapping[str, str],
    *,
    photos: tuple[int, ...],
    reporters: int,
    made_it: bool = False,
) -> ReportInfo:
    reads_private = case.sight is Sight.WORKER or made_it
    return ReportInfo(
        case=case,
        use_case=row.use_case,
        label=labels.get(case.category, case.category),
        lon=row.lon,
        lat=row.lat,
        address=row.address,
        street=row.street,
        district=row.district,
        zone=shapely.to_geojson(shapely.from_wkb(bytes(row.zone_wkb))) if row.zone_wkb else "",
        dataset=row.dataset,
        feature=row.feature,
        details=row.details,
        private_details=row.private_details if reads_private else {},
        lasting=row.lasting,
        expires_at=row.expires_at,
        still_there=row.still_there,
        gone=row.gone,
        source=row.source if case.sight is Sight.WORKER else "",
        photos=photos,
        reporters=reporters,
    )


# --- One report -------------------------------------------------------------------------------------------------------


def is_number(text: str) -> bool:
    """Tell whether `text` has the form of a report's number."""
    try:
        cases.case_id_of(text)
    except CaseNotFound:
        return False
    return True


def report(viewer: Viewer, number: str, *, token: str = "") -> ReportInfo:
    """Return a report; `token` is the follow-up token of one without an account.

    Raises:
        CaseNotFound: there is none, or the viewer may not know of it.
    """
    case = cases.case(viewer, number, token=token)
    row = Report.objects.filter(pk=case.id).first()
    if row is None:
        raise case_not_found()
    files = cases.attachments(viewer, number, token=token)
    made_it = cases.is_maker(viewer, case.id, token=token)
    labels = {code: one.category.label for code, one in open_categories(case.territory).items()}
    return _info(
        row,
        case,
        labels,
        photos=tuple(one.id for one in files if one.media_type.startswith("image/")),
        reporters=cases.party_count(case.id),
        made_it=made_it,
    )


def followed_report(token: str) -> tuple[ReportInfo, PartyInfo]:
    """Return the report that a follow-up token opens, and whose it is.

    Raises:
        CaseNotFound: the token is none of ours, or opens something else.
    """
    case, party = cases.followed_case(token)
    return report(Viewer(), case.number, token=token), party


def own_reports(viewer: Viewer, *, limit: int = 100) -> list[tuple[ReportInfo, PartyInfo]]:
    """Return the reports the viewer made, follows, or filed for somebody else, in any town; the last changed first."""
    mine = cases.own_cases(viewer, kind="report", limit=limit)
    rows = {row.pk: row for row in Report.objects.filter(pk__in=[case.id for case, _ in mine])}
    photos, reporters = cases.public_photos(rows), cases.party_counts(rows)
    found = []
    for case, party in mine:
        if case.id not in rows:
            continue
        labels = {code: one.category.label for code, one in open_categories(case.territory).items()}
        info = _info(
            rows[case.id],
            case,
            labels,
            photos=photos.get(case.id, ()) if case.published or party.made_it else (),
            reporters=reporters.get(case.id, 1),
            made_it=party.made_it,
        )
        found.append((info, party))
    return found


def headings(known: Iterable[CaseInfo]) -> dict[int, tuple[str, str]]:
    """Return the label of its category and the address of each of these requests, by key; one query."""
    towns = {case.id: case for case in known}
    rows = Report.objects.filter(pk__in=towns).order_by().values_list("pk", "address")
    labels: dict[int, str] = {}
    for key, case in towns.items():
        one = open_categories(case.territory).get(case.category)
        labels[key] = one.category.label if one else case.category
    return {key: (labels[key], address) for key, address in rows}


# --- The same thing, or its counterpart -------------------------------------------------------------------------------


def similar_reports(
    viewer: Viewer,
    territory: str,
    *,
    category: str,
    lon: float,
    lat: float,
    at: datetime,
    text: str = "",
    feature: str = "",
    limit: int = 5,
) -> list[Similar]:
    """Return the open reports that may be the one somebody is about to send, the most alike first.

    Only what the viewer may know of: of a restricted category, nothing to those who are not of its service.

    Raises:
        UnknownCategory: nothing can be reported here under that code.
    """
    chosen = category_for(viewer, territory, category).category
    sought = Sought(chosen, Place(lon, lat), text, chosen.object, feature, at)
    return _similar(viewer, territory, sought, limit=limit)


def duplicates_of(viewer: Viewer, number: str, *, limit: int = 5) -> list[Similar]:
    """Return the open reports that may be about the same thing as one, for its service.

    Raises:
        CaseNotFound: the viewer may not know of it.
    """
    info = report(viewer, number)
    known = open_categories(info.case.territory).get(info.case.category)
    if info.case.sight is not Sight.WORKER or known is None:
        return []
    place = Place(info.lon, info.lat)
    text, opened_at = info.case.description, info.case.opened_at
    sought = Sought(known.category, place, text, info.dataset, info.feature, opened_at)
    return _similar(viewer, info.case.territory, sought, limit=limit, but=info.case.id)


def _similar(viewer: Viewer, territory: str, sought: Sought, *, limit: int, but: int = 0) -> list[Similar]:
    found = likenesses(
        sought,
        territory=territory,
        readable=cases.readable(viewer, territory, prefix="case__"),
        categories=tuple(open_categories(territory).values()),
        but=but,
        limit=limit,
    )
    return _with_reports(viewer, territory, found)


def _with_reports(viewer: Viewer, territory: str, found: list[Likeness]) -> list[Similar]:
    rows = Report.objects.select_related("case").filter(pk__in=[one.case_id for one in found]).order_by("pk")
    infos = {info.case.id: info for info in _infos(viewer, territory, rows)} if found else {}
    return [Similar(infos[one.case_id], one.score, one.distance_m, one.same_object) for one in found]


# --- Around reports ---------------------------------------------------------------------------------------------------


def matches(viewer: Viewer, number: str, *, token: str = "") -> list[Similar]:
    """Return the counterparts a lost or found report was brought together with, to its parties and its service.

    Raises:
        CaseNotFound: the viewer may not know of it.
    """
    info = report(viewer, number, token=token)
    if info.case.sight < Sight.PARTY:
        return []
    own = Q(first=info.case.id) | Q(second=info.case.id)
    rows = list(Match.objects.filter(own).order_by("distance_m", "pk").values_list("first", "second", "distance_m"))
    far = {first if first != info.case.id else second: distance for first, second, distance in rows}
    readable = cases.readable(viewer, info.case.territory, prefix="case__")
    others = Report.objects.select_related("case").filter(readable, pk__in=far).order_by("pk")
    infos = _infos(viewer, info.case.territory, others)
    return [Similar(one, 1.0, float(far[one.case.id])) for one in sorted(infos, key=lambda one: far[one.case.id])]


def districts(territory: str, *, at: datetime) -> list[str]:
    """Return the slugs of the districts reports are sorted by."""
    return [slug for slug, _ in ground(territory, minute=int(at.timestamp() // 60)).districts]


def about_object(viewer: Viewer, territory: str, dataset: str, feature: str) -> list[ReportInfo]:
    """Return the open reports about an object, the last first, cut as `reports` is."""
    rows = _base(cases.readable(viewer, territory, prefix="case__")).filter(
        dataset=dataset, feature=feature, case__status__in=OPEN
    )
    return _infos(viewer, territory, rows.select_related("case").order_by("-pk")[:20])
