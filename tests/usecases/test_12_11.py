"""12-11: « search by age, price, theme, place, date »."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from django.test import Client

from beffroi.base.clock.recurring import BadRecurrence, next_of
from beffroi.base.territory.operations import add_zone
from beffroi.faces.portal.directories import pages
from usecases.directories_town import AT

HOME = "/annuaires/12-11/"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)  # A Thursday, ten o'clock in the town.


@pytest.fixture
def town(directories_town: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The town with the events of the example of the use case and a district of the west."""
    monkeypatch.setattr(pages, "now", lambda: NOW)
    west = shapely.box(3.86, 43.59, 3.875, 43.62)
    add_zone(territory=directories_town, kind="quartier", name="Les Tanneries", shape=west, at=AT)
    return directories_town


def titles(**asked: str) -> list[str]:
    return [line.sheet.title for line in Client().get(HOME, asked).context["lines"]]


@pytest.mark.django_db
def test_by_age_price_theme_place_and_date_the_next_first(town: str) -> None:
    assert titles() == ["Nuit des étoiles", "Contes", "Atelier de dessin", "Concert d’orgue"], "the fair is over"
    assert titles(age="7") == ["Nuit des étoiles", "Atelier de dessin", "Concert d’orgue"], "no age said: for all"
    assert titles(age="7", prix="5") == ["Nuit des étoiles", "Atelier de dessin"]
    assert titles(prix="0") == ["Nuit des étoiles", "Contes"]
    assert titles(theme="Musique") == ["Concert d’orgue"]
    assert titles(quartier="Les Tanneries") == ["Contes"]
    assert titles(pres="3.8710, 43.6010")[0] == "Contes"
    assert titles(quand="week-end") == ["Nuit des étoiles"]
    assert titles(quand="semaine") == ["Nuit des étoiles", "Contes", "Atelier de dessin"]
    assert titles(du="2026-12-09", au="2026-12-09") == ["Atelier de dessin"], "it comes again every Wednesday"
    assert titles(du="2026-11-20", au="2026-11-20") == ["Foire"], "who asks for a day past is told"
    assert titles(q="dessiner") == ["Atelier de dessin"]
    assert titles(age="sept") == titles()


@pytest.mark.django_db
def test_a_sheet_says_the_next_time_and_the_agenda_is_subscribed_to(town: str) -> None:
    page = Client().get(HOME, {"theme": "Arts"})
    (line,) = page.context["lines"]
    assert line.when == "mercredi 2 décembre 2026, 14:00"
    sheet = Client().get(line.url).content.decode()
    assert "Prochaine date" in sheet
    assert "mercredi 2 décembre 2026, 16:00" in sheet
    assert "7\xa0ans" in sheet
    answer = Client().get(f"{HOME}agenda.ics", {"theme": "Arts"})
    assert answer.headers["Content-Type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20270630T235959" in lines
    assert "DTSTART:20260909T140000" in lines
    assert lines.count("BEGIN:VEVENT") == 1
    alone = Client().get(f"{HOME}agenda.ics", {"fiche": "evenements/2"}).content.decode()
    assert "SUMMARY:Concert d’orgue" in alone
    assert Client().get("/annuaires/6-02/agenda.ics").status_code == 404
    over = Client().get(f"{HOME}evenements/4/").content.decode()
    assert "C’est passé" in over


def at(text: str) -> datetime:
    """Return an instant in the hour of the town."""
    return datetime.fromisoformat(text)


def test_what_comes_again_is_found_by_its_rule_and_an_unreadable_one_is_refused() -> None:
    first, last = at("2026-03-01T00:00"), at("2027-03-01T00:00")
    start, end = at("2026-01-31T20:00"), at("2026-01-31T23:00")

    def after(rule: str, begins: datetime = first) -> datetime | None:
        return next_of(start, end, rule, first=begins, last=last)

    assert after("") is None
    assert after("FREQ=MONTHLY") == at("2026-03-31T20:00"), "February has no 31st"
    assert after("RRULE:FREQ=DAILY;COUNT=40", at("2026-03-01T22:00")) == at("2026-03-01T20:00"), "it is not over"
    assert after("FREQ=DAILY;COUNT=3") is None
    assert next_of(start, None, "", first=at("2026-01-31T23:30"), last=last) == start, "until midnight"
    with pytest.raises(BadRecurrence):
        after("chaque mercredi")


def test_a_recurrence_too_frequent_is_not_looked_through_for_ever() -> None:
    start = at("2026-01-01T00:00")
    rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    assert next_of(start, None, rule, first=start, last=at("2027-01-01T00:00")) is None
