"""The addresses of the house with those of the API, whether or not the house already includes them."""

from __future__ import annotations

from django.urls import include, path

from beffroi.config.urls import urlpatterns as house

urlpatterns = [
    path("api/", include("beffroi.faces.api.urls")),
    path("", include("beffroi.faces.api.root_urls")),
    *house,
]
