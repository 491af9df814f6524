"""1-08: « slots by sector and day with capacity, cancel, reminder, list for the crew »."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory import operations as territory_operations
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.bookings import operations, personal, queries, tasks
from beffroi.serve.bookings.definition import BadBooking, Full, Result, TooLate, TooMany, Wish
from beffroi.serve.bookings.lanes import forget_lanes
from beffroi.serve.bookings.models import Hold
from beffroi.serve.bookings.things import BookingsSettings, OtherDay
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports.places import forget_grounds
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import SOUTH, WEST
from serve_makers import agent_of
from territory_makers import make_person

pytestmark = pytest.mark.django_db
PAGE = "/reserver/1-08/"
HERE = {"lat": f"{SOUTH + 0.0096:.4f}", "lon": f"{WEST + 0.009:.4f}"}
FORM = {**HERE, "o_matelas": "2", "d_depot": "trottoir", "name": "Camille", "email": "camille@exemple.fr", "phone": ""}


@pytest.fixture
def town(reporting_town: str) -> str:
    """The small town, in which bulky things are taken away."""
    forget_lanes()
    catalogue.set_state("1-08", State.LIVE, territory=reporting_town, by=None, at=timezone.now(), reason="essai")
    return reporting_town


@pytest.fixture
def crew(town: str) -> Viewer:
    """An agent of the service that takes them away."""
    return agent_of("proprete", town=town)


def free(town: str) -> list[date]:
    thing, at = queries.open_thing(town, "1-08"), timezone.now()
    return queries.bookable_days(town, thing, queries.lanes(town, thing.rules, at=at)[0], at=at)


def wish_of(town: str, day: date | None = None, **more: Any) -> Wish:
    asked = {"items": {"meuble": 1}, "details": {"depot": "cour"}, "address": "12 Grande Rue"} | more
    return Wish("1-08", day or free(town)[0], WEST + 0.009, SOUTH + 0.0096, **asked)


def book(town: str, email: str, day: date | None = None, *, at: datetime | None = None, **more: Any) -> Any:
    return operations.book(
        territory=town, wish=wish_of(town, day, **more), requester=Requester(email=email), viewer=ANONYMOUS,
        at=at or timezone.now(),
    )  # fmt: skip


def noon(town: str, day: date) -> datetime:
    return datetime.combine(day, time(12), clock.timezone_of(town))


def agent_client(town: str, *services: str) -> Client:
    person = make_person(Role.AGENT, territory=town, services=services)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def letters() -> list[str]:
    later = timezone.now() + timedelta(days=400)
    while deliver_pending(1000, clock=lambda: later):
        pass
    return [str(one.body) for one in mail.outbox]


def test_a_resident_books_moves_and_gives_up_without_an_account(town: str, client: Client) -> None:
    assert "Prendre rendez-vous" in shown(client.get("/reserver/"))
    assert "Les jours libres dépendent de votre secteur" in shown(client.get(PAGE))
    page = client.get(PAGE, HERE)
    days = [value for value, _words in page.context["form"].days]
    assert page["Cache-Control"] == "no-store"
    # The same days as a calendar of links and as a list of buttons.
    assert f"jour={days[0]}#jours" in page.content.decode()
    assert re.search(rf'value="{days[0]}"[^>]*checked', client.get(PAGE, HERE | {"jour": days[0]}).content.decode())
    sent = client.post(PAGE, FORM | {"jour": days[0], "key": "une-cle-d-envoi"})
    assert sent.status_code == 302
    assert client.post(PAGE, FORM | {"jour": days[0], "key": "une-cle-d-envoi"})["Location"] == sent["Location"]
    receipt = client.get(sent["Location"])
    booked = receipt.context["booked"]
    assert booked.number in shown(receipt)
    assert "2 × Matelas ou sommier" in shown(receipt)
    assert (booked.day.isoformat(), Hold.objects.count()) == (days[0], 1)
    own = sent["Location"].partition("?")[0]
    calendar = client.get(f"{own}agenda.ics")
    text = calendar.content.decode()
    assert calendar["Content-Type"].startswith("text/calendar")
    assert f"DTSTART;VALUE=DATE:{booked.day:%Y%m%d}\r\n" in text
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    # Moved in one go: the former place is free, the calendar takes the place of the former.
    assert client.post(f"{own}deplacer/", {"jour": days[1]}).status_code == 302
    assert [row.day.isoformat() for row in Hold.objects.all()] == [days[1]]
    assert "SEQUENCE:1" in client.get(f"{own}agenda.ics").content.decode()
    assert client.post(f"{own}deplacer/", {"jour": "2020-01-01"}).status_code == 400
    assert client.post(own, {"do": "cancel"}).status_code == 302
    assert Hold.objects.count() == 0
    assert "Annulée" in shown(client.get(own))
    assert "STATUS:CANCELLED" in client.get(f"{own}agenda.ics").content.decode()
    told = letters()
    assert [words.split("\n")[0].split(" ")[2] for words in told] == ["est", booked.number, booked.number]
    assert "Sortez vos objets" in told[0]
    assert "est annulée" in told[2]


def test_what_is_wrong_is_said_and_what_was_typed_stays(town: str, client: Client) -> None:
    page = client.post(PAGE, FORM | {"o_matelas": "0", "o_meuble": "", "jour": "", "name": "Camille Durand"})
    text = page.content.decode()
    assert page.status_code == 400
    assert "Choisissez un jour." in text
    assert "Dites au moins un objet" in text
    assert 'value="Camille Durand"' in text
    many = client.post(PAGE, FORM | {"o_matelas": "3", "o_meuble": "4"})
    assert "7 objets annoncés, 5 au plus" in shown(many)
    assert client.post(PAGE, FORM | {"jour": free(town)[0].isoformat(), "email": ""}).status_code == 400
    assert client.get(PAGE, {"lat": "48.85", "lon": "2.35"}).status_code == 400
    assert client.get("/reserver/1-01/").status_code == 404
    assert client.get("/reservation/faux.jeton/").status_code == 404


def test_a_full_day_says_so_and_shows_the_nearest_that_are_not(town: str, client: Client) -> None:
    day, later = free(town)[:2]
    for rank in range(12):
        book(town, f"voisin{rank}@exemple.fr", day)
    with pytest.raises(Full) as caught:
        book(town, "treizieme@exemple.fr", day)
    assert later in caught.value.nearest
    page = client.get(PAGE, HERE | {"mois": f"{day:%Y-%m}"})
    assert day.isoformat() not in dict(page.context["form"].days)
    assert "complet" in shown(page)
    assert queries.open_thing(town, "1-08").rules.capacity == 12


def test_sectors_share_the_days_and_their_own_week_wins(town: str) -> None:
    west, east = ((WEST, WEST + 0.01), (WEST + 0.01, WEST + 0.02))
    for slug, (left, right) in {"ouest": west, "est": east}.items():
        import shapely

        shape = shapely.to_wkb(shapely.box(left, SOUTH, right, SOUTH + 0.02))
        territory_operations.add_zone(
            territory=town,
            kind="quartier",
            slug=slug,
            name=slug.title(),
            shape=shape,
            at=timezone.now(),
        )
    forget_lanes()
    forget_grounds()
    at, thing = timezone.now(), queries.open_thing(town, "1-08")
    lanes = queries.lanes(town, thing.rules, at=at)
    assert [(one.slug, sorted(one.weekdays)) for one in lanes] == [("est", [0]), ("ouest", [1])]
    assert queries.lane_at(town, thing.rules, WEST + 0.015, SOUTH + 0.01, at=at)[0].slug == "est"
    # Just outside both, the nearest serves.
    assert queries.lane_at(town, thing.rules, WEST + 0.0201, SOUTH + 0.01, at=at)[0].slug == "est"
    own = thing.rules.model_validate(
        thing.rules.model_dump(by_alias=True) | {"sector": [{"slug": "est", "days": ["sa"], "capacity": 3}]}
    )
    assert [(one.capacity, sorted(one.weekdays)) for one in queries.lanes(town, own, at=at)] == [(3, [5]), (12, [1])]


def test_holidays_and_days_unlike_others_are_closed(town: str) -> None:
    thing = queries.open_thing(town, "1-08")
    lane = queries.lanes(town, thing.rules, at=timezone.now())[0]
    at = datetime(2026, 12, 1, 9, tzinfo=timezone.get_current_timezone())
    days = queries.days_of(town, thing, lane, first=date(2026, 12, 1), last=date(2026, 12, 31), at=at)
    why = {one.day.day: (one.capacity, one.why) for one in days if one.why}
    assert why == {24: (0, "Veille de Noël"), 25: (0, "Noël"), 31: (0, "Veille du jour de l’an")}
    # Forty-eight hours before six o'clock: on the first at nine, the third is too soon, the fourth is not.
    assert next(one.day.day for one in days if one.bookable) == 4
    assert OtherDay(day="2026-12-26", label="Fermé").is_on(date(2026, 12, 26))
    for wrong in ("12-32", "noel", "2026-13-01"):
        with pytest.raises(ValueError, match="n’est pas un jour"):
            OtherDay(day=wrong, label="Fermé")
    with pytest.raises(ValueError, match="même code"):
        BookingsSettings(
            service="proprete", days=("mo",),
            item=({"code": "a", "label": "Aa"}, {"code": "a", "label": "Ab"}),  # type: ignore[arg-type]
        )  # fmt: skip


def test_a_person_and_a_network_hold_no_more_than_their_share(town: str) -> None:
    first, second, third = free(town)[:3]
    book(town, "Camille@exemple.fr", first)
    with pytest.raises(TooMany, match="déjà 1 réservation"):
        book(town, "camille@EXEMPLE.fr", second)
    person = make_person(territory=town, email="compte@exemple.fr")
    operations.book(territory=town, wish=wish_of(town, second), requester=Requester(person), viewer=Viewer(person),
                    at=timezone.now())  # fmt: skip
    with pytest.raises(TooMany):
        book(town, "compte@exemple.fr", third)
    with pytest.raises(BadBooking, match="e-mail ou un téléphone"):
        book(town, "", third)
    at = timezone.now()
    for rank in range(10):
        operations.book(territory=town, wish=wish_of(town, third), requester=Requester(phone=f"06000000{rank:02}"),
                        viewer=ANONYMOUS, at=at, network="192.0.2.1")  # fmt: skip
    with pytest.raises(TooMany, match="trop de réservations"):
        operations.book(territory=town, wish=wish_of(town, third), requester=Requester(phone="0600000099"),
                        viewer=ANONYMOUS, at=at, network="192.0.2.1")  # fmt: skip
    with pytest.raises(BadBooking, match="au plus"):
        book(town, "glouton@exemple.fr", third, items={"matelas": 4})


def test_it_is_recalled_once_and_too_late_is_too_late(town: str) -> None:
    opened = book(town, "camille@exemple.fr")
    day = free(town)[0]
    letters()
    mail.outbox.clear()
    eve = noon(town, day - timedelta(days=1))
    tasks.remind(eve - timedelta(days=1))
    assert letters() == []
    for _ in range(2):
        tasks.remind(eve)
    told = letters()
    assert len(told) == 1
    assert "Rappel : c’est demain." in told[0]
    with pytest.raises(TooLate, match="trop tard"):
        operations.cancel_booking(number=opened.number, viewer=ANONYMOUS, token=opened.token, at=eve)
    # The service still may, at the person's wish.
    crew = agent_of("proprete", town=town)
    operations.cancel_booking(number=opened.number, viewer=crew, at=eve)
    assert Hold.objects.count() == 0


def test_a_day_gone_by_that_no_crew_marked_holds_nobody_back_and_ends(town: str, crew: Viewer) -> None:
    opened = book(town, "camille@exemple.fr")
    day = free(town)[0]
    after = noon(town, day + timedelta(days=1))
    thing = queries.open_thing(town, "1-08")
    assert queries.unmarked(crew, town, thing, at=after) == (1, day)
    later = queries.bookable_days(town, thing, queries.lanes(town, thing.rules, at=after)[0], at=after)[0]
    book(town, "camille@exemple.fr", later, at=after)
    tasks.daily(after)
    assert cases.case(crew, opened.number).is_open
    tasks.daily(after + timedelta(days=31))
    ended = cases.case(crew, opened.number)
    assert (ended.outcome, "n’a rien noté" in ended.answer) == ("expired", True)
    assert queries.unmarked(crew, town, thing, at=after)[0] == 0


def test_the_crew_reads_its_list_and_marks_it(town: str, crew: Viewer, signed_in: Callable[..., Client]) -> None:
    day = free(town)[0]
    opened = [book(town, f"voisine{n}@exemple.fr", day, address=f"{n} Rue du Four") for n in (12, 2)]
    at = noon(town, day)
    lines = queries.crew_list(crew, town, "1-08", day, at=at)
    assert [one.booking.address for one in lines] == ["2 Rue du Four", "12 Rue du Four"]
    assert (lines[0].email, lines[0].booking.items) == (
        "voisine2@exemple.fr",
        (("Meuble (armoire, table, commode…)", 1),),
    )
    # Neither another service nor the public reads them.
    assert queries.crew_list(agent_of("voirie", town=town), town, "1-08", day, at=at) == []
    assert queries.crew_list(ANONYMOUS, town, "1-08", day, at=at) == []
    with pytest.raises(BadBooking, match="ce jour-là"):
        operations.mark_booking(number=opened[0].number, result=Result.DONE, by=crew, at=timezone.now())
    operations.mark_booking(number=opened[0].number, result=Result.ABSENT, by=crew, at=at)
    operations.mark_booking(number=opened[0].number, result=Result.DONE, by=crew, at=at)
    operations.mark_booking(number=opened[1].number, result=Result.DIFFERENT, by=crew, at=at, note="Des gravats.")
    assert [one.booking.result for one in queries.crew_list(crew, town, "1-08", day, at=at)] == ["different", "done"]
    told = cases.case(crew, opened[1].number)
    assert (told.outcome, told.answer[-12:]) == ("refused", "Des gravats.")
    corrected = cases.case(crew, opened[0].number)
    assert corrected.outcome == "done"
    letters()
    assert not [one for one in mail.outbox if "rouverte" in str(one.body)]
    agent = agent_client(town, "proprete")
    page = agent.get(f"/agent/reservations/1-08/liste/?jour={day}")
    assert "2 arrêts" in shown(page)
    rows = list(
        csv.DictReader(
            io.StringIO(agent.get(f"/agent/reservations/1-08/liste/?jour={day}&csv").content.decode("utf-8-sig"))
        )
    )
    assert [row["resultat"] for row in rows] == ["Pas ce qui était annoncé", "Enlevé"]
    assert opened[0].number in shown(agent.get(f"/agent/reservations/demande/{opened[0].number}/"))
    stranger = agent_client(town, "voirie")
    assert "Rue du Four" not in shown(stranger.get(f"/agent/reservations/1-08/liste/?jour={day}"))
    assert stranger.get(f"/agent/reservations/demande/{opened[0].number}/").status_code == 404
    months = {one.month: one for one in _figures(town, day)}
    assert (months[f"{day:%Y-%m}"].done, months[f"{day:%Y-%m}"].different) == (1, 1)
    assert "Enlevés" in shown(agent.get("/agent/reservations/1-08/chiffres/"))


def _figures(town: str, day: date) -> Any:
    from beffroi.serve.bookings.figures import month_figures

    return month_figures(town, "1-08", first=day, last=day)


def test_a_day_that_closes_keeps_everybody_a_place_and_tells_them(
    town: str, crew: Viewer, signed_in: Callable[..., Client]
) -> None:
    day, later = free(town)[:2]
    opened = [book(town, f"voisine{n}@exemple.fr", day) for n in range(2)]
    letters()
    mail.outbox.clear()
    agent = agent_client(town, "proprete")
    sent = {"jour": day.isoformat(), "places": "0", "motif": "Neige"}
    assert agent.post("/agent/reservations/1-08/", sent).status_code == 302
    assert [row.day for row in Hold.objects.all()] == [later, later]
    told = letters()
    assert len(told) == 2
    assert all("Neige" in words and "gardé le" in words for words in told)
    assert day not in free(town)
    page = agent.get("/agent/reservations/1-08/")
    assert "2 personnes ont une place" in shown(page)
    # A day of one place keeps the first who asked.
    changed = operations.change_day(territory=town, use_case="1-08", day=later, lane="", capacity=1, reason="Camion",
                                    by=crew, at=timezone.now())  # fmt: skip
    assert changed.moved == 1
    assert queries.booking(ANONYMOUS, opened[0].number, token=opened[0].token, at=timezone.now()).day == later
    operations.restore_day(territory=town, use_case="1-08", day=day, lane="", by=crew, at=timezone.now())
    assert day in free(town)
    stranger = agent_client(town, "voirie")
    assert stranger.post("/agent/reservations/1-08/", sent).status_code == 403


def test_one_for_whom_no_day_is_left_is_asked_to_choose(town: str, crew: Viewer, client: Client) -> None:
    days, at = free(town), timezone.now()
    opened = book(town, "camille@exemple.fr", days[-1])
    operations.change_day(territory=town, use_case="1-08", day=days[-1], lane="", capacity=0, reason="Grève", by=crew,
                          at=at)  # fmt: skip
    own = f"/reservation/{opened.token}/"
    page = shown(client.get(own))
    assert "Votre jour n’est plus possible" in page
    assert client.post(f"{own}deplacer/", {"jour": days[0].isoformat()}).status_code == 302
    assert [row.day for row in Hold.objects.all()] == [days[0]]
    assert cases.case(crew, opened.number).status == "scheduled"


def test_it_is_among_her_requests_and_booked_for_somebody_else(
    town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    reader = signed_in(Role.RESIDENT)
    days = [day.isoformat() for day in free(town)]
    sent = reader.post(PAGE, FORM | {"jour": days[0], "email": ""})
    page = shown(reader.get("/mes-demandes/"))
    assert "Mes réservations" in page
    assert "Réservée" in page
    assert sent["Location"].partition("?")[0] in reader.get("/mes-demandes/").content.decode()
    agent = agent_client(town, "proprete")
    helped = {"pour": "autrui", "mandate": "phone", "name": "Madame Petit", "phone": "06 12 34 56 78", "reference": ""}
    form = {name: value for name, value in FORM.items() if name not in ("name", "email", "phone")}
    answer = agent.post(PAGE, form | helped | {"jour": days[0], "email": ""})
    assert answer.status_code == 302, answer.context["mandate"].errors
    party = client.get(answer["Location"]).context["party"]
    assert (party.name, party.mandate, party.person) == ("Madame Petit", "phone", None)
    # A stranger signed out is told that helping takes an account.
    assert "demande un compte" in shown(client.get(PAGE, {"pour": "autrui"}))


def test_a_person_takes_her_bookings_with_her_and_leaves_a_figure(town: str) -> None:
    person = make_person(territory=town)
    operations.book(territory=town, wish=wish_of(town), requester=Requester(person), viewer=Viewer(person),
                    at=timezone.now())  # fmt: skip
    (told,) = personal.export(person)
    assert (told["address"], told["items"]) == ("12 Grande Rue", {"meuble": 1})
    assert personal.erase(person, erased_number=-1, at=timezone.now()) == 1
    (left,) = personal.export(person)
    assert (left["address"], left["lon"], left["details"]) == ("", None, {})
    assert left["day"] is not None


def test_a_town_that_closed_it_takes_nothing_more_and_keeps_what_was_booked(town: str, client: Client) -> None:
    opened = book(town, "camille@exemple.fr")
    for one in ("1-08", "3-07", "4-13", "6-13", "8-10", "12-09"):
        catalogue.set_state(one, State.RETIRED, territory=town, by=None, at=timezone.now(), reason="essai")
    assert client.get(PAGE).status_code == 404
    assert "Rien ne se réserve ici" in shown(client.get("/reserver/"))
    assert client.get(f"/reservation/{opened.token}/").status_code == 200
    stranger = Viewer(None, (Grant("00002", Role.AGENT, frozenset({"proprete"})),))
    with pytest.raises(Exception, match="n’existe pas"):
        queries.booking(stranger, opened.number, at=timezone.now())
