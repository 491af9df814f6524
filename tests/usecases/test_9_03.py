"""9-03: « rate by street and time, duration, premises list »."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from usecases.reading import text_of

pytestmark = pytest.mark.django_db


def test_agents_read_rates_by_street_and_year_and_the_shops_that_are_empty(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.AGENT).get("/indicateurs/9-03/")
    lines = {line.name: line for line in page.context["answer"].lines}
    # Two empty of five in 2024, one of five in 2025; the sixth, where nobody answered, counts on neither side.
    assert (lines["Grande Rue"].before, lines["Grande Rue"].value) == (40.0, 20.0)
    assert lines["Grande Rue"].series == (("2024", 40.0), ("2025", 20.0))
    things = {one.name: dict(one.facts) for one in page.context["things"]}
    assert set(things) == {"1 Grande Rue", "7 Rue Basse"}
    # Found empty twice: at least since the first time.
    assert things["1 Grande Rue"]["Vacant au moins depuis"] == "2024-03-01"
    assert page.context["sentence"].startswith("Commerces vacants : 15,4\u00a0% en 2025 dans la commune")


def test_a_small_street_is_masked_with_enough_of_the_others_and_officials_read_no_shop(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.ELECTED).get("/indicateurs/9-03/")
    # One shop in Rue Basse: with the whole and both other streets, it would be told by subtraction.
    assert [line.name for line in page.context["answer"].lines if line.value is not None] == ["Quai Long"]
    assert "Rue Basse" not in {row.name for row in page.context["rows"]}
    assert not page.context["things"]
    assert "1 Grande Rue" not in text_of(page)


def test_the_length_of_vacancy_is_a_median_told_from_five_on(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    path = "/indicateurs/9-03/?mesure=duree-vacance"
    agents = {line.name: line.value for line in signed_in(Role.AGENT).get(path).context["answer"].lines}
    # From the first finding to the last of all: a year, and nine months.
    assert agents == {"Grande Rue": pytest.approx(12, abs=0.1), "Rue Basse": pytest.approx(9, abs=0.1)}
    officials = signed_in(Role.ELECTED).get(path).context["answer"]
    assert officials.whole.value is None
    assert {line.why for line in officials.lines} == {"trop peu : tu"}
