"""The API about itself: where to begin, its OpenAPI document, and what does not exist."""

from __future__ import annotations

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi import __version__
from beffroi.faces.api import problems
from beffroi.faces.api.core import Api
from beffroi.faces.shell.access import EVERYONE, open_to


@open_to(EVERYONE)
@require_safe
def welcome(request: HttpRequest) -> JsonResponse:
    """Say where to begin."""
    return JsonResponse(
        {
            "title": "Beffroi",
            "version": __version__,
            "openapi": "/api/openapi.json",
            "catalogue": "/api/catalogue",
            "datasets": "/api/datasets",
        }
    )


def openapi_document(api: Api) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of the OpenAPI document of `api`."""

    @open_to(EVERYONE)
    @require_safe
    def document(request: HttpRequest) -> HttpResponse:
        body = json.dumps(api.openapi(), ensure_ascii=False)
        return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return document


@open_to(EVERYONE)
def not_found(request: HttpRequest, **_arguments: str) -> HttpResponse:
    """Answer for every address of the API that is not one."""
    return problems.problem(
        404, _("Cette adresse n’existe pas."), where=request.path[:200], remedy=_("La liste est dans /api/openapi.json")
    )
