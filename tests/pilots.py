"""A use case on trial, for the tests of what a trial is: the shipped files of those that work are live."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import State

PILOT = "G-03"
DRAFT_WITHOUT_ENGINE = "1-02"
_numbers = count(1)


@pytest.fixture(autouse=True)
def g_03_is_a_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the shipped catalogue as if G-03 were a pilot and the engine of 1-02 in no room; by import, for a module."""
    shipped = queries.catalogue()
    on_trial = replace(shipped.use_cases[PILOT], state=State.PILOT)
    unbuilt = replace(shipped.use_cases[DRAFT_WITHOUT_ENGINE], engine="in-no-room")
    changed = replace(
        shipped,
        use_cases={**shipped.use_cases, PILOT: on_trial, DRAFT_WITHOUT_ENGINE: unbuilt},
        # Answers are cached by this: each test has its own.
        fingerprint=f"test-{next(_numbers)}",
    )
    monkeypatch.setattr(queries, "catalogue", lambda: changed)
