"""What reports tell the journal beside the life of their case (`cases/events`). Subjects are those of the case."""

from __future__ import annotations

RECLASSIFIED = "report.reclassified"
"""Payload: ``number``, ``from`` and ``to`` (categories; empty when restricted)."""

ALERT_RAISED = "report.alert_raised"
"""An agent asks for a zone alert. Payload: ``number``, ``title``, ``text``, ``severity`` (``minor``, ``moderate``,
``severe``), ``zone`` (a GeoJSON polygon), ``until`` (an instant). The room of alerts hears it."""

ALERT_ENDED = "report.alert_ended"
"""An agent ends the alerts of a report before their hour. Payload: ``number``."""

MATCHED = "report.matched"
"""A lost and a found report look like one another. Payload: ``number``, ``other``, ``distance_m``, ``days``."""

CONFIRMED = "report.confirmed"
"""Somebody saw an obstacle. Payload: ``number``, ``still_there`` (bool), ``trusted`` (bool)."""

AMBASSADOR_NAMED = "report.ambassador_named"
"""Subject ``person:<number>``. Payload: ``level``."""

OBSTACLE_RULE_SET = "report.obstacle_rule_set"
"""Subject ``category:<code>``. Payload: ``category``, and what the town set; nothing when it goes back to the file."""

SUBSCRIPTION_ASKED = "report_subscription.asked"
"""An address is to confirm that it wishes to be told. Subject ``report_subscription:<number>``; payload: ``id``."""

SUBSCRIPTION_CONFIRMED = "report_subscription.confirmed"
SUBSCRIPTION_ENDED = "report_subscription.ended"
"""Same subject and payload."""

ORDERED = "work_order.created"
ORDER_PLANNED = "work_order.planned"
ORDER_DONE = "work_order.done"
ORDER_CANCELLED = "work_order.cancelled"
"""Subject: the case's. Payload: ``number``, ``order``, ``service``."""

CONTRACT_ADDED = "contract.added"
VISIT_PROVED = "contract.visit_proved"
VISIT_MISSING = "contract.visit_missing"
"""Subject ``contract:<number>``. Payload: ``visit``, ``place``, ``day``."""

TEMPLATE_SAVED = "response_template.saved"
TEMPLATE_DELETED = "response_template.deleted"

KINDS = (
    RECLASSIFIED, ALERT_RAISED, ALERT_ENDED, MATCHED, CONFIRMED, AMBASSADOR_NAMED, OBSTACLE_RULE_SET,
    SUBSCRIPTION_ASKED, SUBSCRIPTION_CONFIRMED, SUBSCRIPTION_ENDED, ORDERED, ORDER_PLANNED, ORDER_DONE,
    ORDER_CANCELLED, CONTRACT_ADDED, VISIT_PROVED, VISIT_MISSING, TEMPLATE_SAVED, TEMPLATE_DELETED,
)  # fmt: skip
