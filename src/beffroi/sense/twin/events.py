"""What the twin tells the journal. Subjects are ``building:<territory>/<dataset>/<feature>``."""

from __future__ import annotations

WORK_NOTED = "building.work_noted"
"""Works, maintenance or an inspection were noted. Payload: number, kind, component, day, cost_eur (text or null)."""

CONDITION_READ = "building.condition_read"
"""The state of a component was read. Payload: number, component, grade, day."""

NOTE_WITHDRAWN = "building.note_withdrawn"
"""A note made by mistake no longer counts. Payload: number, what (``work`` or ``reading``)."""

KINDS = (WORK_NOTED, CONDITION_READ, NOTE_WITHDRAWN)
