"""My work today: cards that rooms give, the most pressing first, and only what awaits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice import awaiting, work
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    # Imported before the copy, or what it registers would be lost with it.
    assert awaiting.deliveries
    monkeypatch.setattr(work, "_sources", dict(work._sources))


@pytest.mark.django_db
def test_the_most_pressing_comes_first_and_nothing_counts_for_nothing(
    small_town: str, signed_in: Callable[..., Client]
) -> None:
    @work_source("essai")
    def given(request: object) -> list[WorkCard]:
        return [
            WorkCard("À savoir un jour", 9, "/a/", Urgency.INFO),
            WorkCard("Rien du tout", 0, "/b/", Urgency.LATE),
            WorkCard("Très en retard", 1, "/c/", Urgency.LATE, "depuis lundi"),
            WorkCard("Pour ce soir", 2, "/d/", Urgency.TODAY),
        ]

    page = signed_in(Role.AGENT).get("/agent/")
    shown = [card.label for card in page.context["cards"] if card.label[0] in "ÀTPR"]
    assert shown == ["Très en retard", "Pour ce soir", "À savoir un jour"]
    assert "depuis lundi" in page.content.decode()
    assert "Rien du tout" not in page.content.decode()


@pytest.mark.django_db
def test_deliveries_are_the_administrators(small_town: str, signed_in: Callable[..., Client]) -> None:
    assert [name for name in work._sources if name == "deliveries"]
    assert signed_in(Role.AGENT).get("/agent/").status_code == 200
