"""The town's reports in the words of GeoReport v2: services, their questions, requests. Public categories only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.clock import queries as clock
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, Access, Status
from beffroi.serve.reports.categories import Category, ExtraField, categories_for
from beffroi.serve.reports.queries import ReportInfo

_TYPES = {
    "text": "string",
    "integer": "number",
    "choice": "singlevaluelist",
    "date": "datetime",
    "boolean": "singlevaluelist",
}
_YES_NO = {"true": gettext_noop("Oui"), "false": gettext_noop("Non")}
_HELP = {
    "text": "",
    "integer": gettext_noop("un nombre entier"),
    "choice": "",
    "date": gettext_noop("une date comme 2026-03-31"),
    "boolean": "",
}


def is_offered(category: Category) -> bool:
    """Tell whether other systems may use a category: everyone may read its reports, and residents may send them."""
    return category.access is Access.PUBLIC and not category.agents_only


def open_services(commune: CommuneInfo) -> dict[str, Category]:
    """Return the categories that other systems may use: those whose reports everyone may read, by code."""
    return {
        one.category.code: one.category for one in categories_for(ANONYMOUS, commune.code) if is_offered(one.category)
    }


def service(category: Category) -> dict[str, Any]:
    """Return a category as a service of the list."""
    return {
        "service_code": category.code,
        "service_name": _(category.label),
        "description": _(category.help) if category.help else _(category.label),
        "metadata": bool(category.field),
        "type": "realtime",
        "keywords": ", ".join(category.keywords),
        "group": _(category.group) if category.group else "",
    }


def definition(category: Category) -> dict[str, Any]:
    """Return the questions of a category."""
    attributes = [_attribute(place, question) for place, question in enumerate(category.field, start=1)]
    return {"service_code": category.code, "attributes": attributes}


def _attribute(place: int, question: ExtraField) -> dict[str, Any]:
    choices: Mapping[str, str] = _YES_NO if question.type == "boolean" else question.choices
    help_text = question.help or _HELP[question.type]
    attribute: dict[str, Any] = {
        "variable": True,
        "code": question.code,
        "datatype": _TYPES[question.type],
        "required": question.required,
        "datatype_description": _(help_text) if help_text else None,
        "order": place,
        "description": _(question.label),
    }
    if choices:
        attribute["values"] = [{"key": key, "name": _(name)} for key, name in choices.items()]
    return attribute


def requests(found: Sequence[ReportInfo], commune: CommuneInfo, *, base: str, extended: bool) -> list[dict[str, Any]]:
    """Return reports as service requests; with `extended`, what the specification does not know is added."""
    zone = clock.timezone_of(commune.code)

    def w3c(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    told = []
    for info in found:
        case = info.case
        closed = case.status is Status.CLOSED
        photo = f"{base}/open311/v2/media/{info.photos[0]}.jpg" if info.photos else None
        request: dict[str, Any] = {
            "service_request_id": case.number,
            "status": "closed" if closed else "open",
            "status_notes": case.answer or None,
            "service_name": _(info.label),
            "service_code": case.category,
            "description": case.description or None,
            "agency_responsible": case.service or None,
            "service_notice": None,
            "requested_datetime": w3c(case.opened_at),
            "updated_datetime": w3c(case.closed_at if closed else case.changed_at),
            "expected_datetime": w3c(case.due_at),
            "address": info.address or None,
            "address_id": None,
            "zipcode": None,
            "lat": info.lat,
            "long": info.lon,
            "media_url": photo,
        }
        if extended:
            request["extended_attributes"] = _extended(info, base)
            request["notes"] = _notes(case.number, w3c)
        told.append(request)
    return told


def _extended(info: ReportInfo, base: str) -> dict[str, Any]:
    case = info.case
    return {
        "detailed_status": case.status.value,
        "detailed_status_name": _(STATUS_TITLES[case.status]),
        "outcome": case.outcome.value if case.outcome else None,
        "outcome_name": _(OUTCOME_TITLES[case.outcome]) if case.outcome else None,
        "district": info.district or None,
        "reporters": info.reporters,
        "planned_date": case.planned_on.isoformat() if case.planned_on else None,
        "reopened": case.reopened,
        "photos": [f"{base}/open311/v2/media/{key}.jpg" for key in info.photos],
    }


def _notes(number: str, w3c: Any) -> list[dict[str, Any]]:
    return [
        {
            "datetime": w3c(entry.at),
            "type": entry.what,
            "status": "closed" if entry.status is Status.CLOSED else "open",
            "description": entry.text or None,
        }
        for entry in cases.thread(ANONYMOUS, number)
    ]
