"""Addresses of reports, within the portal."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.portal.reports import assisted, filing, listing, mine, objects, pages, scripts, subscribing

# Importing `mine` adds its section to the page of one's requests.
__all__ = ["mine", "urlpatterns"]

urlpatterns = [
    path("signaler/", filing.report, name="report"),
    path("signaler/jeton/", scripts.sending_token, name="report-token"),
    path("signaler/semblables/", scripts.similar, name="report-similar"),
    path("signaler/envoi/", scripts.receive, name="report-receive"),
    path("signaler/envois/", scripts.kept, name="report-kept"),
    path("signaler/<slug:use_case>/", filing.report, name="report-for"),
    path("accueil-accompagne/", assisted.assisted, name="assisted"),
    path("signalements/", listing.reports, name="reports"),
    path("signalements/carte.geojson", listing.reports_geojson, name="reports-geojson"),
    path("signalements/abonnement/", subscribing.subscribe, name="subscribe"),
    path("signalements/photo/<int:attachment>/", pages.photo, name="report-photo"),
    path("signalements/<str:number>/", pages.public_report, name="public-report"),
    path("abonnement/<str:token>/", subscribing.confirm, name="subscription"),
    path("abonnements/", subscribing.own, name="own-subscriptions"),
    path("abonnements/<str:token>/", subscribing.subscriptions, name="subscriptions"),
    path("abonnements/<str:token>/fin/", subscribing.unsubscribe, name="subscriptions-end"),
    path("suivi/<str:token>/", pages.followed_report, name="followed-report"),
    path("suivi/<str:token>/recu/", pages.receipt, name="report-receipt"),
    path("suivi/<str:token>/photo/<int:attachment>/", pages.photo, name="followed-photo"),
    path("objet/<slug:dataset>/<str:feature_id>/", objects.thing, name="object"),
    path("objet/<slug:dataset>/<str:feature_id>/etiquette/", objects.label, name="object-label"),
]
