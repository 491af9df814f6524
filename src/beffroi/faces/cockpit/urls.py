"""Addresses of the cockpit."""

from __future__ import annotations

from django.urls import path

from beffroi.faces.cockpit import views

app_name = "cockpit"
urlpatterns = [
    path("", views.home, name="home"),
    path("communes/", views.communes, name="communes"),
]
