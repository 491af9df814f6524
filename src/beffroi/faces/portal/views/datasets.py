"""The pages of the datasets: list, overview, table, schema, history, report, downloads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.dataset_chart import dataset_bars
from beffroi.faces.portal.directory import shown_themes, town_datasets
from beffroi.faces.portal.finding import found_datasets
from beffroi.faces.portal.mapping import dataset_map
from beffroi.faces.portal.tables import asked_table
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.paging import rows_asked
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.themes import theme
from beffroi.lake import queries as lake
from beffroi.lake.owners import owner_of
from beffroi.lake.quality import days_late, quality
from beffroi.lake.queries import DatasetDetail, DatasetRef, TilesState
from beffroi.lake.reading import ColumnType
from beffroi.sense.twin.queries import is_in_model

PAGE = 24
LISTED_FEATURES = 20


@open_to(EVERYONE)
@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """List the datasets of the town; `q` looks for words, `theme` keeps one theme."""
    request = cast(Request, request)
    text, chosen = request.GET.get("q", "").strip()[:200], request.GET.get("theme", "")
    known = town_datasets(request)
    themes = shown_themes(known)
    kept = [one for one in known if not chosen or one.theme == chosen]
    kept = found_datasets(kept, text) if text else kept
    page = Paginator(kept, PAGE).get_page(request.GET.get("page"))
    context = {"q": text, "theme": chosen, "themes": themes, "page": page, "total": len(known), "count": len(kept)}
    context["cards"] = [(one, theme(one.theme)) for one in page]
    return render(request, "portal/datasets.html", context)


def dataset_detail(request: Request, territory: str, slug: str) -> tuple[DatasetRef, DatasetDetail]:
    """Return the dataset of a page, at the `version` its address names or the one in force."""
    ref = DatasetRef(territory, slug)
    return ref, lake.dataset(request.viewer, ref, version=request.GET.get("version") or None)


def _titles() -> dict[str, tuple[str, str]]:
    """Return the title and the icon of each tab, by the name of its address."""
    return {
        "dataset": (_("Aperçu"), "map"),
        "dataset-table": (_("Tableau"), "table"),
        "dataset-schema": (_("Schéma"), "schema"),
        "dataset-history": (_("Historique"), "history"),
        "dataset-differences": (_("Différences"), "calendar"),
        "dataset-report": (_("Rapport d’import"), "report"),
        "dataset-downloads": (_("Télécharger"), "download"),
    }


def dataset_page(request: Request, name: str, detail: DatasetDetail, **context: Any) -> HttpResponse:
    """Render one tab of a dataset. An earlier version stays chosen from tab to tab."""
    ref = detail.summary.ref
    asked = request.GET.get("version", "")
    suffix = f"?version={asked}" if asked else ""
    tabs = [
        {
            "title": title,
            "url": reverse(f"portal:{key}", args=[ref.territory, ref.slug]) + suffix,
            "symbol": symbol,
            "current": key == name,
        }
        for key, (title, symbol) in _titles().items()
    ]
    context |= {
        "detail": detail,
        "summary": detail.summary,
        "tabs": tabs,
        "tab_title": _titles()[name][0],
        "theme": theme(detail.summary.theme),
        "trail": [(_("Données"), reverse("portal:datasets"))],
        "days_late": days_late(detail.summary.rhythm, detail.summary.updated_at.date(), today=timezone.localdate()),
        "old_version": next((one for one in detail.versions if asked and one.version == detail.summary.version), None),
    }
    if context["old_version"] is not None and context["old_version"].is_current:
        context["old_version"] = None
    return render(request, f"portal/{name}.html", context)


@open_to(EVERYONE)
@require_safe
def overview(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Show what a dataset is: its map, the same places as a list, and its particulars."""
    request = cast(Request, request)
    ref, detail = dataset_detail(request, territory, slug)
    version = request.GET.get("version") or None
    listed = asked_table(request.viewer, ref, detail, {}, version=version, limit=LISTED_FEATURES)
    ready = detail.tiles is TilesState.READY
    around = lake.datasets(request.viewer, territory=territory) if ready else []
    shown_map = dataset_map(request.viewer, detail, around, old=version is not None) if ready else None
    told = _answering(request, detail)
    if detail.tiles is TilesState.NONE:
        told["chart"] = dataset_bars(request.viewer, detail, version=version)
    return dataset_page(request, "dataset", detail, listed=listed, map=shown_map, tiles=detail.tiles.value, **told)


def _answering(request: Request, detail: DatasetDetail) -> dict[str, Any]:
    """Return who answers for a dataset, as this reader is told: the public reads no agent's name."""
    ref, found = detail.summary.ref, owner_of(detail.summary, at=timezone.now())
    is_here = request.commune is not None and request.commune.code == ref.territory
    is_staff = is_here and any(request.viewer.has(role, ref.territory) for role in (Role.AGENT, Role.ADMINISTRATOR))
    named = found.name if found.service or is_staff else ""
    return {"owner": named or _("Administration de la commune"), "is_staff": is_staff}


@open_to(EVERYONE)
@require_safe
def table(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Show the rows, sorted by `tri`, filtered by `colonne`, `comparaison`, `valeur`, from `debut` on."""
    request = cast(Request, request)
    ref, detail = dataset_detail(request, territory, slug)
    version = request.GET.get("version") or None
    try:
        asked = asked_table(request.viewer, ref, detail, request.GET, version=version, limit=rows_asked(request.GET))
    except lake.DatasetNotFound:
        raise
    except BeffroiError as error:
        response = dataset_page(request, "dataset-table", detail, asked=None, problem=error, values=request.GET)
        response.status_code = error.http_status
        return response
    return dataset_page(request, "dataset-table", detail, asked=asked, problem=None, values=request.GET)


@open_to(EVERYONE)
@require_safe
def schema(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Show the columns the reader may see, with type, unit and meaning."""
    request = cast(Request, request)
    _ref, detail = dataset_detail(request, territory, slug)
    types = _type_titles()
    return dataset_page(request, "dataset-schema", detail, columns=[(one, types[one.type]) for one in detail.columns])


@open_to(EVERYONE)
@require_safe
def history(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Show every version: when, how many rows, from which file."""
    request = cast(Request, request)
    _ref, detail = dataset_detail(request, territory, slug)
    newest = list(detail.versions)
    changes: Iterable[int | None] = [
        one.rows - older.rows if older is not None else None
        for one, older in zip(newest, [*newest[1:], None], strict=True)
    ]
    return dataset_page(request, "dataset-history", detail, history=list(zip(newest, changes, strict=True)))


@open_to(EVERYONE)
@require_safe
def report(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Tell how the import went: what was read, found out, corrected and refused."""
    request = cast(Request, request)
    ref, detail = dataset_detail(request, territory, slug)
    version = request.GET.get("version") or None
    told = lake.import_report(request.viewer, ref, version=version)
    share = 100 * told.rows_kept / told.rows_read if told.rows_read else 100.0
    titles = _subject_titles()
    found = [(titles.get(one.subject, one.subject), one.value, said(one.why)) for one in told.evidences]
    return dataset_page(
        request,
        "dataset-report",
        detail,
        report=told,
        quality=quality(request.viewer, ref, today=timezone.localdate(), version=version),
        kept_percent=round(share, 1),
        evidences=found,
        checked=bool(told.schema_faults) or lake.has_schema(detail),
        summary_schema=detail.definition.get("schema_url", ""),
        pitfalls=detail.definition.get("pitfalls", ()),
    )


def _type_titles() -> dict[ColumnType, str]:
    return {
        ColumnType.TEXT: _("texte"),
        ColumnType.INTEGER: _("nombre entier"),
        ColumnType.NUMBER: _("nombre"),
        ColumnType.BOOLEAN: _("oui ou non"),
        ColumnType.DATE: _("date"),
        ColumnType.DATETIME: _("date et heure"),
        ColumnType.TIME: _("heure"),
    }


def _subject_titles() -> dict[str, str]:
    return {
        "encoding": _("Encodage"),
        "separator": _("Séparateur"),
        "decimal": _("Décimales"),
        "dates": _("Dates"),
        "crs": _("Système de coordonnées"),
        "format": _("Format"),
        "header": _("En-tête"),
        "geometry": _("Géométrie"),
        "values": _("Valeurs"),
        "member": _("Fichier de l’archive"),
        "sheet": _("Feuille"),
        "table": _("Table"),
    }


@open_to(EVERYONE)
@require_safe
def downloads(request: HttpRequest, territory: str, slug: str) -> HttpResponse:
    """Offer every format the dataset can be had in, with what it is for."""
    request = cast(Request, request)
    ref, detail = dataset_detail(request, territory, slug)
    sizes = lake.download_sizes(request.viewer, ref, version=request.GET.get("version") or None)
    offers = [
        {"title": title, "use": use, "size": sizes.get(name), "url": _file_url(request, ref, name)}
        for name, title, use in _formats()
        if name in detail.summary.formats
    ]
    if not request.GET.get("version") and is_in_model(request.viewer, detail.summary):
        offers += [
            {"title": title, "use": use, "size": None, "url": reverse(name, args=[territory])}
            for name, title, use in _models()
        ]
    return dataset_page(request, "dataset-downloads", detail, offers=offers)


def _file_url(request: Request, ref: DatasetRef, format: str) -> str:
    asked = request.GET.get("version", "")
    suffix = f"?{urlencode({'version': asked})}" if asked else ""
    return reverse("portal:dataset-download", args=[ref.territory, ref.slug, format]) + suffix


def _models() -> tuple[tuple[str, str, str], ...]:
    return (
        ("citymodel:cityjson", "CityJSON", _("Les bâtiments de la commune en volumes, pour un logiciel 3D.")),
        ("citymodel:tileset", "3D Tiles", _("Les mêmes volumes en tuiles, pour un globe ou une carte 3D.")),
    )


def _formats() -> tuple[tuple[str, str, str], ...]:
    return (
        ("csv", "CSV", _("Un tableau en texte, séparé par des virgules, pour tout logiciel.")),
        ("xlsx", "Excel (XLSX)", _("Un classeur pour Excel ou LibreOffice.")),
        ("geojson", "GeoJSON", _("Les formes et leurs attributs, pour une carte sur le web.")),
        ("gpkg", "GeoPackage", _("Un fichier pour QGIS et les systèmes d’information géographique.")),
        ("parquet", "GeoParquet", _("Le plus léger, pour analyser de grands volumes.")),
        ("gpx", "GPX", _("Les lieux ou les tracés, pour un GPS ou un téléphone.")),
        ("dxf", "DXF", _("Les contours en mètres dans la projection légale, pour un logiciel de dessin.")),
    )


@open_to(EVERYONE)
@require_safe
def download(request: HttpRequest, territory: str, slug: str, format: str) -> HttpResponseBase:
    """Hand the whole dataset over in one format, with the columns the reader may see."""
    request = cast(Request, request)
    ref = DatasetRef(territory, slug)
    file = lake.download(request.viewer, ref, format, version=request.GET.get("version") or None)
    response: HttpResponseBase
    if file.path is not None:
        response = FileResponse(file.path.open("rb"), content_type=file.media_type)
    else:
        response = StreamingHttpResponse(file.chunks or (), content_type=file.media_type)
    if file.size_bytes is not None:
        response.headers["Content-Length"] = str(file.size_bytes)
    for name, value in file.headers.items():
        response.headers[name] = value
    response.headers["Content-Disposition"] = content_disposition_header(True, file.filename)
    return response
