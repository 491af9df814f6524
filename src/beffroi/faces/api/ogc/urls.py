"""Addresses of the OGC APIs, to be included at `/ogc/`. A collection is `<territory>.<slug>`."""

from __future__ import annotations

from django.urls import URLPattern, path

from beffroi.faces.api.ogc import views

app_name = "ogc"

_COLLECTION = "collections/<slug:territory>.<slug:slug>"

urlpatterns: list[URLPattern] = [
    path("", views.landing, name="landing"),
    path("conformance", views.conformance, name="conformance"),
    path("api", views.api, name="api"),
    path("collections", views.collections, name="collections"),
    path("tileMatrixSets", views.matrix_sets, name="matrix_sets"),
    path("tileMatrixSets/WebMercatorQuad", views.matrix_set, name="matrix_set"),
    path("collections/catalogue", views.catalogue, name="catalogue"),
    path("collections/catalogue/items", views.all_records, name="records"),
    path("collections/catalogue/items/<str:record_id>", views.record, name="record"),
    path(_COLLECTION, views.collection, name="collection"),
    path(f"{_COLLECTION}/queryables", views.queryables, name="queryables"),
    path(f"{_COLLECTION}/differences", views.differences, name="differences"),
    path(f"{_COLLECTION}/tiles", views.tilesets, name="tilesets"),
    path(f"{_COLLECTION}/tiles/WebMercatorQuad", views.tileset, name="tileset"),
    path(f"{_COLLECTION}/tiles/WebMercatorQuad/<str:matrix>/<str:row>/<str:col>", views.tile, name="tile"),
    path(f"{_COLLECTION}/items", views.features, name="items"),
    path(f"{_COLLECTION}/items/<path:feature_id>", views.feature, name="item"),
]
