"""What the map of a service of reserved data draws: cells for everybody, points for those who may read them."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.definition import UseCase, UseCaseNotFound
from beffroi.faces.portal.counted import ENGINE, cells_drawn, points_drawn
from beffroi.faces.portal.directory import public_service
from beffroi.faces.shell.access import EVERYONE, Request, open_to

GEOJSON = "application/geo+json"


@open_to(EVERYONE)
@require_safe
def counts_geojson(request: HttpRequest, use_case: str) -> JsonResponse:
    """Answer the cells of a service, as its page chose them."""
    request = cast(Request, request)
    return JsonResponse(cells_drawn(request, _counted(request, use_case)), content_type=GEOJSON)


@open_to(EVERYONE)
@require_safe
def points_geojson(request: HttpRequest, use_case: str) -> JsonResponse:
    """Answer the points of a service to those who may read them; to others, none."""
    request = cast(Request, request)
    answer = JsonResponse(points_drawn(request, _counted(request, use_case)), content_type=GEOJSON)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _counted(request: Request, use_case: str) -> UseCase:
    found = public_service(request, use_case)
    settings = found.use_case.settings.get(ENGINE)
    if not found.is_open or settings is None or not settings.counted:
        raise UseCaseNotFound("ce service ne compte rien", where=use_case, remedy="voyez la liste des services")
    return found.use_case
