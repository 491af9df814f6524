"""A CAP message of another authority in this room's words: what, how grave, where, until when, what it replaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territories
from beffroi.serve.alerts.cap import NAMESPACE
from beffroi.serve.alerts.cap_checks import BadCap, check, parsed
from beffroi.serve.cases.ground import circle

DEFAULT_LIFE = timedelta(hours=24)
"""How long a message that does not say when it expires is shown."""

MOST_WORDS = 4000
ATOM = "http://www.w3.org/2005/Atom"
# What France's authorities name the codes of communes and departments with.
COMMUNE_CODES = frozenset({"INSEE", "COG", "CODEGEO", "CODE_INSEE", "COMMUNE"})
DEPARTMENT_CODES = frozenset({"DEP", "DEPARTEMENT", "DEPARTMENT", "NUTS3", "CODE_DEPARTEMENT"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `zone` is CRS84, None when it only names codes; `concerns` tells whether it is about the town.

    `replaces` are the (sender, identifier) of the messages whose place it takes.
    """

    identifier: str
    sender: str
    sent_at: datetime
    kind: str
    told: dict[str, str]
    starts_at: datetime | None
    until: datetime
    zone: shapely.Geometry | None
    concerns: bool
    replaces: tuple[tuple[str, str], ...]


def links_of(root: Element) -> list[str] | None:
    """Return the addresses of the messages that an Atom or RSS index leads to, None when it is no index."""
    if root.tag == f"{{{ATOM}}}feed":
        found = []
        for entry in root.iter(f"{{{ATOM}}}entry"):
            links = entry.findall(f"{{{ATOM}}}link")
            typed = [one for one in links if "cap" in one.get("type", "")] or links
            found += [one.get("href", "") for one in typed[:1]]
        return [one for one in found if one]
    if root.tag == "rss":
        return [item.findtext("link", "").strip() for item in root.iter("item") if item.findtext("link", "").strip()]
    return None


def read_message(document: bytes | Element, *, territory: str) -> Message | None:
    """Return what a message says to a town, None for one that is not for the public: a test, a draft, an exercise.

    Raises:
        BadCap: it is no CAP 1.2 message.
    """
    root = parsed(document) if isinstance(document, bytes) else document
    check(root)
    if _text(root, "status") != "Actual" or _text(root, "scope") != "Public":
        return None
    kind = _text(root, "msgType")
    if kind not in ("Alert", "Update", "Cancel"):
        return None
    sent_at = _instant(_text(root, "sent"))
    info = _info(root)
    if info is None and kind != "Cancel":
        return None
    parts, coded = _areas(info, territory)
    zone = shapely.union_all(parts) if parts else None
    expires = _instant(_text(info, "expires")) if info is not None and _text(info, "expires") else None
    onset = _text(info, "onset") if info is not None else ""
    return Message(
        identifier=_text(root, "identifier"),
        sender=_text(root, "sender"),
        sent_at=sent_at,
        kind=kind,
        told=_told(info),
        starts_at=_instant(onset) if onset else None,
        until=expires or sent_at + DEFAULT_LIFE,
        zone=zone,
        concerns=coded or (zone is not None and _meets(zone, territory)),
        replaces=_references(_text(root, "references")),
    )


def _info(root: Element) -> Element | None:
    """Return the information in French, else the first."""
    infos = root.findall(f"{{{NAMESPACE}}}info")
    french = [one for one in infos if _text(one, "language").lower().startswith("fr")]
    return next(iter(french or infos), None)


def _told(info: Element | None) -> dict[str, str]:
    if info is None:
        return {}
    areas = [_text(one, "areaDesc") for one in info.findall(f"{{{NAMESPACE}}}area")]
    names = {
        "title": "headline", "text": "description", "instruction": "instruction", "event": "event", "web": "web",
        "severity": "severity", "urgency": "urgency", "certainty": "certainty", "category": "category",
        "name": "senderName",
    }  # fmt: skip
    found = {name: _text(info, tag)[:MOST_WORDS] for name, tag in names.items()}
    found["title"] = found["title"] or found["event"]
    found["place"] = ", ".join(areas)[:300]
    # An address that is not one of the web is not shown as a link.
    if not found["web"].startswith(("https://", "http://")):
        found["web"] = ""
    return found


def _areas(info: Element | None, territory: str) -> tuple[list[shapely.Geometry], bool]:
    """Return the shapes of the areas of an information, and whether one of their codes names the town."""
    parts: list[shapely.Geometry] = []
    coded = False
    for area in info.findall(f"{{{NAMESPACE}}}area") if info is not None else ():
        parts += _shapes(area)
        for code in area.findall(f"{{{NAMESPACE}}}geocode"):
            coded = coded or _names(_text(code, "valueName"), _text(code, "value"), territory)
    return parts, coded


def _shapes(area: Element) -> Iterator[shapely.Geometry]:
    for one in area.findall(f"{{{NAMESPACE}}}polygon"):
        points = [tuple(map(float, pair.split(","))) for pair in (one.text or "").split()]
        shape = shapely.make_valid(shapely.Polygon([(lon, lat) for lat, lon in points]))
        if not all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in points) or points[0] != points[-1]:
            raise BadCap("polygone ouvert ou hors du globe", where="alert/info/area/polygon",
                         remedy="signalez-le à l’émetteur (CAP 1.2, 3.2.4)")  # fmt: skip
        yield shape
    for one in area.findall(f"{{{NAMESPACE}}}circle"):
        centre, radius_km = (one.text or "").split()
        lat, lon = map(float, centre.split(","))
        if not (-89 <= lat <= 89 and -180 <= lon <= 180):
            raise BadCap("cercle hors du globe", where="alert/info/area/circle",
                         remedy="signalez-le à l’émetteur (CAP 1.2, 3.2.4)")  # fmt: skip
        yield circle(lon, lat, max(float(radius_km) * 1000, 1.0))


def _names(kind: str, value: str, territory: str) -> bool:
    """Tell whether a code is that of the town, or of its department."""
    kind, value = kind.strip().upper().replace("-", "_"), value.strip().upper()
    if kind in COMMUNE_CODES:
        return value == territory
    department = territory[:3] if territory.startswith("97") else territory[:2]
    return kind in DEPARTMENT_CODES and value.removeprefix("FR-") == department


def _meets(zone: shapely.Geometry, territory: str) -> bool:
    try:
        wkb, box = territories.contour(territory), territories.territory(territory).bbox
    except BeffroiError:
        return False
    outline = shapely.from_wkb(wkb) if wkb else (shapely.box(*box) if box else None)
    return outline is not None and bool(outline.intersects(zone))


def _references(text: str) -> tuple[tuple[str, str], ...]:
    parts = [one.split(",") for one in text.split()]
    return tuple((one[0], one[1]) for one in parts if len(one) == 3)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadCap("« {text} » n’est pas une date", where="alert", remedy="signalez-le à l’émetteur",
                     text=text[:40]) from error  # fmt: skip


def _text(element: Element | None, name: str) -> str:
    return "" if element is None else (element.findtext(f"{{{NAMESPACE}}}{name}") or "").strip()
