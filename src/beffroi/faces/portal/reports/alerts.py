"""`/alertes/`: the zone alerts in force, for everyone; how to be told of the next ones."""

from __future__ import annotations

from typing import cast

import shapely
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.listing import has_reports
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import nearest_label
from beffroi.serve.reports.alerting import SEVERITY_TITLES
from beffroi.serve.reports.zone_alerts import ZoneAlertInfo, alerts_in_force

TONES = {"minor": "wait", "moderate": "warn", "severe": "bad"}


@open_to(EVERYONE)
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """List the zone alerts in force, the last first."""
    request = cast(Request, request)
    found = alerts_in_force(territory_of(request), at=timezone.now())
    context = {"alerts": [_told(one) for one in found], "may_follow": has_reports(request)}
    response = render(request, "portal/reports/alerts.html", context)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _told(one: ZoneAlertInfo) -> dict[str, object]:
    middle = shapely.from_geojson(one.zone).representative_point()
    return {
        "alert": one,
        "severity": _(SEVERITY_TITLES[one.severity]),
        "tone": TONES[one.severity],
        "near": nearest_label(middle.x, middle.y),
        "lon": middle.x,
        "lat": middle.y,
    }
