"""The page of a thing of the town (a lamp, a bin): where its QR code leads, and the label that bears the code."""

from __future__ import annotations

import json
from typing import Any, cast

import qrcode
import qrcode.image.svg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.listing import told
from beffroi.faces.portal.reports.wording import service_names
from beffroi.faces.portal.sheets import Sheet, read_sheet
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.things import first_facts, planned_works
from beffroi.lake import queries as lake
from beffroi.lake.store import DatasetRef
from beffroi.serve.reports import queries


@open_to(EVERYONE)
@require_safe
def thing(request: HttpRequest, dataset: str, feature_id: str) -> HttpResponse:
    """Tell what a thing is, who looks after it, what was reported about it, and let one report."""
    request = cast(Request, request)
    context = _context(request, dataset, feature_id)
    return render(request, "portal/reports/object.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def label(request: HttpRequest, dataset: str, feature_id: str) -> HttpResponse:
    """Show the label to print and stick on a thing: its name and the QR code of its page."""
    request = cast(Request, request)
    context = _context(request, dataset, feature_id)
    address = request.build_absolute_uri(reverse("portal:object", args=[dataset, feature_id]))
    return render(request, "portal/reports/label.html", context | {"address": address, "code": qr_code(address)})


def qr_code(text: str) -> SafeString:
    """Return the QR code of a text as an SVG element that scales; level M bears scratches of 15 %."""
    drawn = qrcode.make(
        text,
        image_factory=qrcode.image.svg.SvgPathImage,
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        border=2,
    )
    return mark_safe(drawn.to_string(encoding="unicode"))  # noqa: S308 – a path of our own drawing


def _context(request: Request, dataset: str, feature_id: str) -> dict[str, Any]:
    territory, at = territory_of(request), timezone.now()
    ref = DatasetRef(territory, dataset)
    feature = lake.feature(request.viewer, ref, feature_id)
    detail = lake.dataset(request.viewer, ref)
    sheet = read_sheet(feature, detail, feature_id=feature_id)
    offered = [one for one in queries.categories_for(request.viewer, territory) if one.category.object == dataset]
    names = service_names(territory)
    properties = json.loads(feature).get("properties") or {}
    first = first_facts(detail.columns, properties, today=timezone.localdate(at))
    told_first = {title for title, _value in first}
    return {
        "sheet": sheet,
        "summary": detail.summary,
        "detail": detail,
        "feature_id": feature_id,
        "first_facts": first,
        "other_facts": [fact for fact in sheet.facts if fact.title not in told_first],
        "works": planned_works(territory, sheet.lon, sheet.lat, at=at),
        "services": sorted({names.get(one.category.service, one.category.service) for one in offered}),
        "links": [
            (_(one.category.label), _report_url(sheet, dataset, feature_id, one.category.code)) for one in offered
        ],
        "shown": [told(one, at) for one in queries.about_object(ANONYMOUS, territory, dataset, feature_id)],
        "is_agent": request.viewer.has(Role.AGENT, territory),
    }


def _report_url(sheet: Sheet, dataset: str, feature_id: str, category: str) -> str:
    begun = {"categorie": category, "objet": f"{dataset}/{feature_id}"}
    if sheet.lon is not None and sheet.lat is not None:
        begun |= {"lon": f"{sheet.lon:.6f}", "lat": f"{sheet.lat:.6f}"}
    return f"{reverse('portal:report')}?{urlencode(begun)}"
