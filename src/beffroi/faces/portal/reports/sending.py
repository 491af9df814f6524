"""Where a sending comes from, and how it goes in: by the form of a page, or by the outbox of a phone."""

from __future__ import annotations

import secrets
from datetime import datetime

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.reports.draft import Draft, mandate_of, requester_of, sent_photos, submission_of
from beffroi.faces.shell.access import Request
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Upload
from beffroi.serve.cases.operations import Opened
from beffroi.serve.reports import operations as reports

# A random mark, for limits only: sealed by the domain, which forgets it within a month.
DEVICE_COOKIE = "appareil"
_MONTH_S = 30 * 24 * 3600


def device_of(request: Request) -> str:
    """Return the mark of this browser, a new one when it has none or a strange one."""
    mark = request.COOKIES.get(DEVICE_COOKIE, "")
    return mark if len(mark) == 32 and mark.isascii() and mark.isalnum() else secrets.token_hex(16)


def remember_device(response: HttpResponseBase, mark: str) -> None:
    """Have the browser keep its mark for a month."""
    response.set_cookie(
        DEVICE_COOKIE, mark, max_age=_MONTH_S, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def all_photos(request: Request, draft: Draft) -> list[Upload]:
    """Return the photos already held, then those that came with this form.

    Raises:
        BadCase: a photo is too heavy, or there are too many.
    """
    return [*cases.held_files(draft.held), *sent_photos(request)]


def send(request: Request, draft: Draft, *, device: str, at: datetime) -> Opened:
    """File the report of a draft whose forms are valid, once however often it is sent.

    Raises:
        BadCase, UnknownCategory, TooMany, ProofNeeded: as `serve.reports.operations.file_report`.
    """
    viewer: Viewer = request.viewer
    return reports.file_report(
        territory=draft.territory,
        submission=submission_of(draft, all_photos(request, draft)),
        requester=requester_of(draft, viewer, get_language() or "fr"),
        viewer=viewer,
        at=at,
        sender=reports.sender_of(device=device, address=address_of(request), at=at),
        proof=request.POST.get("proof", ""),
        mandate=mandate_of(draft, viewer),
    )


def address_of(request: Request) -> str:
    """Return the IP address the request comes from, the proxy's own left aside."""
    return str(get_adapter(request).get_client_ip(request))


def filed(request: Request, draft: Draft, device: str) -> str:
    """Send the draft, or follow the report it repeats; return the follow-up token."""
    at = timezone.now()
    if same := request.POST.get("same", ""):
        return reports.follow_report(
            number=same,
            requester=requester_of(draft, request.viewer, get_language() or "fr"),
            viewer=request.viewer,
            at=at,
            photos=all_photos(request, draft),
            text=draft.words.cleaned_data["description"],
            sender=reports.sender_of(device=device, address=address_of(request), at=at),
        ).token
    return send(request, draft, device=device, at=at).token
