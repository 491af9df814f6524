"""The whole house, and the uploads of the back office."""

from django.urls import include, path

from beffroi.config.urls import urlpatterns as house
from beffroi.faces.backoffice.urls import urlpatterns as backoffice

urlpatterns = [
    path(
        "agent/",
        include(([path("depots/", include("beffroi.faces.backoffice.uploads_urls")), *backoffice], "backoffice")),
    ),
    *house,
]
