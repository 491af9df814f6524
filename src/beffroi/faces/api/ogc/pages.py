"""The same answers as pages for people, in the house's style: headings, facts, links and tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.faces.api.ogc import items
from beffroi.faces.api.ogc.answers import Parameters, with_query
from beffroi.lake.queries import Seen

PAGE = 50
"""Features shown on a page for people when no limit is asked for."""

Trail = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: `facts` are (term, text), `links` (title, address, note), a table `head` and `rows`.

    A cell of a row is (text, address or "").
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str, str]] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[tuple[str, str]]] = ()
    note: str = ""
    following: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    lead: str = ""
    sections: Sequence[Section] = field(default_factory=list)
    trail: Trail = field(default_factory=list)
    json_url: str = ""


def _rendered(request: HttpRequest, page: _Page) -> HttpResponse:
    return render(request, "ogc/document.html", {"page": page, "trail": page.trail})


def _home() -> tuple[str, str]:
    return _("Interfaces standard"), reverse("ogc:landing") + "?f=html"


def _all() -> tuple[str, str]:
    return _("Collections"), reverse("ogc:collections") + "?f=html"


def _own(seen: Seen) -> tuple[str, str]:
    return seen.manifest.title, reverse("ogc:collection", args=[seen.ref.territory, seen.ref.slug]) + "?f=html"


def _links(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    shown = [
        one for one in document["links"] if one["rel"] not in ("self", "alternate") and "://www." not in one["rel"]
    ]
    return [(one.get("title", one["rel"]), one["href"], one["type"].partition(";")[0]) for one in shown]


def problem(request: HttpRequest, *, what: str, where: str, remedy: str, status: int) -> HttpResponse:
    """Tell what is wrong with an address and how to mend it."""
    context = {"what": what, "where": where, "remedy": remedy, "status": status}
    return render(request, "account/problem.html", context, status=status)


def landing(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Say where everything is."""
    explained = Section(
        _("Comment s’en servir"),
        facts=[
            (_("Dans QGIS"), _("Ajoutez une connexion « WFS / OGC API Features » avec l’adresse de cette page.")),
            (_("Avec GDAL"), f"ogrinfo OAPIF:{document['links'][0]['href']}"),
            (_("À une date"), _("Ajoutez datetime=2026-11-25 : la version qui valait ce jour-là répond.")),
        ],
    )
    links = Section(_("Ce qui s’ouvre d’ici"), links=_links(document))
    return _rendered(
        request,
        _Page(
            document["title"], document["description"], [links, explained], json_url=reverse("ogc:landing") + "?f=json"
        ),
    )


def conformance(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """List the conformance classes."""
    classes = [[(one, "")] for one in document["conformsTo"]]
    table = Section(_("Classes de conformité"), head=[_("Adresse de la classe")], rows=classes)
    lead = _("Chaque classe annoncée ici est tenue, et vérifiée par un essai.")
    return _rendered(
        request,
        _Page(_("Conformité"), lead, [table], [_home()], json_url=reverse("ogc:conformance") + "?f=json"),
    )


def api(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Describe every operation and its parameters."""
    parameters = document["components"]["parameters"]
    rows = [
        [
            (f"GET /ogc{path}", ""),
            (methods["get"]["summary"], ""),
            (", ".join(one["$ref"].rpartition("/")[2] for one in methods["get"]["parameters"]) or "–", ""),
        ]
        for path, methods in document["paths"].items()
    ]
    sections = [
        Section(_("Adresses"), head=[_("Adresse"), _("Ce qu’elle donne"), _("Paramètres")], rows=rows),
        Section(
            _("Paramètres"),
            head=[_("Nom"), _("Sens")],
            rows=[[(name, ""), (one["description"], "")] for name, one in parameters.items()],
        ),
    ]
    return _rendered(
        request,
        _Page(
            _("Description de l’interface"),
            document["info"]["description"],
            sections,
            [_home()],
            json_url=reverse("ogc:api") + "?f=json",
        ),
    )


def collections(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """List the collections."""
    rows = [
        [
            (one["title"], f"/ogc/collections/{one['id']}?f=html"),
            (one["id"], ""),
            (one.get("attribution", "–"), ""),
        ]
        for one in document["collections"]
    ]
    table = Section(_("Jeux de données"), head=[_("Titre"), _("Nom"), _("Producteur")], rows=rows)
    return _rendered(
        request, _Page(_("Collections"), "", [table], [_home()], json_url=reverse("ogc:collections") + "?f=json")
    )


def collection(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Describe one collection."""
    box = document["extent"].get("spatial", {}).get("bbox")
    facts = [
        (_("Nom"), document["id"]),
        (_("Producteur"), document.get("attribution", _("non indiqué"))),
        (_("Licence"), document.get("license", _("non indiquée"))),
        (_("Emprise (degrés)"), ", ".join(f"{number:.5f}" for number in box[0]) if box else _("aucune")),
        (_("Connu depuis"), document["extent"].get("temporal", {"interval": [["–"]]})["interval"][0][0]),
        (_("Systèmes de coordonnées"), ", ".join(uri.rpartition("/")[2] for uri in document["crs"])),
    ]
    sections = [Section(_("Fiche"), facts=facts), Section(_("Ce qui s’ouvre d’ici"), links=_links(document))]
    url = f"/ogc/collections/{document['id']}?f=json"
    return _rendered(
        request, _Page(document["title"], document["description"], sections, [_home(), _all()], json_url=url)
    )


def queryables(request: HttpRequest, seen: Seen, document: dict[str, Any]) -> HttpResponse:
    """List what a filter may name."""
    rows = [
        [(key, ""), (one.get("title", ""), ""), (one.get("format") or one.get("type", ""), "")]
        for key, one in document["properties"].items()
    ]
    table = Section(_("Propriétés"), head=[_("Nom"), _("Titre"), _("Type")], rows=rows)
    example = _("Exemple : ajoutez à l’adresse des objets filter=hauteur_m > 10 AND CASEI(espece) LIKE 'plat%'.")
    url = reverse("ogc:queryables", args=[seen.ref.territory, seen.ref.slug]) + "?f=json"
    return _rendered(
        request,
        _Page(_("Propriétés à filtrer"), example, [table], [_home(), _all(), _own(seen)], json_url=url),
    )


def features(request: HttpRequest, seen: Seen, base: str, parameters: Parameters) -> HttpResponse:
    """Show a page of features as a table."""
    asked = items.read(seen, {"limit": str(PAGE)} | parameters)
    found = items.answer_to(asked)
    listed: list[dict[str, Any]] = json.loads(b"[" + found.joined + b"]")
    links = items.page_links(seen, asked, found, base, parameters)
    following = next((one["href"] for one in links if one["rel"] == "next"), "")
    columns = (asked.seen or seen).class_columns
    own = reverse("ogc:items", args=[seen.ref.territory, seen.ref.slug])
    rows = [
        [
            (str(one["id"]), reverse("ogc:item", args=[seen.ref.territory, seen.ref.slug, one["id"]]) + "?f=html"),
            *((_shown(one["properties"].get(column.key)), "") for column in columns),
        ]
        for one in listed
    ]
    counted = _("{returned} objets sur {matched}").format(returned=found.returned, matched=found.matched)
    table = Section(
        _("Objets"),
        head=[_("Identifiant"), *(column.title for column in columns)],
        rows=rows,
        note=counted,
        following=following,
    )
    json_url = with_query(own, parameters | {"f": "json"})
    title = _("Objets de « {title} »").format(title=seen.manifest.title)
    return _rendered(request, _Page(title, "", [table], [_home(), _all(), _own(seen)], json_url=json_url))


def matrix_sets(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """List the ways the world is cut into tiles."""
    rows = [
        [(one["id"], reverse("ogc:matrix_set") + "?f=html"), (one["title"], "")] for one in document["tileMatrixSets"]
    ]
    table = Section(_("Découpages"), head=[_("Nom"), _("Titre")], rows=rows)
    url = reverse("ogc:matrix_sets") + "?f=json"
    return _rendered(request, _Page(_("Découpages en tuiles"), "", [table], [_home()], json_url=url))


def matrix_set(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Describe one way of cutting the world."""
    rows = [
        [(one["id"], ""), (f"{one['cellSize']:.4f}", ""), (str(one["matrixWidth"]), "")]
        for one in document["tileMatrices"]
    ]
    table = Section(_("Niveaux"), head=[_("Niveau"), _("Pixel (m)"), _("Tuiles par côté")], rows=rows)
    trail = [_home(), (_("Découpages en tuiles"), reverse("ogc:matrix_sets") + "?f=html")]
    url = reverse("ogc:matrix_set") + "?f=json"
    return _rendered(request, _Page(document["id"], document["title"], [table], trail, json_url=url))


def tilesets(request: HttpRequest, seen: Seen, document: dict[str, Any]) -> HttpResponse:
    """List the tile sets of a dataset."""
    links = [(_("Tuiles vectorielles"), one["links"][0]["href"] + "?f=html", "") for one in document["tilesets"]]
    note = "" if links else _("Pas de tuiles : c’est un tableau, ou elles sont en préparation.")
    url = reverse("ogc:tilesets", args=[seen.ref.territory, seen.ref.slug]) + "?f=json"
    section = Section(_("Jeux de tuiles"), links=links, note=note)
    return _rendered(request, _Page(_("Tuiles"), "", [section], [_home(), _all(), _own(seen)], json_url=url))


def tileset(request: HttpRequest, seen: Seen, document: dict[str, Any]) -> HttpResponse:
    """Describe the tiles of a dataset."""
    links = [
        (one.get("title", one["rel"]), one["href"], one["type"])
        for one in document["links"]
        if one["rel"] in ("describedby", "enclosure")
    ]
    template = next(one["href"] for one in document["links"] if one.get("templated"))
    rows = [
        [
            (one["tileMatrix"], ""),
            (f"{one['minTileRow']} – {one['maxTileRow']}", ""),
            (f"{one['minTileCol']} – {one['maxTileCol']}", ""),
        ]
        for one in document["tileMatrixSetLimits"]
    ]
    sections = [
        Section(_("Adresses"), facts=[(_("Modèle"), template)], links=links),
        Section(_("Étendue"), head=[_("Niveau"), _("Lignes"), _("Colonnes")], rows=rows),
    ]
    url = reverse("ogc:tileset", args=[seen.ref.territory, seen.ref.slug]) + "?f=json"
    title = _("Tuiles de « {title} »").format(title=seen.manifest.title)
    return _rendered(request, _Page(title, "", sections, [_home(), _all(), _own(seen)], json_url=url))


def records(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """List the records that answer a question."""
    rows = [
        [
            (one["properties"]["title"], reverse("ogc:record", args=[one["id"]]) + "?f=html"),
            (one["properties"]["contacts"][0]["organization"], ""),
            (one["properties"]["updated"], ""),
        ]
        for one in document["features"]
    ]
    counted = _("{returned} fiches sur {matched}").format(
        returned=document["numberReturned"], matched=document["numberMatched"]
    )
    following = next((one["href"] for one in document["links"] if one["rel"] == "next"), "")
    head = [_("Titre"), _("Producteur"), _("Mise à jour")]
    table = Section(_("Fiches"), head=head, rows=rows, note=counted, following=following)
    url = document["links"][0]["href"].partition("?")[0] + "?f=json"
    return _rendered(request, _Page(_("Catalogue des jeux de données"), "", [table], [_home(), _all()], json_url=url))


def record(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Show the record of one dataset."""
    told = document["properties"]
    facts = [
        (_("Producteur"), told["contacts"][0]["organization"]),
        (_("Licence"), told["rights"]),
        (_("Mise à jour"), told["updated"]),
        (_("Formats"), ", ".join(one["name"] for one in told["formats"])),
    ]
    sections = [Section(_("Fiche"), facts=facts), Section(_("Ce qui s’ouvre d’ici"), links=_links(document))]
    trail = [_home(), _all(), (_("Catalogue des jeux de données"), reverse("ogc:records") + "?f=html")]
    url = reverse("ogc:record", args=[document["id"]]) + "?f=json"
    return _rendered(request, _Page(told["title"], told["description"], sections, trail, json_url=url))


def feature(request: HttpRequest, seen: Seen, found: dict[str, Any]) -> HttpResponse:
    """Show one feature."""
    titles = {column.key: column.title for column in seen.class_columns}
    facts = [(titles.get(key, key), _shown(value)) for key, value in found["properties"].items()]
    shape = found["geometry"]
    placed = [] if shape is None else [(_("Forme"), json.dumps(shape)[:400])]
    sections = [Section(_("Propriétés"), facts=facts), *([Section(_("Lieu"), facts=placed)] if placed else [])]
    own = reverse("ogc:item", args=[seen.ref.territory, seen.ref.slug, found["id"]]) + "?f=json"
    return _rendered(
        request, _Page(str(found["id"]), seen.manifest.title, sections, [_home(), _all(), _own(seen)], json_url=own)
    )


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    return str(value)
