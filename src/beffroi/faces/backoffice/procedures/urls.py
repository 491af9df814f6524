"""Addresses of procedures, within the back office."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.procedures import patrol, queue, sheet, sites

urlpatterns = [
    path("demarches/", queue.procedures, name="procedures"),
    path("demarches/suivante/", queue.next_request, name="procedures-next"),
    path("demarches/chantiers.geojson", sites.sites_geojson, name="sites-geojson"),
    path("demarches/passages/", patrol.patrol, name="patrol"),
    path("demarches/passages/<str:number>/", patrol.pass_by, name="patrol-pass"),
    path("demarches/passages/<str:number>/envoi/", patrol.receive_passage, name="patrol-receive"),
    path("demarches/<str:number>/", sheet.procedure, name="procedure"),
    path("demarches/<str:number>/<slug:name>/", sheet.act, name="procedure-act"),
]
