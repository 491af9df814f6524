"""Addresses of alerts for residents."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.portal.alerts import following, pages

urlpatterns = [
    path("alertes/", pages.alerts, name="alerts"),
    path("alertes/carte.geojson", pages.alerts_geojson, name="alerts-geojson"),
    path("alertes/abonnement/", following.follow, name="alerts-follow"),
    path("alertes/abonnement/<str:token>/", following.confirm, name="alerts-confirm"),
    path("alertes/suivi/<str:token>/", following.followed, name="alerts-followed"),
    path("alertes/suivi/<str:token>/fin/", following.unfollow, name="alerts-unfollow"),
    path("alertes/puis-je-rouler/", pages.may_i_drive, name="may-i-drive"),
    path("alertes/projet/<slug:code>/", pages.project, name="project"),
    path("alertes/<int:number>/", pages.alert, name="alert"),
    path("alertes/usage/<slug:use_case>/", pages.alerts_for, name="alerts-for"),
    path("ecran/", pages.screen, name="screen"),
]
