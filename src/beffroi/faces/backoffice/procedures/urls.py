"""Addresses of procedures, within the back office."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.procedures import queue, sheet, sites

urlpatterns = [
    path("demarches/", queue.procedures, name="procedures"),
    path("demarches/suivante/", queue.next_request, name="procedures-next"),
    path("demarches/chantiers.geojson", sites.sites_geojson, name="sites-geojson"),
    path("demarches/<str:number>/", sheet.procedure, name="procedure"),
    path("demarches/<str:number>/<slug:name>/", sheet.act, name="procedure-act"),
]
