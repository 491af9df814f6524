"""Addresses of rounds."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.rounds import pages

urlpatterns = [
    path("tournees/", pages.rounds, name="rounds"),
    path("tournees/nouvelle/", pages.new_round, name="round-new"),
    path("tournees/carte.json", pages.rounds_geojson, name="rounds-geojson"),
    path("tournees/<int:round_id>/", pages.round_page, name="round-sheet"),
    path("tournees/<int:round_id>/geste/", pages.act, name="round-act"),
    path("tournees/<int:round_id>/vehicule/<int:rank>/", pages.vehicle_sheet, name="round-vehicle"),
    path("tournees/<int:round_id>/vehicule/<int:rank>.gpx", pages.vehicle_gpx, name="round-gpx"),
]
