"""A report that an agent turned into an alert: heard in the journal, it becomes one here and leaves at once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.operations import record
from beffroi.serve.alerts import events
from beffroi.serve.alerts.definition import ZONE, Content
from beffroi.serve.alerts.issuing import issue
from beffroi.serve.alerts.models import DRAFT, END, OVER, PLANNED, WAITING, Alert
from beffroi.serve.alerts.writing import end_row

RAISED, RAISED_ENDED = "report.alert_raised", "report.alert_ended"
"""The events of reports that this room hears."""

TOPIC = "signalement"
_SEVERITIES = {"minor": "Minor", "moderate": "Moderate", "severe": "Severe"}


@transaction.atomic
def take_up(event: RecordedEvent) -> None:
    """Keep the alert that a report asks for, once; a grave one waits for a second person as any other."""
    told = event.payload
    content = Content(
        title=str(told["title"]), text=str(told["text"]), topic=TOPIC, category="Safety",
        until=datetime.fromisoformat(str(told["until"])), severity=_SEVERITIES[str(told["severity"])],
        urgency="Immediate", certainty="Observed", area=ZONE, zone=str(told["zone"]),
    )  # fmt: skip
    waits = content.needs_second_person
    row, is_new = Alert.objects.get_or_create(
        territory=event.territory,
        origin=f"event:{event.id}",
        defaults={
            "content": content.as_json(), "state": WAITING if waits else PLANNED, "author_id": event.actor,
            "asker_id": event.actor, "made_at": event.at, "changed_at": event.at, "goes_at": event.at,
            "report": str(told["number"]),
        },
    )  # fmt: skip
    if is_new:
        record(
            kind=events.ASKED if waits else events.PLANNED, subject=events.subject_of(int(row.pk)),
            payload={"severity": content.severity, "area": content.area}, actor=event.actor,
            territory=event.territory, at=event.at,
        )  # fmt: skip


@transaction.atomic
def let_go(event: RecordedEvent) -> None:
    """End what a report had asked for: in force, or about to leave."""
    rows = Alert.objects.select_for_update(of=("self",)).filter(
        territory=event.territory, report=str(event.payload["number"]), ended_at=None
    )
    for row in rows.order_by("pk"):
        if row.rank and row.until and row.until > event.at:
            end_row(row, event.actor, at=event.at, reason="", kind=END, issue=issue)
        elif row.state in (DRAFT, WAITING, PLANNED):
            row.state, row.goes_at, row.ended_at, row.changed_at = OVER, None, event.at, event.at
            row.save()
