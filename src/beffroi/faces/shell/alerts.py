"""How an alert reads on any page: its words, its tone, its place, for residents and agents alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.serve.alerts.cap_feeds import ReceivedInfo
from beffroi.serve.alerts.definition import CERTAINTIES, SEVERITIES, URGENCIES, AlertInfo, Content
from beffroi.serve.alerts.engine import topics
from beffroi.serve.alerts.letters import when

TONES = {"Extreme": "bad", "Severe": "bad", "Moderate": "warn", "Minor": "wait", "Unknown": "wait"}


def words_of(content: Content, territory: str) -> dict[str, Any]:
    """Return what a content says in the language of the page, with its qualifications in words."""
    title, text, instruction = content.said(get_language() or "fr")
    known = topics(territory).get(content.topic)
    return {
        "title": title,
        "text": text,
        "instruction": instruction,
        "topic": _(known.label) if known else _("Signalement"),
        "severity": "" if content.is_message else _(SEVERITIES[content.severity]),
        "urgency": "" if content.is_message else _(URGENCIES[content.urgency]),
        "certainty": "" if content.is_message else _(CERTAINTIES[content.certainty]),
        "tone": "done" if content.is_message else TONES[content.severity],
        "place": content.place or (_("toute la commune") if content.shape is None else _("la zone dessinée")),
        "when": when(content, territory),
    }


def received_told(one: ReceivedInfo, territory: str) -> dict[str, Any]:
    """Return an alert of another authority as a list shows it: always with its source."""
    zone = clock.timezone_of(territory)
    return {
        **one.told,
        "severity": _(SEVERITIES[one.told["severity"]]),
        "tone": TONES[one.told["severity"]],
        "when": _("Jusqu’au {until}.").format(until=f"{one.until.astimezone(zone):%d/%m/%Y, %H:%M}"),
    }


def told(info: AlertInfo, at: datetime) -> dict[str, Any]:
    """Return an alert as a list shows it."""
    shape = info.content.shape
    middle = shape.representative_point() if shape is not None else None
    return {
        "info": info,
        "is_running": info.is_running(at),
        "lon": middle.x if middle is not None else None,
        "lat": middle.y if middle is not None else None,
        **words_of(info.content, info.territory),
    }
