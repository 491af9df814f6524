"""What the script of the form asks: the mark of a sending, the reports like one being written, the sending itself."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.draft import Draft, read_draft
from beffroi.faces.portal.reports.screens import first_wrong, forms_of, refused
from beffroi.faces.portal.reports.sending import device_of, filed, remember_device
from beffroi.faces.portal.reports.wording import state_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import script_answer, told, writer_of
from beffroi.faces.shell.places import read_degrees
from beffroi.serve.reports import queries
from beffroi.serve.reports.abuse import ProofNeeded


@open_to(EVERYONE)
@require_safe
def sending_token(request: HttpRequest) -> JsonResponse:
    """Give the mark that a sending made by a script must carry; an outbox asks for it when the network is back.

    With it, under whom it would be sent: a seal of her account ("" without one), to be compared with the one it was
    written under, and her name to be asked about.
    """
    viewer = cast(Request, request).viewer
    name = ""
    if viewer.person_id is not None:
        known = territory.person(viewer.person_id)
        name = known.name or known.email
    return script_answer({"token": get_token(request), "who": writer_of(viewer), "name": name}, 200)


@open_to(EVERYONE)
@require_safe
def kept(request: HttpRequest) -> HttpResponse:
    """Show the page on which a script lists what this device sent and what still waits on it."""
    return render(request, "portal/reports/kept.html")


@open_to(EVERYONE)
@require_safe
def similar(request: HttpRequest) -> HttpResponse:
    """Give the open reports like one being written, as a fragment of page."""
    request = cast(Request, request)
    lon, lat = (read_degrees(request.GET.get(name, ""), limit=180) for name in ("lon", "lat"))
    found = queries.similar_reports(
        request.viewer,
        territory_of(request),
        category=request.GET.get("category", ""),
        lon=lon,
        lat=max(-89.0, min(89.0, lat)),
        at=timezone.now(),
        text=request.GET.get("description", "").replace("\0", "")[:500],
    )
    return render(request, "portal/reports/_similar.html", {"similar": found, "at": timezone.now()})


@open_to(EVERYONE)
@require_POST
def receive(request: HttpRequest) -> HttpResponseBase:
    """Take a report sent by a script, at once or from an outbox; answer its number, or what is wrong and where."""
    request = cast(Request, request)
    draft = read_draft(request, request.viewer, territory_of(request))
    device = device_of(request)
    try:
        if draft.lost is not None:
            raise draft.lost
        draft.category  # noqa: B018 – says which category is missing
        if wrong := first_wrong(draft, until="check"):
            return script_answer(_problem(draft, wrong), 400)
        token = filed(request, draft, device)
    except ProofNeeded as error:
        return script_answer(told(error) | {"step": "check", "challenge": error.challenge}, error.http_status)
    except BeffroiError as error:
        return script_answer(told(error) | {"step": refused(error, "check").step}, error.http_status)
    info, _party = queries.followed_report(token)
    response = script_answer(
        {"number": info.number, "url": reverse("portal:followed-report", args=[token]), "state": state_of(info.case)},
        201,
    )
    remember_device(response, device)
    return response


def _problem(draft: Draft, step: str) -> dict[str, object]:
    name, text = next(
        (name, str(errors[0])) for form in forms_of(draft, step) for name, errors in form.errors.items() if errors
    )
    return {"title": text, "remedy": "", "where": name, "step": step}
