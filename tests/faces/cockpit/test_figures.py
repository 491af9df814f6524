"""The officials' figures: true, few, each with its source; and who may read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Role
from beffroi.faces.cockpit.figures import MOST, town_figures
from faces.portal.test_words_of_search import a_dataset

TOWN = CommuneInfo("34172", "Montpellier", "montpellier", population=302_454)
TODAY = date(2026, 6, 1)


def test_figures_are_few_sourced_and_addressed() -> None:
    datasets = [a_dataset("arbres", "Point", rows=400), a_dataset("ecoles", "Point", rows=12), a_dataset("rues")]
    figures = town_figures(TOWN, datasets, [], today=TODAY)
    assert len(figures) <= MOST
    assert all(one.source and one.href for one in figures)
    assert {one.title: one.value for one in figures}["Lignes publiées"] == 422


def test_what_is_not_known_is_left_out() -> None:
    figures = town_figures(CommuneInfo("34172", "Ailleurs", "ailleurs"), [], [], today=TODAY)
    assert [one.title for one in figures] == ["Services ouverts aux habitants"]


@pytest.mark.django_db
def test_the_cockpit_is_for_elected_officials(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert client.get("/elu/").status_code == 302
    assert signed_in(Role.RESIDENT).get("/elu/").status_code == 403
    page = signed_in(Role.ELECTED).get("/elu/")
    assert page.status_code == 200
    assert "812" in page.content.decode()
