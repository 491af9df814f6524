"""Addresses of bookings by the hour, within the portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from beffroi.faces.portal.slots import finding, mine, pages, taking

# Importing `mine` adds its kind to the page of one's requests.
__all__ = ["mine", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("creneaux/", finding.search, name="slot-search"),
    path("creneaux/<slug:use_case>/", finding.slots, name="slots"),
    path("creneaux/<slug:use_case>/reserver/", taking.take, name="slot-book"),
    path("creneaux/<slug:use_case>/<slug:place>.ics", pages.place_feed, name="slot-feed"),
    path("creneau/<str:token>/", pages.followed, name="followed-slot"),
    path("creneau/<str:token>/deplacer/", pages.move, name="slot-move"),
    path("creneau/<str:token>/agenda.ics", pages.calendar_file, name="slot-ics"),
]
