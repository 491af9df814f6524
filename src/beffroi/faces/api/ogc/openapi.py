"""The OpenAPI 3.0 description of the OGC APIs. Collections are one path with a parameter: there may be hundreds."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from beffroi import __version__
from beffroi.faces.api.ogc.answers import GEOJSON, HTML, JSON, OPENAPI, PROBLEM, SCHEMA
from beffroi.faces.api.ogc.items import DEFAULT_LIMIT, MAX_LIMIT
from beffroi.faces.api.ogc.tiling import MVT, TILEJSON
from beffroi.lake.projecting import CRS84

Operation = dict[str, Any]


def document(base: str, *, title: str) -> dict[str, Any]:
    """Return the whole description."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "version": __version__,
            "description": _("OGC API Features, Tiles et Records sur les données de la commune."),
            "license": {"name": "EUPL-1.2", "url": "https://spdx.org/licenses/EUPL-1.2.html"},
        },
        "servers": [{"url": f"{base}/ogc", "description": _("Ce serveur")}],
        "tags": [
            {"name": "Capabilities", "description": _("Ce que ce serveur offre")},
            {"name": "Data", "description": _("Les données")},
        ],
        "paths": {path: {"get": operation} for path, operation in _paths().items()},
        "components": {
            "parameters": _parameters(),
            "responses": _responses(),
            "schemas": _schemas(),
            "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"ApiKey": []}],
    }


def _paths() -> dict[str, Operation]:
    collection = "/collections/{collectionId}"
    return {
        "/": _operation("getLandingPage", _("La page d’accueil"), "Capabilities", ("f",), JSON, HTML),
        "/api": _operation("getApi", _("Cette description"), "Capabilities", ("f",), OPENAPI, HTML),
        "/conformance": _operation("getConformance", _("La conformité"), "Capabilities", ("f",), JSON, HTML),
        "/collections": _operation("getCollections", _("Les jeux de données"), "Capabilities", ("f",), JSON, HTML),
        "/collections/catalogue": _operation(
            "getCatalogue", _("Le catalogue des jeux de données"), "Capabilities", ("f",), JSON, HTML
        ),
        "/collections/catalogue/items": _operation(
            "getRecords",
            _("Les fiches du catalogue"),
            "Data",
            ("limit", "after", "bbox", "bbox-crs", "crs", "datetime", "q", "type", "ids", "externalIds", "f"),
            GEOJSON,
            HTML,
        ),
        "/collections/catalogue/items/{recordId}": _operation(
            "getRecord", _("Une fiche"), "Data", ("recordId", "f"), GEOJSON, HTML, absent=True
        ),
        collection: _operation(
            "getCollection", _("Un jeu de données"), "Capabilities", ("collectionId", "f"), JSON, HTML, absent=True
        ),
        f"{collection}/queryables": _operation(
            "getQueryables", _("Les propriétés à filtrer"), "Capabilities", ("collectionId", "f"), SCHEMA, HTML,
            absent=True,
        ),
        "/tileMatrixSets": _operation(
            "getTileMatrixSetsList", _("Les découpages en tuiles"), "Capabilities", ("f",), JSON, HTML
        ),
        "/tileMatrixSets/WebMercatorQuad": _operation(
            "getTileMatrixSet", _("Le découpage WebMercatorQuad"), "Capabilities", ("f",), JSON, HTML
        ),
        f"{collection}/tiles": _operation(
            ".collection.vector.getTileSetsList", _("Les jeux de tuiles"), "Data", ("collectionId", "f"), JSON, HTML,
            absent=True,
        ),
        f"{collection}/tiles/WebMercatorQuad": _operation(
            ".collection.vector.getTileSet", _("La description des tuiles"), "Data", ("collectionId", "f"), JSON,
            TILEJSON, HTML, absent=True,
        ),
        f"{collection}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _operation(
            ".collection.vector.getTile",
            _("Une tuile"),
            "Data",
            ("collectionId", "tileMatrix", "tileRow", "tileCol", "datetime", "version", "f"),
            MVT,
            absent=True,
        ),
        f"{collection}/differences": _operation(
            "getDifferences",
            _("Ce qui a changé entre deux dates"),
            "Data",
            ("collectionId", "from", "to", "limit", "after", "f"),
            GEOJSON,
            absent=True,
        ),
        f"{collection}/items": _operation(
            "getFeatures",
            _("Les objets d’un jeu de données"),
            "Data",
            (
                "collectionId", "limit", "after", "bbox", "bbox-crs", "crs", "datetime", "version", "filter",
                "filter-lang", "filter-crs", "properties", "f",
            ),
            GEOJSON,
            HTML,
            absent=True,
        ),
        f"{collection}/items/{{featureId}}": _operation(
            "getFeature",
            _("Un objet"),
            "Data",
            ("collectionId", "featureId", "crs", "datetime", "version", "f"),
            GEOJSON,
            HTML,
            absent=True,
        ),
    }  # fmt: skip


def _operation(
    name: str, summary: str, tag: str, parameters: tuple[str, ...], *media: str, absent: bool = False
) -> Operation:
    schema: dict[str, Any] = {"type": "object"}
    if GEOJSON in media:
        kind = "featureCollectionGeoJSON" if name in ("getFeatures", "getRecords") else "featureGeoJSON"
        schema = {"$ref": f"#/components/schemas/{kind}"}
    text, binary = {"type": "string"}, {"type": "string", "format": "binary"}
    content = {kind: {"schema": {HTML: text, MVT: binary}.get(kind, schema)} for kind in media}
    responses: dict[str, Any] = {
        "200": {"description": summary, "content": content},
        "400": {"$ref": "#/components/responses/InvalidParameter"},
        "406": {"$ref": "#/components/responses/NotAcceptable"},
    }
    if absent:
        responses["404"] = {"$ref": "#/components/responses/NotFound"}
    if name == "getFeatures":
        responses["422"] = {"$ref": "#/components/responses/TooCostly"}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [{"$ref": f"#/components/parameters/{one}"} for one in parameters],
        "responses": responses,
    }


def _parameters() -> dict[str, Any]:
    text = {"type": "string"}
    crs = {"type": "string", "format": "uri", "default": CRS84}
    return {
        "f": _query("f", _("Format de la réponse ; sinon, l’en-tête Accept"), {"type": "string"}),
        "collectionId": _in_path("collectionId", _("Jeu de données : commune.nom")),
        "from": _query("from", _("Date de départ ; la version précédente sinon"), text),
        "to": _query("to", _("Date d’arrivée ; la version en vigueur sinon"), text),
        "recordId": _in_path("recordId", _("Identifiant de la fiche")),
        "q": _query("q", _("Mots cherchés ; une virgule veut dire « ou »"), text),
        "type": _query("type", _("Genre de ressource"), text),
        "ids": _query("ids", _("Identifiants de fiches, séparés par des virgules"), text),
        "externalIds": _query("externalIds", _("Autres identifiants, séparés par des virgules"), text),
        "tileMatrix": _in_path("tileMatrix", _("Niveau")),
        "tileRow": _in_path("tileRow", _("Ligne, depuis le nord")),
        "tileCol": _in_path("tileCol", _("Colonne, depuis l’ouest")),
        "featureId": _in_path("featureId", _("Identifiant de l’objet")),
        "limit": _query(
            "limit",
            _("Nombre d’objets par page"),
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        ),
        "after": _query("after", _("Repère de page, donné par le lien « next »"), {"type": "integer", "minimum": 0}),
        "bbox": {
            **_query(
                "bbox",
                _("Emprise : minimums puis maximums, en degrés ou dans bbox-crs"),
                {
                    "type": "array",
                    "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                    "items": {"type": "number"},
                },
            ),
            "style": "form",
            "explode": False,
        },
        "bbox-crs": _query("bbox-crs", _("Système de coordonnées de l’emprise"), crs),
        "crs": _query("crs", _("Système de coordonnées de la réponse"), crs),
        "datetime": _query(
            "datetime", _("La version du jeu qui valait à cette date, ou à la fin de cette période (RFC 3339)"), text
        ),
        "version": _query("version", _("Une version précise du jeu"), text),
        "filter": _query("filter", _("Filtre CQL2"), text),
        "filter-lang": _query(
            "filter-lang",
            _("Écriture du filtre"),
            {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
        ),
        "filter-crs": _query("filter-crs", _("Système de coordonnées des formes du filtre"), crs),
        # Each queryable is a parameter of its own; this is how OpenAPI says « any of these names ».
        "properties": {
            **_query(
                "properties",
                _("Une propriété et sa valeur ; les noms sont dans queryables"),
                {"type": "object", "additionalProperties": {"type": "string"}},
            ),
            "style": "form",
            "explode": True,
        },
    }


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _in_path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _responses() -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/exception"}}}
    told = {
        "InvalidParameter": _("Un paramètre ne peut pas être lu, ou personne ne le lit"),
        "NotFound": _("Rien de tel, ou pas pour ce lecteur"),
        "NotAcceptable": _("Aucun format accepté n’est proposé"),
        "TooCostly": _("Question trop coûteuse"),
    }
    return {name: {"description": description, "content": content} for name, description in told.items()}


def _schemas() -> dict[str, Any]:
    feature = {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "nullable": True},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    }
    return {
        "link": {
            "type": "object",
            "required": ["href", "rel"],
            "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title")},
        },
        "exception": {
            "type": "object",
            "required": ["code", "title", "status"],
            "properties": {
                **{name: {"type": "string"} for name in ("code", "description", "title", "detail", "where", "remedy")},
                "status": {"type": "integer"},
            },
        },
        "featureGeoJSON": feature,
        "featureCollectionGeoJSON": {
            "type": "object",
            "required": ["type", "features"],
            "properties": {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/featureGeoJSON"}},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
                "numberMatched": {"type": "integer", "minimum": 0},
                "numberReturned": {"type": "integer", "minimum": 0},
            },
        },
    }
