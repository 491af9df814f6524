"""Levels have a thickness and a time to last; the usual says how many weeks make it."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from beffroi.sense.live import definition, thresholds, usual
from beffroi.sense.live.settings import Level, LiveSettings, Rule
from beffroi.sense.live.thresholds import Standing, measured, stepped
from beffroi.sense.live.usual import Usual, hours_ahead, ratio_of_today

LEVELS = (
    Level(code="bas", label="Bas", colour="bleu"),
    Level(code="moyen", label="Moyen", colour="or", begins=40),
    Level(code="haut", label="Haut", colour="rouge", begins=80, alert=True),
)
RULE = Rule(code="presents", label="Présents", hysteresis=5, minutes=10, level=LEVELS)


@pytest.mark.parametrize("module", [definition, thresholds, usual])
def test_examples_of_the_code_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def followed(*values: float, every: int = 5) -> list[str]:
    standing, found = Standing(), []
    for rank, value in enumerate(values):
        standing = stepped(standing, RULE, value, rank * every * 60_000)
        found.append(standing.level)
    return found


def test_a_level_changes_once_it_has_lasted() -> None:
    assert followed(10, 90, 90, 90) == ["bas", "bas", "bas", "haut"]


def test_a_peak_changes_nothing() -> None:
    assert followed(10, 90, 10, 90, 10, 90) == ["bas"] * 6


def test_a_level_is_left_only_well_below_where_it_begins() -> None:
    assert followed(90, 76, 76, 76, 74, 74, 74) == ["haut"] * 6 + ["moyen"]


def test_two_levels_down_stop_at_the_one_still_held() -> None:
    assert followed(90, 37, 37, 37) == ["haut", "haut", "haut", "moyen"]


def test_a_share_needs_a_capacity() -> None:
    rule = RULE.model_copy(update={"of_capacity": True})
    assert (measured(rule, 50, 200), measured(rule, 50, None)) == (25, None)


def test_today_is_bounded_and_nothing_known_is_as_usual() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    before = now - timedelta(hours=1)
    known = {before: Usual(10, 8), now + timedelta(hours=1): Usual(30, 8)}
    assert ratio_of_today({before: 500}, known, now) == 5
    assert ratio_of_today({before: 0}, known, now) == 0.2
    assert ratio_of_today({}, known, now) == 1
    assert hours_ahead({before: 20}, known, now, 6)[0].estimate == 60


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([{"code": "a", "label": "Aa", "colour": "fuchsia"}], "fuchsia"),
        ([{"code": "a", "label": "Aa", "colour": "bleu", "begins": 3}], "premier niveau"),
        ([{"code": "a", "label": "Aa", "colour": "bleu"}, {"code": "b", "label": "Bb", "colour": "or"}], "begins"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(levels: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LiveSettings.model_validate({"property": [{"code": "x", "label": "Xx", "level": levels}]})
