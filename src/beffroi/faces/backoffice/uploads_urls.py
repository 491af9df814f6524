"""Addresses of the files that agents send; included by `urls.py` under ``depots/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from beffroi.faces.backoffice import uploads

urlpatterns: list[URLPattern | URLResolver] = [
    path("", uploads.uploads, name="uploads"),
    path("<int:upload_id>/", uploads.upload, name="upload"),
    path("<int:upload_id>/publier/", uploads.publish, name="upload-publish"),
    path("<int:upload_id>/retirer/", uploads.discard, name="upload-discard"),
]
