"""A use case on trial, for the tests of what a trial is: the shipped files of those that work are live."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.definition import State

PILOT = "G-03"
_numbers = count(1)


@pytest.fixture(autouse=True)
def g_03_is_a_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the shipped catalogue as if the file of G-03 said pilot; a module that imports this has it everywhere."""
    shipped = queries.catalogue()
    on_trial = replace(shipped.use_cases[PILOT], state=State.PILOT)
    changed = replace(
        shipped,
        use_cases={**shipped.use_cases, PILOT: on_trial},
        # Answers are cached by this: each test has its own.
        fingerprint=f"test-{next(_numbers)}",
    )
    monkeypatch.setattr(queries, "catalogue", lambda: changed)
