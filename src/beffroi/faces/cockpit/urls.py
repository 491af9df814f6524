"""Addresses of the cockpit."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.cockpit import billed, counted, governed, kept, needs, reported, views

app_name = "cockpit"
# Imported for what they register: the figures of the front page.
FIGURE_SOURCES = (billed, counted, kept, reported)
urlpatterns = [
    path("", views.home, name="home"),
    path("note/", views.brief, name="brief"),
    path("communes/", views.communes, name="communes"),
    path("donnees/", governed.data, name="data"),
    path("installation/", needs.needs, name="needs"),
]
