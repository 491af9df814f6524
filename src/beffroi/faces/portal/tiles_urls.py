"""Addresses of map tiles, by dataset and version."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.portal import laid, tiles

app_name = "tiles"

_VERSION = "<slug:territory>/<slug:slug>/<str:version>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("<slug:territory>/_relief/<str:version>/<int:z>/<int:x>/<int:y>.png", tiles.relief_tile, name="relief-tile"),
    path("<slug:territory>/retouches.json", laid.edits, name="edits"),
    path(f"{_VERSION}.json", tiles.tilejson, name="tilejson"),
    path(f"{_VERSION}.pmtiles", tiles.archive, name="archive"),
    path(f"{_VERSION}/<int:z>/<int:x>/<int:y>.mvt", tiles.tile, name="tile"),
    path(
        f"{_VERSION}/couleurs/<slug:about>/<str:about_version>/<str:column>/<int:z>/<int:x>/<int:y>.mvt",
        tiles.painted_tile,
        name="painted-tile",
    ),
]
