"""What this room tells the journal. Subjects are ``datastream:<number>`` and ``thing:<number>``; nobody is named."""

from __future__ import annotations

THING_ADDED = "thing.added"
"""Something with sensors was added. Payload: name, use_case."""

THING_CHANGED = "thing.changed"
"""Payload: state (active, suspended)."""

LEVEL_CROSSED = "datastream.level_crossed"
"""A series went to another level of its rule, and stayed. Payload: thing, name, service, use_case, property, before,
after, label, alert, result, unit, at (ISO)."""

SILENT = "datastream.silent"
"""A series that spoke says nothing any more; once a spell. Payload: thing, name, service, since (ISO)."""

HEARD = "datastream.heard"
"""A series told silent speaks again. Payload: thing, name, service."""

KINDS = (THING_ADDED, THING_CHANGED, LEVEL_CROSSED, SILENT, HEARD)


def subject_of(datastream: int) -> str:
    """Return the subject under which the journal tells of a series."""
    return f"datastream:{datastream}"
