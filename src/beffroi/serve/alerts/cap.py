"""Alerts as CAP 1.2 messages: one XML document for each message that left, never changed since.

Source: OASIS Common Alerting Protocol 1.2 (July 2010), 3.2. News (a project, works) are no alerts: they have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import shapely

from beffroi.base.clock import queries as clock
from beffroi.base.territory import queries as territories
from beffroi.base.territory.engine import is_sandbox
from beffroi.serve.alerts.definition import CATEGORIES, Content, alert_not_found, content_of
from beffroi.serve.alerts.engine import topics
from beffroi.serve.alerts.models import ALERT, CANCEL, END, Issue
from beffroi.serve.cases.mails import domain_of, page_url

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
GEOCODE = "INSEE"
_TYPES = {ALERT: "Alert", CANCEL: "Cancel"}


def identifier(made: Issue) -> str:
    """Return the identifier of a message: neither space, comma, < nor &."""
    return f"{domain_of(made.alert.territory)}-{made.alert_id}.{made.rank}"


def sent(at: datetime, territory: str) -> str:
    """Return an instant as CAP writes it: in local time, its offset said, never ``Z``."""
    return at.astimezone(clock.timezone_of(territory)).isoformat(timespec="seconds")


def message(territory: str, number: int, rank: int) -> bytes:
    """Return one message of an alert of a town as a CAP 1.2 document.

    Raises:
        AlertNotFound: no such message left, or it is news.
    """
    made = Issue.objects.select_related("alert").filter(alert=number, alert__territory=territory, rank=rank).first()
    if made is None or content_of(made.content).is_message:
        raise alert_not_found()
    ElementTree.register_namespace("", NAMESPACE)
    root = Element(f"{{{NAMESPACE}}}alert")
    _add(root, "identifier", identifier(made))
    _add(root, "sender", domain_of(territory))
    _add(root, "sent", sent(made.sent_at, territory))
    invented = is_sandbox(territory) or territories.territory(territory).fictional
    _add(root, "status", "Exercise" if invented else "Actual")
    _add(root, "msgType", _TYPES.get(made.kind, "Update"))
    _add(root, "scope", "Public")
    if made.kind == CANCEL and made.alert.reason:
        _add(root, "note", made.alert.reason)
    if references := _references(made):
        _add(root, "references", references)
    content = content_of(made.content)
    for language in ("fr", "en") if content.title_en else ("fr",):
        _add_info(root, made, content, language)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _references(made: Issue) -> str:
    """Return all the messages that this one takes the place of, as ``sender,identifier,sent``."""
    before = Issue.objects.select_related("alert").filter(alert=made.alert_id, rank__lt=made.rank).order_by("rank")
    domain = domain_of(made.alert.territory)
    return " ".join(f"{domain},{identifier(one)},{sent(one.sent_at, made.alert.territory)}" for one in before)


def _add_info(root: Element, made: Issue, content: Content, language: str) -> None:
    territory, over = made.alert.territory, made.kind in (END, CANCEL)
    title, text, instruction = content.said(language)
    known = topics(territory).get(content.topic)
    info = SubElement(root, f"{{{NAMESPACE}}}info")
    _add(info, "language", "fr-FR" if language == "fr" else "en-GB")
    _add(info, "category", content.category)
    _add(info, "event", known.label if known else CATEGORIES[content.category])
    if over:
        _add(info, "responseType", "AllClear")
    _add(info, "urgency", "Past" if over else content.urgency)
    _add(info, "severity", content.severity)
    _add(info, "certainty", content.certainty)
    _add(info, "effective", sent(made.sent_at, territory))
    if content.starts_at is not None:
        _add(info, "onset", sent(content.starts_at, territory))
    _add(info, "expires", sent(made.sent_at if over else content.until, territory))
    _add(info, "senderName", territories.territory(territory).name)
    _add(info, "headline", title)
    _add(info, "description", text)
    if instruction and not over:
        _add(info, "instruction", instruction)
    if url := page_url(territory, "portal:alert", str(made.alert_id)):
        _add(info, "web", url)
    area = SubElement(info, f"{{{NAMESPACE}}}area")
    _add(area, "areaDesc", content.place or territories.territory(territory).name)
    for polygon in _polygons(content, territory):
        _add(area, "polygon", polygon)
    code = SubElement(area, f"{{{NAMESPACE}}}geocode")
    _add(code, "valueName", GEOCODE)
    _add(code, "value", territory)


def _polygons(content: Content, territory: str) -> Iterator[str]:
    """Yield the outlines of an area, ``lat,lon`` pairs that come back to the first; the town's own for the town."""
    shape = content.shape
    if shape is None:
        wkb = territories.contour(territory)
        shape = shapely.from_wkb(wkb) if wkb else None
    for part in shapely.get_parts(shape) if shape is not None else ():
        if isinstance(part, shapely.Polygon):
            yield " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat, *_height in part.exterior.coords)


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{NAMESPACE}}}{name}").text = text


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that left and has a CAP document: its alert, its rank, its identifier, when, what."""

    number: int
    rank: int
    identifier: str
    sent_at: datetime
    content: Content


def messages(territory: str, *, limit: int = 200) -> list[Sent]:
    """Return the messages of a town that have a CAP document, the last first, for its index."""
    rows = Issue.objects.select_related("alert").filter(alert__territory=territory).order_by("-sent_at", "-pk")
    told = ((row, content_of(row.content)) for row in rows[:limit])
    return [
        Sent(row.alert_id, row.rank, identifier(row), row.sent_at, content)
        for row, content in told
        if not content.is_message
    ]
