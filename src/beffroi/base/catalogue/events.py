"""What the catalogue writes in the journal, by kind; subjects are ``use-case:<territory>/<id>``."""

from __future__ import annotations

STATE_CHANGED = "use_case.state_changed"
"""Payload: ``use_case``, ``from``, ``to`` (states), ``reason``."""

REMARK_ADDED = "use_case.remark_added"
"""Payload: ``use_case``, ``remark`` (its number; the text stays with the remark, which can be erased)."""


def subject_of(use_case_id: str, territory: str) -> str:
    """Return the journal's subject for one use case in one territory."""
    return f"use-case:{territory}/{use_case_id}"
