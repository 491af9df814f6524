"""Beffroi's addresses with the pages of the journal and of personal data, whether or not they are wired already."""

from django.urls import include, path

from beffroi.config.urls import handler400, handler403, handler404, handler500, urlpatterns
from beffroi.faces.backoffice import journal
from beffroi.faces.backoffice import urls as backoffice
from beffroi.faces.portal import privacy
from beffroi.faces.portal import urls as portal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
urlpatterns = [
    path("agent/", include(([*journal.urlpatterns, *backoffice.urlpatterns], "backoffice"))),
    path("", include(([*privacy.urlpatterns, *portal.urlpatterns], "portal"))),
    *urlpatterns,
]
