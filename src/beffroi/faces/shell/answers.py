"""Answers to our own scripts: JSON that no cache keeps, a fault told as they show it, the seal of who writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.sentences import said

Answer = TypeVar("Answer", bound=HttpResponseBase)


def private(response: Answer) -> Answer:
    """Return an answer that is for who asked: no cache keeps it."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def script_answer(payload: Mapping[str, object], status: int = 200) -> JsonResponse:
    """Return `payload` as JSON for a script, for it alone."""
    response = JsonResponse(payload, status=status, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-store"
    return response


def told(fault: BeffroiError) -> dict[str, object]:
    """Return what a script shows of a fault: what (`title`), how to mend it (`remedy`), in which field (`where`)."""
    return {"title": said(fault.what), "remedy": said(fault.remedy), "where": fault.where}


def writer_of(viewer: Viewer) -> str:
    """Return the seal of an account ("" without one): what a device keeps to know later under whom it was written."""
    if viewer.person_id is None:
        return ""
    return salted_hmac("beffroi.outbox", str(viewer.person_id)).hexdigest()[:16]
