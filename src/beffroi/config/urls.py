"""Every address of Beffroi, face by face."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    # Addresses that programs call first: those of the pages, some hundreds, are not tried before them.
    path("tuiles/", include("beffroi.faces.portal.tiles_urls")),
    path("api/", include("beffroi.faces.api.urls")),
    path("ogc/", include("beffroi.faces.api.ogc.urls")),
    path("open311/", include("beffroi.faces.api.open311.urls")),
    path("sta/v1.1/", include("beffroi.faces.api.sta")),
    path("citymodel/", include("beffroi.faces.api.citymodel_urls")),
    path("agent/", include("beffroi.faces.backoffice.urls")),
    path("elu/", include("beffroi.faces.cockpit.urls")),
    path("compte/", include("beffroi.faces.portal.accounts_urls")),
    path("", include("beffroi.faces.shell.urls")),
    path("", include("beffroi.faces.portal.urls")),
    path("", include("beffroi.faces.api.root_urls")),
]

handler400 = "beffroi.faces.shell.views.bad_request"
handler403 = "beffroi.faces.shell.views.permission_denied"
handler404 = "beffroi.faces.shell.views.page_not_found"
handler500 = "beffroi.faces.shell.views.server_error"
