"""What machines watch, at the root of the site."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.api.watching import health, metrics

urlpatterns = [
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
]
