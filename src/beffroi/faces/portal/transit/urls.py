"""Addresses of buses and trams, within the portal."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.portal.transit import layers, pages

urlpatterns = [
    path("transports/", pages.home, name="transit"),
    path("transports/horaires/<slug:feed>/", pages.quality, name="transit-quality"),
    path("transports/lignes.geojson", layers.lines_geojson, name="transit-lines-geojson"),
    path("transports/vehicules.geojson", layers.vehicles_geojson, name="transit-vehicles-geojson"),
    path("transports/ligne/<slug:feed>/<path:line>/", pages.line, name="transit-line"),
    path("transports/arret/<slug:feed>/<path:stop>/", pages.stop, name="transit-stop"),
]
