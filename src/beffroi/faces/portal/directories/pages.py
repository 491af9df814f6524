"""The pages of a directory: its list and map, a sheet, its document, its feed, its places for the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, cast

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.feedgenerator import Atom1Feed, Enclosure
from django.utils.timezone import make_aware
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directories.agenda import events_of, when_facts, when_words
from beffroi.faces.portal.directories.asked import NEAR, Answer, answer, span_of
from beffroi.faces.portal.directories.booklet import Cover, booklet_pdf, entries_of
from beffroi.faces.portal.directories.wording import (
    PlaceTold,
    booklet_lines,
    district_facts,
    facts_of,
    places_of,
    value_words,
    vote_of,
)
from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of, town_datasets
from beffroi.faces.portal.layer_asked import Moment, moment
from beffroi.faces.portal.layer_near import Away, nearest_of
from beffroi.faces.portal.mapping import DrawnMap, overlay_map
from beffroi.faces.portal.views.urgences import numbers
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.calendars import calendar_response
from beffroi.lake import papers
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.lake.reading import Column
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.laying import KEPT_PREFIX
from beffroi.sense.places.directory.missing import missing_services
from beffroi.sense.places.directory.queries import (
    Directory,
    DirectorySettings,
    Extract,
    Sheet,
    SheetNotFound,
)
from beffroi.serve.offers.engine import claims_rules, proposals_rules

PAGE = 20
MOST_MAPPED = 3_000
MOST_FED = 50
PIN = "#12495a"
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Line:
    """One sheet in the list: its page, its first place, how far, the passage that answers."""

    sheet: Sheet
    url: str
    places: tuple[PlaceTold, ...]
    day: date | None
    away: Away | None
    extract: Extract | None
    is_open: bool | None
    when: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What every page of a directory needs: its service, its settings, what it holds for this reader."""

    service: UseCaseView
    settings: DirectorySettings
    held: Directory
    columns: Mapping[str, Mapping[str, Column]]
    summaries: tuple[DatasetSummary, ...]
    hour: Moment


def _opened(request: Request, use_case: str) -> _Opened:
    """Return the directory asked for.

    Raises:
        Http404: the use case is not a directory, or is not open here.
    """
    service = service_of_engine(request, use_case, queries.ENGINE)
    if service is None or not service.is_open:
        raise Http404
    settings: DirectorySettings = service.use_case.settings[queries.ENGINE]
    territory = territory_of(request)
    columns: dict[str, Mapping[str, Column]] = {}
    summaries = []
    for slug in settings.datasets:
        try:
            detail = lake.dataset(request.viewer, DatasetRef(territory, slug))
        except DatasetNotFound:
            continue
        columns[slug] = {column.key: column for column in detail.columns}
        summaries.append(detail.summary)
    more = _kept_columns(request, territory, settings)
    for key, label in settings.labels.items():
        more[key] = replace(more.get(key) or Column(key, label), title=_(label))
    columns = {slug: {**known, **_renamed(more, known)} for slug, known in columns.items()}
    held = queries.directory(request.viewer, territory, service.use_case.id, settings)
    zone = request.commune.timezone if request.commune else "Europe/Paris"
    return _Opened(service, settings, held, columns, tuple(summaries), moment(territory, zone, now()))


def _kept_columns(request: Request, territory: str, settings: DirectorySettings) -> dict[str, Column]:
    """Return the columns of what owners say of their sheets, under the names a directory gives them."""
    if not settings.kept:
        return {}
    try:
        found = lake.dataset(request.viewer, DatasetRef(territory, settings.kept)).columns
    except DatasetNotFound:
        return {}
    return {f"{KEPT_PREFIX}{one.key}": replace(one, key=f"{KEPT_PREFIX}{one.key}") for one in found}


def _renamed(more: Mapping[str, Column], known: Mapping[str, Column]) -> dict[str, Column]:
    """Return columns called as the directory calls them, of the type their dataset gives them."""
    return {key: replace(known[key], title=one.title) if key in known else one for key, one in more.items()}


@open_to(EVERYONE)
@require_safe
def directory(request: HttpRequest, use_case: str) -> HttpResponse:
    """Search a directory: words, facets, near an address; its answers as a list and on a map."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    count_opening(request, opened.service)
    asked = answer(request.GET, opened.held, hour=opened.hour, citycode=territory_of(request))
    lines, total = _lines(request, opened, asked)
    last = asked.start + len(lines)
    spots = opened.held.spots(asked.found.numbers[:MOST_MAPPED])
    context = {
        "service": opened.service.use_case,
        "settings": opened.settings,
        "asked": asked,
        "lines": lines,
        "ready": opened.held.ready,
        "count": opened.held.count,
        "total": total,
        "first": asked.start + 1,
        "last": last,
        "size": PAGE,
        "summaries": opened.summaries,
        "map": _map(request, opened, asked) if spots else None,
        "listening": request.GET.urlencode(),
        **_missing(request, opened),
    }
    return render(request, "portal/directories/list.html", context)


def _missing(request: Request, opened: _Opened) -> dict[str, Any]:
    """Return what people lack and no sheet gives near, in the words of the facet; nothing where none may ask."""
    wanted = opened.settings.wanted
    territory = territory_of(request)
    if wanted is None or proposals_rules(territory, wanted.use_case) is None:
        return {}
    found = missing_services(request.viewer, territory, opened.settings)
    labels = next((one.choices for one in opened.settings.facets if one.kind == "list"), {})
    lines = [(_(labels[one.code]), one) for one in found.services if one.code in labels] if found else []
    return {"missing": found, "missing_lines": lines, "wanted": wanted.use_case}


def _lines(request: Request, opened: _Opened, asked: Answer) -> tuple[list[Line], int]:
    """Return the sheets of the page, nearest first when the reader says where she is, and how many there are."""
    numbers, away = asked.found.numbers, {}
    if asked.near is not None:
        away = _away(request, opened.held, asked.found.numbers, asked.near)
        numbers = tuple(away)
    shown, titled = numbers[asked.start : asked.start + PAGE], set(asked.found.numbers[: asked.found.titled])
    return [_line(opened, one, asked, away.get(one), is_titled=one in titled) for one in shown], len(numbers)


def _away(request: Request, held: Directory, numbers: Sequence[int], near: Address) -> dict[int, Away]:
    """Return how far each sheet that answers is, by its nearest place, nearest first; those nowhere are left out."""
    spots = held.spots(numbers)
    places = [(lon, lat) for _sheet, lon, lat in spots]
    found: dict[int, Away] = {}
    for rank, one in nearest_of(territory_of(request), near, places, most=len(places)).items():
        found.setdefault(spots[rank][0], one)
    return found


def _line(opened: _Opened, number: int, asked: Answer, away: Away | None, *, is_titled: bool) -> Line:
    sheet = opened.held.sheet(number)
    wanted = asked.found.instead or asked.text
    places = places_of(sheet, opened.settings, opened.columns[sheet.ref.slug])
    hours = [opened.hour.is_open(one.hours) for one in sheet.spots if one.hours]
    known = [one for one in hours if one is not None]
    return Line(
        sheet,
        _sheet_url(opened, sheet),
        places,
        _day(sheet.day),
        away,
        opened.held.extract(number, wanted) if opened.settings.paper and wanted and not is_titled else None,
        any(known) if known else None,
        when_words(asked.found.when.get(number)),
    )


def _sheet_url(opened: _Opened, sheet: Sheet) -> str:
    return reverse("portal:directory-sheet", args=[opened.service.use_case.id, sheet.ref.slug, sheet.id])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _map(request: Request, opened: _Opened, asked: Answer) -> DrawnMap:
    """Return the map of what answers, over the base map of the town."""
    query = request.GET.copy()
    for name in (NEAR, "debut"):
        query.pop(name, None)
    address = reverse("portal:directory-geojson", args=[opened.service.use_case.id])
    title = _(opened.service.use_case.title)
    pins = {
        "id": f"annuaire-{opened.service.use_case.id}", "title": title, "url": f"{address}?{query.urlencode()}",
        "list": request.get_full_path() + "#liste", "property": "", "marks": [["", title, PIN]], "byBox": False,
        "refreshS": 0, "shown": True,
    }  # fmt: skip
    return overlay_map(request.viewer, request.commune, town_datasets(request), pins)


@open_to(EVERYONE)
@require_safe
def directory_geojson(request: HttpRequest, use_case: str) -> JsonResponse:
    """Give the places of what answers, for the map."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    asked = answer(request.GET, opened.held, hour=opened.hour, citycode=territory_of(request))
    numbers = asked.found.numbers[:MOST_MAPPED]
    titles = {number: opened.held.sheet(number) for number in numbers}
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"title": titles[number].title, "url": _sheet_url(opened, titles[number])},
        }
        for number, lon, lat in opened.held.spots(numbers)
    ]
    body = {"type": "FeatureCollection", "features": features}
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})


@open_to(EVERYONE)
@require_safe
def directory_feed(request: HttpRequest, use_case: str) -> HttpResponse:
    """Give what answers as an Atom feed, in the order of the list: the latest first where sheets have a day."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    asked = answer(request.GET, opened.held, hour=opened.hour, citycode=territory_of(request))
    title = _(opened.service.use_case.title)
    home = request.build_absolute_uri(reverse("portal:directory", args=[use_case]))
    feed = Atom1Feed(
        title=f"{title} : {asked.text}" if asked.text else title, link=home, description=title,
        feed_url=request.build_absolute_uri(), language=get_language(),
    )  # fmt: skip
    # A feed tells what is new, whatever word it was asked for.
    for number in sorted(asked.found.numbers)[:MOST_FED]:
        sheet = opened.held.sheet(number)
        link, day = request.build_absolute_uri(_sheet_url(opened, sheet)), _day(sheet.day)
        told = " · ".join((*sheet.about, *(f"{one.title} : {one.text}" for one in _facts(opened, sheet)[:3])))
        at = make_aware(datetime.combine(day, time(12))) if day else None
        paper = papers.paper_path(sheet.ref, sheet.paper) if sheet.paper else None
        held = [] if paper is None else [
            Enclosure(request.build_absolute_uri(_paper_url(opened, sheet)), str(paper.stat().st_size), PDF)
        ]  # fmt: skip
        feed.add_item(title=sheet.title, link=link, unique_id=link, description=told, pubdate=at, updateddate=at,
                      enclosures=held)  # fmt: skip
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@open_to(EVERYONE)
@require_safe
def directory_calendar(request: HttpRequest, use_case: str) -> HttpResponse:
    """Give what answers as a calendar one subscribes to, or one sheet alone (`fiche=<dataset>/<id>`)."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    if opened.settings.dates is None:
        raise Http404
    if "fiche" in request.GET:
        slug, _mark, id = request.GET["fiche"].partition("/")
        sheets = [opened.held.named(slug, id)[1]]
    else:
        asked = answer(request.GET, opened.held, hour=opened.hour, citycode=territory_of(request))
        sheets = [opened.held.sheet(number) for number in asked.found.numbers[:MOST_MAPPED]]
    told = ((one, request.build_absolute_uri(_sheet_url(opened, one))) for one in sheets)
    events = events_of(told, opened.settings, lambda one: _where(opened, one))
    title = _(opened.service.use_case.title)
    return calendar_response(title, f"agenda-{use_case}", events, host=request.get_host(), at=now())


def _where(opened: _Opened, sheet: Sheet) -> str:
    places = places_of(sheet, opened.settings, opened.columns[sheet.ref.slug])
    return " · ".join(fact.text for one in places[:1] for fact in one.facts[:2])


@open_to(EVERYONE)
@require_safe
def directory_sheet(request: HttpRequest, use_case: str, slug: str, feature_id: str) -> HttpResponse:
    """Tell of one thing: its facts, its places, its vote, its document; `?fragment` for the panel of the map."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    number, sheet = opened.held.named(slug, feature_id)
    context = {
        "service": opened.service.use_case,
        "settings": opened.settings,
        "sheet": sheet,
        "url": _sheet_url(opened, sheet),
        "facts": _facts(opened, sheet),
        "places": places_of(sheet, opened.settings, opened.columns[slug]),
        "vote": vote_of(sheet, opened.settings),
        "paper": _paper_url(opened, sheet) if _has_paper(sheet) else "",
        "source_url": sheet.paper if sheet.paper.startswith(("http://", "https://")) else "",
        "text": opened.held.text_of(number),
        "claims": claims_rules(territory_of(request), use_case) if opened.settings.kept else None,
        "is_event": any(one.partition(queries.SEPARATOR)[0] for one in sheet.facets.get(queries.WHEN, ())),
        "is_kept": bool(sheet.values.get(f"{KEPT_PREFIX}date_maj")),
        "summary": next(one for one in opened.summaries if one.ref.slug == slug),
    }
    template = "fragment" if "fragment" in request.GET else "sheet"
    return render(request, f"portal/directories/{template}.html", context)


def _facts(opened: _Opened, sheet: Sheet) -> Sequence[Any]:
    told = facts_of(sheet, opened.settings, opened.columns[sheet.ref.slug])
    when = when_facts(sheet, opened.settings, span_of({}, opened.hour.at))
    return (*when, *told, *district_facts(sheet, opened.settings))


def _has_paper(sheet: Sheet) -> bool:
    return bool(sheet.paper) and papers.paper_path(sheet.ref, sheet.paper) is not None


def _paper_url(opened: _Opened, sheet: Sheet) -> str:
    return reverse("portal:directory-paper", args=[opened.service.use_case.id, sheet.ref.slug, sheet.id])


@open_to(EVERYONE)
@require_safe
def directory_paper(request: HttpRequest, use_case: str, slug: str, feature_id: str) -> HttpResponseBase:
    """Give our copy of the document of a sheet, to who may read the sheet."""
    opened = _opened(cast(Request, request), use_case)
    _number, sheet = opened.held.named(slug, feature_id)
    found = papers.paper_path(sheet.ref, sheet.paper) if sheet.paper else None
    if found is None:
        raise SheetNotFound("ce document n’est pas gardé ici", remedy="ouvrez-le à l’adresse que donne sa fiche")
    response = FileResponse(found.open("rb"), content_type=PDF, filename=f"{sheet.id}.pdf")
    # Its scripts, if any, stay in it.
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@open_to(EVERYONE)
@require_safe
def directory_booklet(request: HttpRequest, use_case: str) -> HttpResponse:
    """Give the whole directory as a booklet to print: what everyone may read, by chapter, with its index."""
    request = cast(Request, request)
    opened = _opened(request, use_case)
    wanted = opened.settings.booklet
    held = queries.directory(ANONYMOUS, territory_of(request), opened.service.use_case.id, opened.settings)
    if wanted is None or held.file is None:
        raise Http404
    facet = next(one for one in opened.settings.facets if one.name == wanted.by)
    # What the service also is, after the colon, is said by the contents.
    title = _(opened.service.use_case.title).split(" : ")[0]
    told = entries_of(
        held.file.sheets(), wanted.by, chapter=lambda value: value_words(facet, value),
        lines=lambda sheet: booklet_lines(sheet, opened.settings, opened.columns.get(sheet.ref.slug, {})),
    )  # fmt: skip
    cover = Cover(request.commune.name if request.commune else "", title, opened.hour.at.date(),
                  _(opened.settings.description) if opened.settings.description else "")  # fmt: skip
    known = [(one.number, one.title, one.description) for one in numbers()]
    response = HttpResponse(booklet_pdf(cover, told, known), content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="livret-{use_case}.pdf"'
    return response


_ONE = "annuaires/<slug:use_case>/"

urlpatterns: list[URLPattern] = [
    path(_ONE, directory, name="directory"),
    path(f"{_ONE}carte.geojson", directory_geojson, name="directory-geojson"),
    path(f"{_ONE}agenda.ics", directory_calendar, name="directory-calendar"),
    path(f"{_ONE}livret.pdf", directory_booklet, name="directory-booklet"),
    path(f"{_ONE}flux.atom", directory_feed, name="directory-feed"),
    path(f"{_ONE}<slug:slug>/<str:feature_id>/", directory_sheet, name="directory-sheet"),
    path(f"{_ONE}<slug:slug>/<str:feature_id>/document.pdf", directory_paper, name="directory-paper"),
]
