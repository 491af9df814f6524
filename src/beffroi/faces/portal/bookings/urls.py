"""Addresses of bookings, within the portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from beffroi.faces.portal.bookings import balance, choosing, mine, pages

# Importing `mine` adds its kind to the page of one's requests.
__all__ = ["mine", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("reserver/", choosing.bookables, name="bookables"),
    path("reserver/<slug:use_case>/", choosing.bookable, name="bookable"),
    path("reservation/<str:token>/", pages.followed, name="followed-booking"),
    path("reservation/<str:token>/deplacer/", pages.move, name="booking-move"),
    path("reservation/<str:token>/agenda.ics", pages.calendar_file, name="booking-ics"),
    path("bilan-encombrants/<slug:use_case>/", balance.balance, name="bookings-balance"),
]
