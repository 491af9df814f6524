"""Addresses of the agents' back office. Each subject brings its own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from beffroi.faces.backoffice import (
    awaiting,
    connected,
    courses,
    energy,
    held,
    journal,
    landlords,
    look,
    offers,
    owners,
    presence,
    proposals,
    sandbox,
    sources,
    usecases,
    webhooks,
    worth,
)
from beffroi.faces.backoffice.alerts import pages as alerts
from beffroi.faces.backoffice.bills import urls as bill_urls
from beffroi.faces.backoffice.bookings import pages as bookings
from beffroi.faces.backoffice.live import pages as live
from beffroi.faces.backoffice.outreach import urls as outreach_urls
from beffroi.faces.backoffice.procedures import urls as procedure_urls
from beffroi.faces.backoffice.reports import urls as report_urls
from beffroi.faces.backoffice.rounds import urls as round_urls
from beffroi.faces.backoffice.slots import pages as slots
from beffroi.faces.backoffice.views import home
from beffroi.faces.backoffice.works import urls as works_urls

app_name = "backoffice"
# Imported for what they register: the cards of « my work today ».
WORK_SOURCES = (awaiting,)
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("personnes/", include("beffroi.faces.backoffice.people_urls")),
    path("depots/", include("beffroi.faces.backoffice.uploads_urls")),
    *held.urlpatterns,
    *energy.urlpatterns,
    *sources.urlpatterns,
    *connected.urlpatterns,
    *live.urlpatterns,
    *owners.urlpatterns,
    *offers.urlpatterns,
    *proposals.urlpatterns,
    *alerts.urlpatterns,
    *bookings.urlpatterns,
    *slots.urlpatterns,
    *bill_urls.urlpatterns,
    *landlords.urlpatterns,
    path("couleurs/", look.look, name="look"),
    *sandbox.urlpatterns,
    *courses.urlpatterns,
    *usecases.urlpatterns,
    *presence.urlpatterns,
    *journal.urlpatterns,
    *webhooks.urlpatterns,
    *worth.urlpatterns,
    *report_urls.urlpatterns,
    *procedure_urls.urlpatterns,
    *round_urls.urlpatterns,
    *works_urls.urlpatterns,
    *outreach_urls.urlpatterns,
]
