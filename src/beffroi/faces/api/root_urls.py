"""What machines watch and harvest, at the root of the site."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.api import cap
from beffroi.faces.api.dcat import dcat
from beffroi.faces.api.feeds import alert_feed, report_feed
from beffroi.faces.api.watching import health, metrics

urlpatterns = [
    *cap.urlpatterns,
    path("dcat.jsonld", dcat, name="dcat"),
    path("feeds/alertes.atom", alert_feed, name="alert-feed"),
    path("feeds/signalements.atom", report_feed, name="report-feed"),
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
]
