"""7-14: « inhabitants per m² of floor area by block, floor estimate method stated »."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from usecases.reading import text_of

pytestmark = pytest.mark.django_db


def test_people_are_told_over_the_floors_of_where_they_live(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.ELECTED).get("/indicateurs/7-14/")
    lines = {line.name: line for line in page.context["answer"].lines}
    # 2,000 people on ten floors of 100 m²; 400 on two, from a height of 6.2 m; the shop of three floors is no home.
    assert lines["Le Haut"].value == pytest.approx(2000, rel=0.005)
    assert lines["Le Bas"].value == pytest.approx(2000, rel=0.005)
    told = text_of(page)
    assert "2 bâtiments d’habitation comptés ; 1 sans nombre de niveaux" in told
    assert "emprise au sol du bâtiment fois son nombre de niveaux" in told
