"""Addresses of Open311, to be included at ``/open311/``."""

from __future__ import annotations

from django.urls import re_path

from beffroi.faces.api.open311 import views

_FORM = r"\.(?P<form>json|xml)$"

app_name = "open311"
urlpatterns = [
    re_path(rf"^(?:v2/)?discovery{_FORM}", views.discovery, name="discovery"),
    re_path(rf"^v2/services{_FORM}", views.services, name="services"),
    re_path(rf"^v2/services/(?P<code>[^/]{{1,80}}){_FORM}", views.service_definition, name="service_definition"),
    re_path(rf"^v2/requests{_FORM}", views.service_requests, name="requests"),
    re_path(rf"^v2/requests/(?P<request_id>[^/]{{1,40}}){_FORM}", views.service_request, name="request"),
    re_path(rf"^v2/tokens/(?P<token>[^/]{{1,80}}){_FORM}", views.token, name="token"),
    re_path(r"^v2/media/(?P<attachment>[0-9]{1,15})\.jpg$", views.media, name="media"),
]
