"""The pages every face shares: language, appearance, accessibility, legal notice, site map, components."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.shell import views

app_name = "shell"
urlpatterns = [
    path("langue/", views.language, name="language"),
    path("apparence/", views.appearance, name="appearance"),
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("mentions-legales/", views.legal, name="legal"),
    path("plan-du-site/", views.site_map, name="sitemap"),
    path("composants/", views.components, name="components"),
]
