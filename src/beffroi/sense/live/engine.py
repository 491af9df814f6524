"""The `live` engine: its table is `settings.LiveSettings`; its examples read a threshold, or the usual.

[[example]]
when = { property = "presents", capacity = 100, readings = [[0, 30], [5, 90], [20, 90]] }   # minutes, results
then = { level = "sature", crossings = 1 }

[[example]]
when = { past = [40, 90, 50], usual = 50, today = 75 }      # what past weeks read, an hour of today and its usual
then = { usual = 50, weeks = 3, estimate = 75 }
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.live.definition import ENGINE
from beffroi.sense.live.settings import LiveSettings
from beffroi.sense.live.thresholds import Standing, measured, stepped
from beffroi.sense.live.usual import Usual, hours_ahead, usual_of

_NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def register() -> None:
    """Make the engine available to use cases; the portal gives it its page."""
    register_engine(ENGINE, schema=LiveSettings, url_name="portal:live", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Read what an example says by the rules of its use case."""
    settings: LiveSettings = use_case.settings[ENGINE]
    return _thresholds(settings, example.when) if "readings" in example.when else _usual(settings, example.when)


def _thresholds(settings: LiveSettings, when: Mapping[str, Any]) -> Mapping[str, Any]:
    rule = settings.rule(str(when["property"]))
    if rule is None:
        return {"level": "", "crossings": 0}
    standing, crossings = Standing(), 0
    for minute, result in when["readings"]:
        value = measured(rule, float(result), when.get("capacity"))
        if value is None:
            continue
        after = stepped(standing, rule, value, int(minute) * 60_000)
        crossings += bool(standing.level) and after.level != standing.level
        standing = after
    return {"level": standing.level, "crossings": crossings}


def _usual(settings: LiveSettings, when: Mapping[str, Any]) -> Mapping[str, Any]:
    found = usual_of([float(one) for one in when["past"]], settings.least)
    before, coming = _NOON - timedelta(hours=1), _NOON + timedelta(hours=1)
    known = {before: Usual(float(when["usual"]), settings.least), coming: found}
    ahead = hours_ahead({before: float(when["today"])}, known, _NOON, 1)
    return {
        "usual": found.value if found else "unknown",
        "weeks": found.weeks if found else 0,
        "estimate": "unknown" if ahead[0].estimate is None else round(ahead[0].estimate, 1),
    }
