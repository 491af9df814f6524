"""Addresses of works."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.backoffice.works import pages

urlpatterns = [
    path("travaux/", pages.works, name="works"),
    path("travaux/nouveaux/", pages.new_works, name="works-new"),
    path("travaux/<int:works_id>/", pages.works_page, name="works-sheet"),
    path("travaux/<int:works_id>/geste/", pages.act, name="works-act"),
    path("travaux/<int:works_id>/rues/<int:scenario>/<int:phase>/", pages.streets, name="works-streets"),
]
