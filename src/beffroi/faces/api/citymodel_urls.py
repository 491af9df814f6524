"""Addresses of the city model, to be included at ``/citymodel/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.api import citymodel

app_name = "citymodel"

_TILE = "<int:z>/<int:x>/<int:y>.glb"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", citymodel.landing, name="landing"),
    path("<slug:territory>/batiments.city.json", citymodel.buildings, name="cityjson"),
    path("<slug:territory>/tileset.json", citymodel.tiles, name="tileset"),
    path(f"<slug:territory>/{_TILE}", citymodel.tile, name="tile"),
    path(f"<slug:territory>/<slug:slug>/<str:version>/{_TILE}", citymodel.volumes, name="volumes"),
]
