"""Addresses for the tests of tiles: theirs alone."""

from django.urls import include, path

urlpatterns = [path("tuiles/", include("beffroi.faces.portal.tiles_urls"))]
