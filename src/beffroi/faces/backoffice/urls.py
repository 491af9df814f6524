"""Addresses of the agents' back office. Each subject brings its own module."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.backoffice.views import home

app_name = "backoffice"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
]
