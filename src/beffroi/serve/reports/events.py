"""What reports tell the journal beside the life of their case (`cases/events`). Subjects are those of the case."""

from __future__ import annotations

RECLASSIFIED = "report.reclassified"
"""Payload: ``number``, ``from`` and ``to`` (categories; empty when restricted)."""

ALERT_RAISED = "report.alert_raised"
"""An agent asks for a zone alert. Payload: ``number``, ``title``, ``text``, ``severity`` (``minor``, ``moderate``,
``severe``), ``zone`` (a GeoJSON polygon), ``until`` (an instant). The alerts room hears it."""

MATCHED = "report.matched"
"""A lost and a found report look like one another. Payload: ``number``, ``other``, ``distance_m``, ``days``."""

CONFIRMED = "report.confirmed"
"""Somebody saw an obstacle. Payload: ``number``, ``still_there`` (bool), ``trusted`` (bool)."""

KINDS = (RECLASSIFIED, ALERT_RAISED, MATCHED, CONFIRMED)
