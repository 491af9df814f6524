"""Addresses of the API, to be included at ``/api/``; `/health` and `/metrics` are in `root_urls`."""

from __future__ import annotations

from django.urls import path, re_path

from beffroi.faces.api import catalogue, editing, indicators, locks, mobility, places, sta, stock, transit
from beffroi.faces.api.core import Api
from beffroi.faces.api.documents import not_found, openapi_document, welcome

api = Api()
api.add_router("", catalogue.router)
# Its operations share the paths of the datasets: they are written on the same router.
api.add_router("", editing.router)
api.add_router("", indicators.router)
api.add_router("", places.router)
api.add_router("", mobility.router)
api.add_router("", transit.router)
api.add_router("", stock.router)
api.add_router("", locks.router)

app_name = "api"
urlpatterns = [
    path("", welcome, name="welcome"),
    path("openapi.json", openapi_document(api), name="openapi"),
    path("sta/v1.1/", sta.moved, name="sta"),
    path("sta/v1.1/<path:rest>", sta.moved, name="sta-path"),
    *api.well_mannered_urls(),
    path("api-root", not_found, name="api-root"),
    re_path(r"^.*$", not_found, name="not_found"),
]
