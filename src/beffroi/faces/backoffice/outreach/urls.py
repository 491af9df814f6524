"""Addresses of rounds over needs."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.outreach import pages, sheets

# Imported for what it registers: the card of « my work today ».
WORK_SOURCES = (sheets,)
_KIND = "maraudes/<str:use_case>/"
urlpatterns = [
    path("maraudes/chiffres/", pages.figures, name="outreach-figures"),
    path(_KIND, pages.outreach, name="outreach"),
    path(f"{_KIND}besoins/nouveau/", pages.new_need, name="outreach-need-new"),
    path(f"{_KIND}besoins/<int:need_id>/", pages.need_page, name="outreach-need"),
    path(f"{_KIND}preparer/", pages.new_round, name="outreach-new"),
    path("maraudes/tournee/<int:round_id>/", sheets.sheet, name="outreach-sheet"),
    path("maraudes/tournee/<int:round_id>/passage/", sheets.note, name="outreach-note"),
    path("maraudes/tournee/<int:round_id>/envoi/<str:stop>/", sheets.receive, name="outreach-receive"),
]
