"""The addresses of the house, with the life of use cases in the back office whether or not it includes it yet."""

from __future__ import annotations

from django.urls import include, path

from beffroi.config.urls import urlpatterns as house
from beffroi.faces.backoffice import usecases
from beffroi.faces.backoffice.urls import urlpatterns as backoffice

urlpatterns = [path("agent/", include(([*usecases.urlpatterns, *backoffice], "backoffice"))), *house]
