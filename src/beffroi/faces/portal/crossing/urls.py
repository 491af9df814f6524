"""Addresses of the workbench and of the indicators kept."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.portal.crossing import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("croiser/", pages.bench, name="crossing"),
    path("croiser/zones.geojson", pages.bench_zones, name="crossing-zones"),
    path("croiser/garder/", pages.keep, name="crossing-keep"),
    path("croiser/<slug:slug>/retirer/", pages.forget, name="crossing-forget"),
    path("indicateurs/", pages.indicators, name="indicators"),
    path("indicateurs/<slug:slug>/", pages.indicator, name="indicator"),
    path("indicateurs/<slug:slug>/zones.geojson", pages.indicator_zones, name="indicator-zones"),
]
