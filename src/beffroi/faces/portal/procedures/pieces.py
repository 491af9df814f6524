"""`/demarches/pieces/`: the documents that a person lets the town keep for her next requests."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.numbers import row_key
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to
from beffroi.serve.procedures import operations, queries


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def kept_pieces(request: HttpRequest) -> HttpResponse:
    """List the documents kept for the reader, until when, and forget the one she takes back."""
    request = cast(Request, request)
    territory = territory_of(request)
    if request.method == "POST":
        key = row_key(request.POST.get("piece", ""))
        operations.forget_piece(key, viewer=request.viewer, territory=territory)
        messages.success(request, _("La pièce est effacée."))
        return redirect("portal:kept-pieces")
    context = {"pieces": queries.kept_pieces(request.viewer, territory, at=timezone.now())}
    response = render(request, "portal/procedures/pieces.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
