"""Who reads the indicators of a use case: those it is for, and no one else."""

from __future__ import annotations

from django.http import Http404, HttpResponseBase

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.faces.portal.directory import public_service, territory_of
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.middleware import refusal
from beffroi.sense.indicators import queries
from beffroi.sense.indicators.queries import Declared


def asked(request: Request, use_case: str) -> tuple[UseCaseView, Declared] | None:
    """Return the open use case of an address and its indicators, None when they are not for this reader.

    Raises:
        UseCaseNotFound: unknown, or in preparation here. Http404: it declares no indicator.
    """
    found = public_service(request, use_case)
    wanted = queries.declared(found.use_case)
    if wanted is None:
        raise Http404
    return (found, wanted) if queries.may_read(request.viewer, territory_of(request), found.use_case) else None


def refused(request: Request) -> HttpResponseBase:
    """Answer who is not of the public of these indicators: sign-in for a person unknown."""
    return refusal(request, status=401 if request.viewer.person_id is None else 403)
