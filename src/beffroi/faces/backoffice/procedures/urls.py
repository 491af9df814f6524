"""Addresses of procedures, within the back office."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.procedures import patrol, queue, registers, sheet, sites

urlpatterns = [
    path("registres/", registers.registers, name="registers"),
    path("registres/fiche/<int:card_id>/", registers.card, name="register-card"),
    path("registres/appels/<int:round_id>/", registers.round_of_calls, name="register-calls"),
    path("registres/<slug:use_case>/", registers.people, name="register"),
    path("demarches/", queue.procedures, name="procedures"),
    path("demarches/suivante/", queue.next_request, name="procedures-next"),
    path("demarches/chantiers.geojson", sites.sites_geojson, name="sites-geojson"),
    path("demarches/passages/", patrol.patrol, name="patrol"),
    path("demarches/passages/<str:number>/", patrol.pass_by, name="patrol-pass"),
    path("demarches/passages/<str:number>/envoi/", patrol.receive_passage, name="patrol-receive"),
    path("demarches/<str:number>/", sheet.procedure, name="procedure"),
    path("demarches/<str:number>/<slug:name>/", sheet.act, name="procedure-act"),
]
