"""The pages every face shares: language, appearance, accessibility, legal notice, site map, components."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.shell import look, offline, presence, samples, statement, views

app_name = "shell"
urlpatterns = [
    path("langue/", views.language, name="language"),
    path("apparence/", views.appearance, name="appearance"),
    path("manifest.webmanifest", offline.web_manifest, name="manifest"),
    path("sw.js", offline.service_worker, name="service-worker"),
    path("presence/", presence.presence, name="presence"),
    path("hors-ligne/", offline.offline_page, name="offline"),
    path("apparence/commune.css", look.commune_css, name="commune-css"),
    path("apparence/armes", look.arms, name="arms"),
    path("apparence/icone-<slug:shape>.svg", look.icon, name="icon"),
    path("accessibilite/", statement.accessibility, name="accessibility"),
    path("mentions-legales/", views.legal, name="legal"),
    path("plan-du-site/", views.site_map, name="sitemap"),
    path("composants/", samples.components, name="components"),
]
