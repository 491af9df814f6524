"""A report that another system sends: its key, its service, its place, its answers, its photos."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.catalogue.operations import count_use
from beffroi.base.territory.queries import CommuneInfo
from beffroi.faces.api.open311.asked import BadRequest, Sent, degrees, sender
from beffroi.faces.api.open311.told import is_offered, open_services
from beffroi.sense.places import queries as places
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports.categories import Category, UnknownCategory, open_categories
from beffroi.serve.reports.intake import Submission, file_in

MOST_URL = 1000


def service_of(commune: CommuneInfo, code: str) -> Category:
    """Return the service of a code.

    Raises:
        UnknownCategory: this commune has none.
    """
    found = open_services(commune).get(code)
    if found is None:
        raise unknown_service(code)
    return found


def unknown_service(code: str) -> UnknownCategory:
    """Return the error for a code that names no service here."""
    return UnknownCategory(
        "service_code « {code} » inconnu",
        where="service_code",
        remedy="la liste est à l’adresse /open311/v2/services.json",
        code=code[:60],
    )


def received(sent: Sent, *, key: str, at: datetime) -> list[dict[str, Any]]:
    """Take a report in and return what its sender is told.

    Args:
        key: the idempotency key of the sending, if any: sent again, it is the same report.

    Raises:
        WrongKey: no key, or none that may send reports in this commune.
        BadRequest, BadCase, UnknownCategory: what is missing or cannot be kept.
    """
    viewer, territory = sender(sent, at=at)
    code = sent.get("service_code")
    if not code:
        raise BadRequest(
            "service_code manque", where="service_code", remedy="choisissez dans /open311/v2/services.json"
        )
    chosen = open_categories(territory).get(code)
    if chosen is None or not is_offered(chosen.category):
        raise unknown_service(code)
    lon, lat, address = _place(sent, territory)
    submission = Submission(
        category=code,
        lon=lon,
        lat=lat,
        description=sent.get("description"),
        address=address[:200],
        details=_answers(chosen.category, sent),
        photos=sent.files,
        idempotency_key=key,
        source="open311",
    )
    name = " ".join(part for part in (sent.get("first_name"), sent.get("last_name")) if part)
    requester = Requester(name=name, email=sent.get("email"), phone=sent.get("phone"))
    opened = file_in(chosen, territory=territory, submission=submission, requester=requester, viewer=viewer, at=at)
    if opened.created:
        _note_media(sent, opened.number, at)
        count_use(chosen.use_case, territory, at)
    return [
        {
            "service_request_id": opened.number,
            "service_notice": _("Suivez ce signalement par son numéro : {number}.").format(number=opened.number),
            "account_id": None,
        }
    ]


def _place(sent: Sent, territory: str) -> tuple[float, float, str]:
    """Return longitude, latitude and address; an address alone is looked up among those of the commune."""
    lat, lon = degrees(sent.get("lat"), where="lat"), degrees(sent.get("long"), where="long")
    text = sent.get("address_string") or sent.get("address")
    if lat is not None and lon is not None:
        return lon, lat, text
    if (lat is None) != (lon is None):
        raise BadRequest("lat et long vont ensemble", where="lat", remedy="donnez les deux, en degrés")
    wanted = text or sent.get("address_id")
    if not wanted:
        raise BadRequest("le lieu manque", where="lat", remedy="donnez lat et long, ou address_string")
    hits = places.addresses(wanted[:200], citycode=territory, autocomplete=False, limit=1)
    if not hits or hits[0].lon is None or hits[0].lat is None:
        raise BadRequest(
            "adresse « {text} » introuvable dans la commune",
            where="address_string",
            remedy="donnez lat et long, en degrés",
            text=wanted[:80],
        )
    return hits[0].lon, hits[0].lat, text or hits[0].title


def _answers(category: Category, sent: Sent) -> dict[str, str]:
    """Return the answers as the category reads them: the day alone of a date and time."""
    days = {one.code for one in category.field if one.type == "date"}
    return {code: value[:10] if code in days else value for code, value in sent.attributes.items()}


def _note_media(sent: Sent, number: str, at: datetime) -> None:
    """Leave an address of a photo to the service as a note: the house opens no address that it is given."""
    url = sent.get("media_url")
    if url.startswith(("http://", "https://")) and len(url) <= MOST_URL and not any(mark in url for mark in "<>\n\0"):
        cases.add_note(number=number, text=f"media_url : {url}", by=None, at=at)
