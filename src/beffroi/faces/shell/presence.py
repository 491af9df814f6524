"""Where a device says that it opens the portal for the first time today, or this month, and nothing else."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from beffroi.base.catalogue import operations
from beffroi.base.catalogue.queries import Span, audience_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import script_answer


# Nothing here is done in anybody's name: the mark that protects forms would need a page that no cache may keep.
@csrf_exempt
@open_to(EVERYONE)
@require_POST
def presence(request: HttpRequest) -> HttpResponse:
    """Add one to the devices of the day, or of the month, that `first` names; asked by another site, count nothing."""
    request = cast(Request, request)
    known = {one.value: one for one in Span}
    asked = request.POST.getlist("first")
    if not asked or set(asked) - set(known):
        problem = {"title": "durée inconnue", "remedy": "first=day, et first=month la première fois du mois"}
        return script_answer(problem | {"where": "first"}, 400)
    commune, ours = request.real_commune, request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    if commune is not None and ours:
        audience = audience_of(request.viewer, commune.code)
        installed = request.POST.get("installed") == "1"
        spans = [known[one] for one in asked]
        operations.count_device(commune.code, spans, timezone.now(), audience=audience, installed=installed)
    response = HttpResponse(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response
