"""What a client asks, read by the rules of GeoReport v2: empty means absent, lists are comma-separated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import HttpRequest, UnreadablePostError

from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory import queries as territory
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Upload
from beffroi.serve.reports.filters import ReportFilter

SPAN = timedelta(days=90)
MOST = 1000
WRITE = "reports:write"
MOST_FILE_BYTES = 20 * 1024 * 1024
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,60})\](\[\])?")


class BadRequest(BeffroiError):
    """A parameter is missing or cannot be read."""


class WrongKey(Refused):
    """No API key, or none that may send reports here."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The parameters of a request, single values, with attributes and files apart."""

    values: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Upload, ...] = ()
    bearer: str = ""

    def get(self, name: str) -> str:
        """Return a parameter, "" when it is absent or empty."""
        return self.values.get(name, "").strip()

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the values of a comma-separated parameter."""
        return tuple(dict.fromkeys(part.strip() for part in self.get(name).split(",") if part.strip()))


def sent_by(request: HttpRequest) -> Sent:
    """Return what a request carries: query, form (urlencoded or multipart) or JSON.

    Raises:
        BadRequest: the body cannot be read, or is too big.
    """
    # A parameter may be repeated instead of separated by commas.
    values = {name: ",".join(request.GET.getlist(name)) for name in request.GET}
    if request.method != "POST":
        return Sent(values)
    try:
        body, files = _body(request)
    except RequestDataTooBig as error:
        raise BadRequest(
            "l’envoi est trop lourd", where="body", remedy="réduisez la photo avant de l’envoyer"
        ) from error
    except (TooManyFieldsSent, SuspiciousOperation, UnreadablePostError, ValueError, RecursionError) as error:
        raise BadRequest(
            "le corps de la requête est illisible", where="body", remedy="envoyez un formulaire ou du JSON en UTF-8"
        ) from error
    attributes = {}
    for name, value in list(body.items()):
        match = _ATTRIBUTE.fullmatch(name)
        if match is not None:
            attributes[match[1]] = value
            del body[name]
    return Sent({**values, **body}, attributes, files, territory.bearer_of(request) or "")


def _body(request: HttpRequest) -> tuple[dict[str, str], tuple[Upload, ...]]:
    if request.content_type == "application/json":
        content = json.loads(request.body.decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("not an object")
        flat = {str(name): _plain(value) for name, value in content.items() if name != "attribute"}
        given = content.get("attribute") or {}
        if not isinstance(given, dict):
            raise ValueError("attribute is not an object")
        return {**flat, **{f"attribute[{code}]": _plain(value) for code, value in given.items()}}, ()
    form = {name: ",".join(request.POST.getlist(name)) for name in request.POST}
    sent = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if sum(file.size or 0 for file in sent) > MOST_FILE_BYTES:
        raise RequestDataTooBig
    return form, tuple(Upload(file.name or "photo", file.read()) for file in sent)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(_plain(one) for one in value)
    if isinstance(value, dict):
        raise ValueError("unexpected object")
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def commune_of(request: HttpRequest, sent: Sent) -> territory.CommuneInfo:
    """Return the jurisdiction: the one named (INSEE code, short name or domain), else the one of this address.

    Raises:
        BadRequest: none is named and this address shows none.
        UnknownTerritory: no such jurisdiction here.
    """
    named = sent.get("jurisdiction_id")
    if not named:
        commune: territory.CommuneInfo | None = request.commune  # type: ignore[attr-defined]
        if commune is None:
            raise BadRequest(
                "jurisdiction_id manque", where="jurisdiction_id", remedy="donnez le code INSEE de la commune"
            )
        return commune
    return jurisdiction(named)


def jurisdiction(named: str) -> territory.CommuneInfo:
    """Return the commune of that INSEE code, short name or domain.

    Raises:
        UnknownTerritory: no such jurisdiction here.
    """
    known = {one.code: one for one in territory.communes()} | {one.slug: one for one in territory.communes()}
    if named in known:
        return known[named]
    by_domain = territory.commune_of_domain(named)
    if by_domain is None:
        raise territory.UnknownTerritory(
            "jurisdiction_id « {name} » inconnu",
            where="jurisdiction_id",
            remedy="les identifiants sont les codes INSEE, comme {example}",
            name=named[:60],
            example=next(iter(known), "34172"),
        )
    return by_domain


def sender(sent: Sent, *, at: datetime) -> tuple[Viewer, str]:
    """Return the viewer of the API key sent, and the commune it sends reports in: its own, which may be named too.

    Raises:
        WrongKey: missing, wrong, expired, of another commune or without the right.
    """
    key = sent.get("api_key") or sent.bearer
    remedy = "demandez une clé qui porte « {scope} » à un administrateur de la commune"
    if not key:
        raise WrongKey("la clé api_key manque", where="api_key", remedy=remedy, scope=WRITE)
    try:
        viewer = territory.viewer_of_key(key, at=at)
    except territory.BadKey as error:
        raise WrongKey(
            "la clé api_key est inconnue, révoquée ou expirée", where="api_key", remedy=remedy, scope=WRITE
        ) from error
    code = viewer.grants[0].territory
    named = sent.get("jurisdiction_id")
    elsewhere = bool(named) and named != code and jurisdiction(named).code != code
    if WRITE not in (viewer.scopes or ()) or elsewhere:
        raise WrongKey(
            "cette clé n’envoie pas de signalements dans cette commune", where="api_key", remedy=remedy, scope=WRITE
        )
    return viewer, code


def instant(text: str, *, where: str) -> datetime | None:
    """Return a W3C date with its time zone, None of nothing.

    Raises:
        BadRequest: not a date, or without a time zone.
    """
    if not text:
        return None
    try:
        # A plus sign not escaped in an address arrives as a space.
        found = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
    except ValueError:
        found = None
    if found is not None and found.tzinfo is None and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        found = found.replace(tzinfo=UTC)
    if found is None or found.tzinfo is None or not 1900 <= found.year <= 2999:
        raise BadRequest(
            "date « {text} » illisible",
            where=where,
            remedy="écrivez-la avec son fuseau, comme 2026-03-01T00:00:00Z",
            text=text[:40],
        )
    return found


def number(text: str, *, where: str, low: int, high: int, default: int) -> int:
    """Return a whole number between bounds.

    Raises:
        BadRequest: it is none, or out of them.
    """
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise BadRequest(
            "nombre « {text} » hors de {low}…{high}",
            where=where,
            remedy="corrigez ce nombre",
            text=text[:20],
            low=low,
            high=high,
        )
    return int(text)


def degrees(text: str, *, where: str) -> float | None:
    """Return a coordinate, None of nothing.

    Raises:
        BadRequest: it is no number.
    """
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?", text):
        raise BadRequest(
            "« {text} » n’est pas un nombre de degrés",
            where=where,
            remedy="écrivez par exemple 43.6108",
            text=text[:40],
        )
    return float(text)


def asked_filter(sent: Sent, *, at: datetime) -> ReportFilter:
    """Return the filter of GET requests: the identifiers given override everything; else 90 days at most.

    Raises:
        BadRequest: a date or a status cannot be read, or the dates span more than 90 days.
    """
    numbers = sent.listed("service_request_id")
    if numbers:
        return ReportFilter(numbers=numbers[:MOST])
    statuses = sent.listed("status")
    if set(statuses) - {"open", "closed"}:
        raise BadRequest(
            "status « {text} » inconnu", where="status", remedy="écrivez open ou closed", text=",".join(statuses)[:40]
        )
    changed = [instant(sent.get(name), where=name) for name in ("updated_after", "updated_before")]
    first, last = (instant(sent.get(name), where=name) for name in ("start_date", "end_date"))
    if first is not None and last is not None and not timedelta() <= last - first <= SPAN:
        raise BadRequest(
            "de start_date à end_date, 90 jours au plus", where="start_date", remedy="demandez plusieurs périodes"
        )
    if not any(changed):
        # Nothing said: the last 90 days; one end said: 90 days from it.
        last = last or (min(first + SPAN, at) if first is not None else at)
        first = first or last - SPAN
    return ReportFilter(
        categories=sent.listed("service_code"),
        statuses=() if len(statuses) != 1 else statuses,
        since=first,
        until=last + timedelta(microseconds=1) if last is not None else None,
        changed_since=changed[0],
        changed_until=changed[1],
        order="changed" if any(changed) else "newest",
    )
