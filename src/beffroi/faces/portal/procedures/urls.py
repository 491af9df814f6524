"""Addresses of procedures, within the portal."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.portal.procedures import checking, filing, following, mine, pages, passing, pieces

# Importing `mine` adds its section to the page of one's requests.
__all__ = ["mine", "urlpatterns"]

_FORM = "demarches/<slug:use_case>/formulaire/<str:key>/"

urlpatterns = [
    path("demarches/", pages.procedures, name="procedures"),
    path("demarches/demande/<str:number>/", following.own_request, name="procedure-request"),
    path("demarches/fichier/<int:attachment>/", following.file, name="procedure-file"),
    path("demarches/passage/<str:token>/", passing.pass_by, name="passage"),
    path("demarches/pieces/", pieces.kept_pieces, name="kept-pieces"),
    path("demarches/suivi/<str:token>/", following.followed_request, name="followed-procedure"),
    path("demarches/suivi/<str:token>/recu/", following.receipt, name="procedure-receipt"),
    path("demarches/suivi/<str:token>/fichier/<int:attachment>/", following.file, name="followed-procedure-file"),
    path("demarches/<slug:use_case>/", pages.procedure, name="procedure"),
    path("demarches/<slug:use_case>/papier/", pages.paper, name="procedure-paper"),
    path("demarches/<slug:use_case>/commencer/", filing.begin, name="procedure-begin"),
    path(_FORM, filing.resume, name="procedure-form"),
    path(f"{_FORM}effacer/", filing.drop, name="procedure-drop"),
    path(f"{_FORM}<slug:step>/", filing.step, name="procedure-step"),
    path("verifier/", checking.ask_code, name="verify-any"),
    path("verifier/sceau.pem", checking.public_key, name="verify-key"),
    path("verifier/<str:code>/", checking.verify, name="verify"),
]
