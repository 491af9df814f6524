"""Addresses of the agents' back office. Each subject brings its own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from beffroi.faces.backoffice import journal, look, usecases
from beffroi.faces.backoffice.views import home

app_name = "backoffice"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("personnes/", include("beffroi.faces.backoffice.people_urls")),
    path("depots/", include("beffroi.faces.backoffice.uploads_urls")),
    path("couleurs/", look.look, name="look"),
    *usecases.urlpatterns,
    *journal.urlpatterns,
]
