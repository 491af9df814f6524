"""What an alert says, in the words of CAP 1.2, and what can go wrong.

Source: OASIS Common Alerting Protocol 1.2 (July 2010), 3.2.2: categories, severity, urgency, certainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import shapely

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop

ENGINE = "alerts"
GRACE = timedelta(seconds=30)
"""How long one who sends may still take it back: nothing has left before."""

LONGEST = timedelta(days=92)
LAST_KEPT = timedelta(days=366)

SEVERITIES = {
    "Extreme": gettext_noop("Extrême"),
    "Severe": gettext_noop("Grave"),
    "Moderate": gettext_noop("Modérée"),
    "Minor": gettext_noop("Mineure"),
    "Unknown": gettext_noop("Inconnue"),
}
URGENCIES = {
    "Immediate": gettext_noop("Agir tout de suite"),
    "Expected": gettext_noop("Dans l’heure"),
    "Future": gettext_noop("Plus tard"),
    "Past": gettext_noop("C’est passé"),
    "Unknown": gettext_noop("Inconnue"),
}
CERTAINTIES = {
    "Observed": gettext_noop("Constaté"),
    "Likely": gettext_noop("Probable"),
    "Possible": gettext_noop("Possible"),
    "Unlikely": gettext_noop("Peu probable"),
    "Unknown": gettext_noop("Inconnue"),
}
CATEGORIES = {
    "Geo": gettext_noop("Sol et sous-sol"),
    "Met": gettext_noop("Météo et inondation"),
    "Safety": gettext_noop("Danger et secours"),
    "Security": gettext_noop("Ordre public"),
    "Rescue": gettext_noop("Recherche et sauvetage"),
    "Fire": gettext_noop("Incendie"),
    "Health": gettext_noop("Santé"),
    "Env": gettext_noop("Pollution et environnement"),
    "Transport": gettext_noop("Circulation et transports"),
    "Infra": gettext_noop("Eau, énergie, réseaux"),
    "CBRNE": gettext_noop("Matières dangereuses"),
    "Other": gettext_noop("Autre"),
}
SECOND_PERSON = frozenset({"Extreme", "Severe"})
"""Severities that one agent alone does not send."""

TOWN, DISTRICT, STREET, ZONE = "town", "district", "street", "zone"
AREAS = (TOWN, DISTRICT, STREET, ZONE)
PROJECT = "project"


class BadAlert(BeffroiError):
    """An alert cannot be kept, or sent, as written."""


class AlertNotFound(NotFound):
    """No such alert, or it is not for this reader."""


class TooLate(BeffroiError):
    """The alert is no longer at the step one acts on."""

    http_status = 409


class FollowerNotFound(NotFound):
    """The link opens no follower."""


class TooMany(BeffroiError):
    """Too many were asked from the same place."""

    http_status = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an alert says. A message is an alert without severity, urgency nor certainty: news, not a danger.

    `zone` is GeoJSON (CRS84), "" for the whole town; `districts` are slugs, `streets` names as written. `driving` is
    "" or which vehicles may drive: ``critair-2`` (classes up to 2) or ``parity``. `project` narrows a message to who
    follows it.
    """

    title: str
    text: str
    topic: str
    until: datetime
    instruction: str = ""
    title_en: str = ""
    text_en: str = ""
    instruction_en: str = ""
    category: str = "Other"
    severity: str = "Unknown"
    urgency: str = "Unknown"
    certainty: str = "Unknown"
    is_message: bool = False
    area: str = TOWN
    districts: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    zone: str = ""
    place: str = ""
    project: str = ""
    starts_at: datetime | None = None
    driving: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what the registry keeps."""
        values = asdict(self)
        for name in ("until", "starts_at"):
            values[name] = values[name].isoformat() if values[name] else None
        return values

    @property
    def shape(self) -> shapely.Geometry | None:
        """Return its zone (CRS84), None for the whole town."""
        return shapely.from_geojson(self.zone) if self.zone else None

    @property
    def needs_second_person(self) -> bool:
        """Tell whether a second person must approve it: grave, or for everybody."""
        return self.severity in SECOND_PERSON or (self.area == TOWN and not self.project)

    def said(self, language: str) -> tuple[str, str, str]:
        """Return its title, text and instruction in a language; in French where it was not written in another."""
        english = (self.title_en, self.text_en, self.instruction_en)
        if language == "en" and self.title_en:
            return english
        return self.title, self.text, self.instruction


def content_of(values: Mapping[str, Any]) -> Content:
    """Return the content that the registry kept."""
    told = dict(values)
    for name in ("until", "starts_at"):
        told[name] = datetime.fromisoformat(told[name]) if told.get(name) else None
    for name in ("districts", "streets"):
        told[name] = tuple(told.get(name, ()))
    return Content(**told)


@dataclass(frozen=True, slots=True)
class AlertInfo:
    """An alert as it reads at a moment. `content` is the last sent, for agents the one being written.

    `state` is one of `models.STATES`; `rank` counts what was sent of it, 0 before the first.
    """

    id: int
    territory: str
    content: Content
    state: str
    rank: int
    origin: str
    sent_at: datetime | None
    changed_at: datetime
    ended_at: datetime | None
    goes_at: datetime | None
    author: int | None
    asker: int | None
    approver: int | None
    reason: str

    def is_running(self, at: datetime) -> bool:
        """Tell whether it is in force at an instant."""
        return self.rank > 0 and self.ended_at is None and self.content.until > at


@dataclass(frozen=True, slots=True)
class Reach:
    """How many are reached, by channel: addresses, devices."""

    mails: int
    devices: int
    followers: int
    later: int = 0
    sent: int = field(default=0)


def alert_not_found() -> AlertNotFound:
    return AlertNotFound("cette alerte n’existe pas", remedy="voyez la liste des alertes")
