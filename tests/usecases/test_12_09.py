"""12-09: « rules, fairness, access code »."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone

from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.definition import BadBooking, TooLate, TooMany
from beffroi.serve.bookings.hours import personal, queries, tasks
from beffroi.serve.bookings.hours.definition import Presence, Taken
from beffroi.serve.bookings.hours.giving import book_slot_of
from beffroi.serve.bookings.hours.models import SlotCell
from beffroi.serve.bookings.hours.rules import SlotSettings
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Requester
from faces.portal.reports.test_filing import shown
from serve_makers import agent_of
from territory_makers import make_person
from usecases.slots_town import agent_client, book, free, letters, link_of

PAGE = "/creneaux/12-09/"
WHO = {"name": "Camille", "email": "camille@exemple.fr", "phone": "", "personnes": "2", "key": "une-cle-d-envoi"}


@pytest.fixture
def town(slots_town: Callable[..., str]) -> str:
    return slots_town("12-09")


def test_a_resident_finds_takes_moves_and_gives_up_without_an_account(town: str, client: Client) -> None:
    assert "Réserver un créneau" in shown(client.get("/creneaux/"))
    assert "Trouver un créneau libre" in shown(client.get("/reserver/"))
    first, second = free("12-09", "tennis-1")[:2]
    week = client.get(PAGE, {"jour": first.starts.date().isoformat()})
    assert week["Cache-Control"] == "no-store"
    # What is free is a link that names itself: its place, its day and its hour.
    text = week.content.decode()
    assert re.search(rf"Libre<span[^>]*> : Tennis, court 1 \(dur\), [^<]* {first.starts:%H:%M}</span>", text)
    assert "Sa semaine" in text
    assert client.get(PAGE, {"lieu": "tennis-1", "vue": "semaine"}).context["is_week"]
    form = f"{PAGE}reserver/"
    assert "Combien serez-vous" in shown(client.get(form, link_of(first)))
    asked = link_of(first) | {"fin_au_moins": link_of(first)["fin"]}
    refused = client.post(form, asked | WHO | {"personnes": "9", "name": "Camille Durand"})
    assert (refused.status_code, 'value="Camille Durand"' in refused.content.decode()) == (400, True)
    sent = client.post(form, asked | WHO)
    assert sent.status_code == 302
    assert client.post(form, asked | WHO)["Location"] == sent["Location"]
    receipt = shown(client.get(sent["Location"]))
    assert "C’est réservé" in receipt
    # The other who comes is offered to wait, and the link of the grid says so.
    assert "liste d’attente" in shown(client.get(form, link_of(first)))
    own = sent["Location"].partition("?")[0]
    calendar = client.get(f"{own}agenda.ics").content.decode()
    assert f"DTSTART:{first.starts.astimezone(UTC):%Y%m%dT%H%M%SZ}" in calendar
    feed = client.get(f"{PAGE}tennis-1.ics").content.decode()
    assert (feed.count("BEGIN:VEVENT"), "Camille" in feed) == (1, False)
    assert client.get(f"{PAGE}tennis-9.ics").status_code == 404
    assert "Prendre ce créneau" in shown(client.get(f"{own}deplacer/", link_of(second)))
    assert client.post(f"{own}deplacer/", link_of(second)).status_code == 302
    assert {cell.quarter for cell in SlotCell.objects.all()} == set(
        range(int(second.starts.timestamp()) // 900, int(second.ends.timestamp()) // 900)
    )
    assert client.post(own, {"do": "cancel"}).status_code == 302
    assert SlotCell.objects.count() == 0
    assert "Annulée" in shown(client.get(own))
    told = letters()
    assert ["Tennis, court 1" in words for words in told] == [True] * 3
    assert "est annulée" in told[2]
    assert client.get(f"{form}?lieu=tennis-1&debut=hier&fin=demain").status_code == 302
    assert client.get("/creneau/faux.jeton/").status_code == 404


def test_each_has_a_share_and_who_does_not_come_loses_hers(town: str) -> None:
    known = free("12-09", "tennis-1")
    # A day that is wholly free, whatever the hour is now.
    times = [one for one in known if one.starts.date() > known[0].starts.date()]
    book("12-09", "Camille@exemple.fr", times[0])
    book("12-09", "camille@exemple.fr", times[2])
    with pytest.raises(TooMany, match="2 réservation"):
        book("12-09", "camille@EXEMPLE.fr", times[4])
    with pytest.raises(Taken) as caught:
        book("12-09", "voisine@exemple.fr", times[0])
    assert times[1].starts in caught.value.nearest
    odd = queries.Time("tennis-1", times[5].starts + timedelta(minutes=15), times[5].ends + timedelta(minutes=15), 1)
    with pytest.raises(BadBooking, match="on ne réserve pas"):
        book("12-09", "voisine@exemple.fr", odd)
    # Three times away in three months: she goes through the town hall.
    crew = agent_of("sports", town=town)
    at = timezone.now()
    for _ in range(3):
        time = free("12-09", "tennis-2", at=at)[0]
        opened = book("12-09", "absente@exemple.fr", time, at=at)
        operations.mark_slot(number=opened.number, result=Presence.ABSENT, by=crew, at=time.starts)
        # In another week: an hour that was lost counts among those of its own.
        at = time.starts + timedelta(weeks=1)
    with pytest.raises(TooMany, match="pas venu 3 fois"):
        book("12-09", "absente@exemple.fr", free("12-09", "tennis-2", at=at)[0], at=at)
    # A mark that was wrong is corrected by the other.
    operations.mark_slot(number=opened.number, result=Presence.PRESENT, by=crew, at=time.starts)
    assert cases.case(crew, opened.number).outcome == "done"
    book("12-09", "absente@exemple.fr", free("12-09", "tennis-2", at=at)[0], at=at)


def test_a_week_has_three_hours_and_a_network_ten_bookings(town: str) -> None:
    known = queries.open_slot_thing(town, "12-09")
    thing = queries.SlotThing("12-09", known.title, known.rules.model_copy(update={"most_future": 0}))
    at, times = timezone.now(), free("12-09", "tennis-1")
    day = max({one.starts.date() for one in times}, key=lambda day: sum(one.starts.date() == day for one in times))
    of_day = [one for one in times if one.starts.date() == day]

    def ask(time: queries.Time, requester: Requester, network: str = "") -> None:
        wish = operations.SlotWish("12-09", time.place, time.starts, time.ends)
        book_slot_of(thing, territory=town, wish=wish, requester=requester, viewer=ANONYMOUS, at=at, network=network)

    for time in of_day[:3]:
        ask(time, Requester(email="camille@exemple.fr"))
    with pytest.raises(TooMany, match="4 h cette semaine"):
        ask(of_day[3], Requester(email="camille@exemple.fr"))
    others = free("12-09", "tennis-2")
    for rank in range(10):
        ask(others[rank], Requester(phone=f"06000000{rank:02}"), "192.0.2.1")
    with pytest.raises(TooMany, match="trop de réservations"):
        ask(others[10], Requester(phone="0600000099"), "192.0.2.1")


def test_the_code_is_for_an_hour_sent_once_and_read_by_the_lock(town: str, client: Client) -> None:
    time = free("12-09", "tennis-1")[0]
    opened = book("12-09", "camille@exemple.fr", time)
    letters()
    mail.outbox.clear()
    due = time.starts - timedelta(hours=1)
    tasks.often(due - timedelta(hours=1))
    for _ in range(2):
        tasks.often(due)
    told = letters()
    assert ["Rappel de votre réservation" in words for words in told] == [True, False]
    code = queries.slot_booking(ANONYMOUS, opened.number, token=opened.token, at=due).code
    assert re.fullmatch(r"\d{6}", code)
    assert code in told[1]
    # Neither earlier nor after.
    early = queries.slot_booking(ANONYMOUS, opened.number, token=opened.token, at=due - timedelta(minutes=1))
    assert (early.code, early.code_from) == ("", due)
    assert queries.slot_booking(ANONYMOUS, opened.number, token=opened.token, at=time.ends).code == ""
    with pytest.raises(TooLate):
        operations.cancel_slot(number=opened.number, viewer=ANONYMOUS, token=opened.token, at=due)
    key = territory.create_api_key(
        territory=town, name="Serrures", scopes=("locks:read",), by=None, at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=30),
    )  # fmt: skip
    hours = int((time.starts - timezone.now()) / timedelta(hours=1)) + 2
    asked = {"place": "tennis-1", "hours": min(hours, 168)}
    found = client.get("/api/locks/codes", asked, headers={"Authorization": f"Bearer {key}"})
    assert [(one["number"], one["code"]) for one in found.json()["codes"]] == [(opened.number, code)]
    assert client.get("/api/locks/codes").status_code == 401
    # Moved, it has another code: the former opens nothing.
    other = free("12-09", "tennis-1")[3]
    operations.move_slot(number=opened.number, place=other.place, starts=other.starts, ends=other.ends,
                         viewer=ANONYMOUS, token=opened.token, at=timezone.now())  # fmt: skip
    assert queries.slot_booking(ANONYMOUS, opened.number, token=opened.token, at=other.starts).code != code


def test_who_waits_is_offered_what_is_freed_for_four_hours(town: str, client: Client) -> None:
    time, other = free("12-09", "tennis-1")[3:5]
    held = book("12-09", "camille@exemple.fr", time)
    waiting = [book("12-09", f"{name}@exemple.fr", time, wait=True) for name in ("dominique", "claude")]
    at = timezone.now()
    operations.cancel_slot(number=held.number, viewer=ANONYMOUS, token=held.token, at=at)
    first, second = (queries.slot_booking(ANONYMOUS, one.number, token=one.token, at=at).stage for one in waiting)
    assert (first, second) == ("offered", "queued")
    # It is kept: nobody else takes it meanwhile, and the one who is offered reads it on her page.
    with pytest.raises(Taken):
        book("12-09", "passante@exemple.fr", time)
    assert "Je la prends" in shown(client.get(f"/creneau/{waiting[0].token}/"))
    # Not confirmed in four hours: the next is served.
    later = at + timedelta(hours=4, minutes=1)
    tasks.often(later)
    assert queries.slot_booking(ANONYMOUS, waiting[1].number, token=waiting[1].token, at=later).stage == "offered"
    with pytest.raises(TooLate, match="n’est plus gardée"):
        operations.confirm_offer(number=waiting[0].number, viewer=ANONYMOUS, token=waiting[0].token, at=later)
    assert client.post(f"/creneau/{waiting[1].token}/", {"do": "confirm"}).status_code == 302
    assert queries.slot_booking(ANONYMOUS, waiting[1].number, token=waiting[1].token, at=later).stage == "confirmed"
    assert other.starts in [one.starts for one in free("12-09", "tennis-1")]


def test_a_page_of_the_grid_asks_few_questions(
    town: str, client: Client, django_assert_max_num_queries: object
) -> None:
    for rank, time in enumerate(free("12-09")[:8]):
        book("12-09", f"voisine{rank}@exemple.fr", time)
    client.get(PAGE)
    with django_assert_max_num_queries(14):
        client.get(PAGE)


def test_hours_follow_the_town_and_what_is_closed_is_closed(town: str) -> None:
    thing = queries.open_slot_thing(town, "12-09")
    # The hour changes on 28 March 2027: eight o'clock stays eight o'clock, and each slot is an hour.
    at = datetime(2027, 3, 27, 9, tzinfo=timezone.get_current_timezone())
    days = (date(2027, 3, 27), date(2027, 3, 28))
    found = queries.moments(town, thing, thing.rules.place[:1], first=days[0], last=days[1], at=at)
    assert {f"{one.time.starts:%H}" for one in found if one.time.starts.date() == days[1]} >= {"08", "21"}
    assert {one.time.ends - one.time.starts for one in found} == {timedelta(hours=1)}
    closed = queries.moments(
        town,
        thing,
        thing.rules.place,
        first=date(2027, 2, 3),
        last=date(2027, 2, 3),
        at=datetime(2027, 2, 2, 9, tzinfo=at.tzinfo),
    )
    assert {one.time.place for one in closed} == {"tennis-1"}
    # Ten days before, at eight, the day opens.
    far = date(2027, 6, 20)
    eve, morning = (datetime(2027, 6, 10, hour, 59, tzinfo=at.tzinfo) for hour in (7, 8))
    for now, standings in ((eve, {"far"}), (morning, {"free"})):
        seen = queries.moments(town, thing, thing.rules.place, first=far, last=far, at=now)
        assert {one.standing for one in seen} == standings
    base = thing.rules.model_dump(by_alias=True)
    for wrong, told in (
        ({"opening": [{"hours": "quand on veut"}]}, "illisibles"),
        ({"opening": [{"hours": "Mo 08:00-12:00", "during": "school"}]}, "school_holiday"),
        ({"closure": [{"first": "2027-01-02", "last": "2027-01-01", "label": "Gel"}]}, "avant le premier"),
        (
            {"closure": [{"first": "2027-01-01", "last": "2027-01-02", "label": "Gel", "places": ["court"]}]},
            "n’est pas un lieu",
        ),
        ({"slot_minutes": 50}, "multiple"),
    ):
        with pytest.raises(ValueError, match=told):
            SlotSettings.model_validate(base | wrong)


def test_school_and_public_holidays_have_hours_of_their_own(town: str) -> None:
    thing = queries.open_slot_thing(town, "12-09")
    rules = SlotSettings.model_validate(
        thing.rules.model_dump(by_alias=True)
        | {
            "opening": [
                {"hours": "Mo-Fr 18:00-20:00; PH off", "during": "school"},
                {"hours": "Mo-Fr 09:00-11:00; PH off", "during": "holidays"},
            ],
            "school_holiday": [{"first": "2026-12-19", "last": "2027-01-03", "label": "Noël"}],
        }
    )
    own = queries.SlotThing("12-09", "Essai", rules)
    at = datetime(2026, 12, 14, 9, tzinfo=timezone.get_current_timezone())
    found = queries.moments(town, own, rules.place[:1], first=date(2026, 12, 18), last=date(2026, 12, 25), at=at)
    hours = {(one.time.starts.day, one.time.starts.hour) for one in found}
    assert {(18, 18), (18, 19), (21, 9), (24, 10)} <= hours
    assert not [day for day, _hour in hours if day in (19, 20, 25)]


def test_it_is_among_her_requests_and_booked_for_somebody_else(town: str, client: Client) -> None:
    person = make_person(territory=town)
    time, other = free("12-09", "tennis-1")[:2]
    wish = operations.SlotWish("12-09", time.place, time.starts, time.ends, people=2)

    opened = operations.book_slot(territory=town, wish=wish, requester=Requester(person), viewer=Viewer(person),
                                  at=timezone.now())  # fmt: skip
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    page = shown(client.get("/mes-demandes/"))
    assert "Mes salles, terrains et rendez-vous" in page
    assert "Tennis, court 1" in page
    agent = agent_client("sports")
    helped = {"pour": "autrui", "mandate": "phone", "name": "Madame Petit", "phone": "06 12 34 56 78", "reference": ""}
    asked = link_of(other) | {"fin_au_moins": link_of(other)["fin"], "email": "", "personnes": "1"}
    answer = agent.post(f"{PAGE}reserver/", asked | helped)
    assert answer.status_code == 302, answer.context["mandate"].errors
    party = client.get(answer["Location"]).context["party"]
    assert (party.name, party.mandate, party.person) == ("Madame Petit", "phone", None)
    # She takes her bookings with her, and leaves a figure.
    (told,) = personal.export(person)
    assert (told["place"], told["people"]) == ("tennis-1", 2)
    assert personal.erase(person, erased_number=-1, at=timezone.now()) == 1
    # What is past ends by itself, without a message.
    letters()
    mail.outbox.clear()
    tasks.daily(other.ends + timedelta(days=4))
    assert cases.case(agent_of("sports", town=town), opened.number).outcome == "done"
    assert letters() == []
