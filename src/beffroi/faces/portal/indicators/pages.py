"""`/indicateurs/<usage>/`: the figures a use case declares, for those it is for: sentence, table, map, trend, file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.faces.portal.directory import count_opening, territory_of, town_datasets
from beffroi.faces.portal.indicators import words
from beffroi.faces.portal.indicators.reading import asked, refused
from beffroi.faces.portal.indicators.review import review
from beffroi.faces.portal.mapping import synthesis_map
from beffroi.faces.portal.synthesis import CLASSES, MOST_DISTRICTS, UNKNOWN, bounds_of, ranges
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.lacking import lacking_data
from beffroi.faces.shell.overlays import Mark
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.sense.indicators import queries
from beffroi.sense.indicators.queries import Answer, Declared, Sheet

MOST_THINGS = 500


@open_to(EVERYONE)
@require_safe
def page(request: HttpRequest, use_case: str) -> HttpResponseBase:
    """Show the indicators of a use case: one measure by line, the others over the commune; `csv` gives a file."""
    request = cast(Request, request)
    mine = asked(request, use_case)
    if mine is None:
        return refused(request)
    service, wanted = mine
    found = queries.sheet(request.viewer, territory_of(request), service.use_case)
    if "csv" in request.GET:
        return csv(service, wanted, found)
    count_opening(request, service)
    missing = lacking_data(_absent(found), territory_of(request))
    context: dict[str, Any] = {
        "service": service.use_case, "wanted": wanted, "sheet": found, "missing": missing,
        "notes": [_(one) for one in wanted.notes] + [said(one) for one in found.notes],
    }  # fmt: skip
    answer = found.of(request.GET.get("mesure", "")) or next((one for one in found.answers if one.lines), None)
    if answer is not None:
        context |= _shown(request, service, wanted, found, answer)
    response = render(request, "portal/indicators/sheet.html", context)
    return response if found.is_public else private(response)


def _absent(found: Sheet) -> list[str]:
    """Return the datasets that the town lacks, each once; a column that a version has not is told by its dataset."""
    every = [slug.partition(":")[0] for slugs in found.missing.values() for slug in slugs]
    return list(dict.fromkeys(every))


def _shown(request: Request, service: UseCaseView, wanted: Declared, found: Sheet, answer: Answer) -> dict[str, Any]:
    line = words.chosen_line(answer, request.GET.get("ligne", ""))
    return {
        "answer": answer,
        "sentence": words.sentence(answer),
        "wholes": words.wholes(found, answer),
        "rows": words.rows(answer, line),
        "no_whole": all(one.whole.value is None for one in found.answers),
        "better": _(words.BETTER[answer.measure.better]),
        "line": words.trend(line, answer.measure),
        "line_name": _(line.name) if line and line.name else _("La commune"),
        "things": answer.things[:MOST_THINGS],
        "more_things": max(0, len(answer.things) - MOST_THINGS),
        "thing_heads": [_(title) for title, _fact in answer.things[0].facts] if answer.things else [],
        "title": _(answer.measure.title),
        "method": _(answer.measure.method),
        "beside_heads": [_(one.title) for one in answer.measure.besides],
        "answer_notes": [said(one) for one in answer.notes],
        "map": _map(request, service, wanted, answer),
    }


def _map(request: Request, service: UseCaseView, wanted: Declared, answer: Answer) -> dict[str, Any] | None:
    """Return the map of the lines with its legend, None when they are not zones of the town."""
    if wanted.zones is None:
        return None
    mapped = [one for one in town_datasets(request) if one.geometry_type]
    areas = next((one for one in mapped if one.ref.slug == wanted.zones.dataset), None)
    known = [one.value for one in answer.lines if one.value is not None]
    if areas is None or not known or areas.rows > MOST_DISTRICTS:
        return None
    marks = (*ranges(bounds_of(known)), Mark("", _("inconnu ou non diffusé"), UNKNOWN))
    url = reverse("portal:declared-zones", args=[service.use_case.id])
    overlay = {
        "id": "indicateur", "title": _(answer.measure.title), "list": "#chiffres", "property": "classe",
        "url": f"{url}?{urlencode({'mesure': answer.measure.slug})}",
        "marks": [[mark.value, mark.label, mark.colour] for mark in marks],
        "byBox": False, "refreshS": 0, "shown": True,
    }  # fmt: skip
    named = _("Carte de « {title} ».").format(title=_(answer.measure.title))
    return {"config": synthesis_map(request.viewer, mapped, areas, overlays=[overlay], named=named), "marks": marks}


@open_to(EVERYONE)
@require_safe
def zones(request: HttpRequest, use_case: str) -> HttpResponseBase:
    """Answer the zones of a measure with their classes: the same as the table says."""
    request = cast(Request, request)
    mine = asked(request, use_case)
    if mine is None:
        return refused(request)
    service, wanted = mine
    code = territory_of(request)
    slug = request.GET.get("mesure", "")
    answer = queries.sheet(request.viewer, code, service.use_case, only=slug).of(slug) if slug else None
    if answer is None or wanted.zones is None:
        raise Http404
    names = queries.zone_ids(request.viewer, code, wanted.zones)
    lines = {one.id: one for one in answer.lines}
    bounds = bounds_of([one.value for one in answer.lines if one.value is not None])
    features = []
    for body in lake.features(request.viewer, DatasetRef(code, wanted.zones.dataset), limit=MOST_DISTRICTS).features:
        feature = json.loads(body)
        line = lines.get(names.get(str(feature["id"]), ""))
        value = line.value if line else None
        told = words.figure(answer.measure, value, line.unit if line else "")
        feature["properties"] = {
            "classe": "" if value is None else str(min(sum(value > one for one in bounds), len(CLASSES) - 1)),
            "title": f"{line.name if line else feature['id']} : {told}",
            "label": told,
        }
        features.append(feature)
    payload = {"type": "FeatureCollection", "features": features}
    return private(
        JsonResponse(payload, json_dumps_params={"ensure_ascii": False}, content_type="application/geo+json")
    )


def csv(service: UseCaseView, wanted: Declared, found: Sheet) -> HttpResponse:
    """Give every measure, line by line and year by year, as one file; what is not told is empty, with why."""
    besides = max((len(one.measure.besides) for one in found.answers), default=0)
    heads = (
        _("Mesure"), _(wanted.group), _("Identifiant"), _("Année"), _("Valeur"), _("Unité"),
        _("Pourquoi rien n’est dit"),
        *(_("Comparaison {n}").format(n=rank + 1) for rank in range(besides)), _("Source"),
    )  # fmt: skip
    name = f"indicateurs-{service.use_case.id}.csv"
    return sheet_response(name, heads, (row for one in found.answers for row in _csv_rows(one, besides)))


def _csv_rows(answer: Answer, besides: int) -> Iterator[Sequence[object]]:
    measure = answer.measure
    source = " ; ".join(f"{one.title} ({one.producer}, {one.updated_at:%Y-%m-%d})" for one in answer.sources)
    for line in (answer.whole, *answer.lines):
        name, unit = _(line.name) if line.name else _("Toute la commune"), line.unit or measure.unit
        told = (_(measure.title), name, line.id)
        for year, value in line.series:
            if year != answer.year:
                yield (*told, year, round(value, 3), unit, "", *([None] * besides), source)
        beside = [_rounded(one) for one in line.besides]
        beside += [None] * (besides - len(beside))
        why = _(line.why) if line.why else ""
        yield (*told, answer.year, _rounded(line.value), unit, why, *beside, source)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


_ID = r"(?P<use_case>(?:G|[0-9]{1,2})-[0-9]{2})"
urlpatterns: list[URLPattern] = [
    re_path(rf"^indicateurs/{_ID}/$", page, name="declared"),
    re_path(rf"^indicateurs/{_ID}/zones\.geojson$", zones, name="declared-zones"),
    re_path(rf"^indicateurs/{_ID}/bilan/$", review, name="declared-review"),
]
