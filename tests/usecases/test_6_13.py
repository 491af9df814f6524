"""6-13: « catalogue, price, calendar, deposit, validation »."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.definition import BadBooking, TooLate
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import Deposit, Taken
from beffroi.serve.bookings.hours.models import SlotCell
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import BadCase
from faces.portal.reports.test_filing import shown
from serve_makers import agent_of
from usecases.slots_town import agent_client, book, free, letters, link_of

PAGE, HALL = "/creneaux/6-13/", "salle-des-fetes"
DETAILS = {"details": {"objet": "Anniversaire"}}


@pytest.fixture
def town(slots_town: Callable[..., str]) -> str:
    return slots_town("6-13")


@pytest.fixture
def clerk(town: str) -> Viewer:
    return agent_of("vie-locale", town=town)


def ask(email: str, time: queries.Time, **more: Any) -> Any:
    return book("6-13", email, time, **({"tariff": "habitant"} | DETAILS | more))


def test_rooms_are_shown_priced_and_asked_for(town: str, client: Client) -> None:
    page = shown(client.get(PAGE))
    assert "200 m², une scène" in page
    # By what they hold.
    assert [one.slug for one in client.get(PAGE, {"avec": "Cuisine"}).context["places"]] == [HALL]
    # On a day that is wholly free: an afternoon comes before it.
    evening = next(
        one
        for one in free("6-13", HALL)
        if one.starts.hour == 18 and one.starts - timedelta(hours=10) in [other.starts for other in free("6-13", HALL)]
    )
    form = client.get(f"{PAGE}reserver/", link_of(evening))
    ends = [value for value, _words in form.context["form"].fields["fin"].choices]
    # From two hours to closing time, one in the morning.
    assert (len(ends), ends[-1][11:13]) == (6, "01")
    assert "caution 500" in shown(form)
    asked = link_of(evening) | {
        "fin_au_moins": link_of(evening)["fin"], "fin": ends[2], "tarif": "habitant", "personnes": "60",
        "d_objet": "Anniversaire", "name": "Camille", "email": "camille@exemple.fr", "key": "une-cle-d-envoi",
    }  # fmt: skip
    assert client.post(f"{PAGE}reserver/", asked | {"d_objet": ""}).status_code == 400
    sent = client.post(f"{PAGE}reserver/", asked)
    assert sent.status_code == 302
    receipt = client.get(sent["Location"])
    booked = receipt.context["booked"]
    # Four hours at twenty euros, and thirty to open.
    assert (booked.price_cents, booked.deposit_cents, booked.stage) == (11000, 50000, "to-validate")
    told = shown(receipt)
    assert "La mairie répond au plus tard" in told
    assert "L’attestation d’assurance" in told
    assert "Le créneau est gardé" in letters()[0]
    # An hour is kept to clean: the next begins an hour later.
    starts = {one.starts for one in free("6-13", HALL)}
    assert booked.ends not in starts
    assert booked.starts - timedelta(hours=3) in starts
    assert booked.starts - timedelta(hours=2) not in starts


def test_tariffs_are_dated_and_ask_what_they_need(town: str) -> None:
    time = free("6-13", HALL)[0]
    thing = queries.open_slot_thing(town, "6-13")
    assert [one.code for one in thing.rules.tariffs_on(time.starts.date())] == ["habitant", "association", "exterieur"]
    dearer = thing.rules.tariff[0].model_copy(update={"since": time.starts.date(), "hour_cents": 2500})
    rules = thing.rules.model_copy(update={"tariff": (*thing.rules.tariff, dearer)})
    eve = time.starts.date() - timedelta(days=1)
    assert [rules.tariffs_on(day)[0].hour_cents for day in (eve, time.starts.date())] == [2000, 2500]
    with pytest.raises(BadBooking, match="tarif « ami »"):
        ask("camille@exemple.fr", time, tariff="ami")
    with pytest.raises(BadBooking, match="nom de l’association"):
        ask("camille@exemple.fr", time, tariff="association")
    with pytest.raises(BadBooking, match="180 personnes au plus"):
        ask("camille@exemple.fr", time, people=181)


def test_an_agent_answers_holds_the_deposit_and_gives_it_back(town: str, clerk: Viewer) -> None:
    time, other = free("6-13", HALL)[0], free("6-13", "salle-du-lavoir")[0]
    opened, refused = ask("camille@exemple.fr", time), ask("claude@exemple.fr", other)
    agent, stranger = agent_client("vie-locale"), agent_client("voirie")
    desk = "/agent/creneaux/6-13/"
    assert "2 réservations à valider" in shown(agent.get(desk))
    assert "à valider" not in shown(stranger.get(desk))
    assert "Réservations à valider" in shown(agent.get("/agent/"))
    acts = f"/agent/creneaux/demande/{opened.number}/noter/"
    assert agent.post(acts, {"do": "accept", "retour": desk})["Location"] == desk
    assert agent.post(acts, {"do": "accept", "retour": "https://ailleurs.test/"})["Location"] == acts[: -len("noter/")]
    info = queries.slot_booking(clerk, opened.number, at=timezone.now())
    assert (info.stage, cases.case(clerk, opened.number).status) == ("confirmed", "scheduled")
    # A no has its reason; the time is free at once.
    with pytest.raises(BadCase, match="le texte manque"):
        operations.validate_slot(number=refused.number, accept=False, by=clerk, at=timezone.now())
    agent.post(f"/agent/creneaux/demande/{refused.number}/noter/", {"do": "refuse", "raison": "Élection ce jour-là."})
    assert other.starts in [one.starts for one in free("6-13", "salle-du-lavoir")]
    for step in ("paid", "received", "returned"):
        agent.post(acts, {"do": step})
    info = queries.slot_booking(clerk, opened.number, at=timezone.now())
    assert (info.paid, info.deposit) == (True, Deposit.RETURNED)
    assert "Caution rendue" in shown(agent.get(f"/agent/creneaux/demande/{opened.number}/"))
    with pytest.raises(BadBooking, match="ne peut pas passer"):
        operations.set_deposit(number=opened.number, deposit=Deposit.KEPT, by=clerk, at=timezone.now())
    with pytest.raises(Refused):
        operations.set_paid(number=opened.number, paid=False, by=agent_of("voirie", town=town), at=timezone.now())
    assert stranger.get(f"/agent/creneaux/demande/{opened.number}/").status_code == 404
    told = "\n".join(letters())
    assert "est confirmée" in told
    assert "Élection ce jour-là." in told
    assert "Votre caution vous est rendue." in told
    # What an agent accepted is not moved online; it is given up until a week before.
    with pytest.raises(TooLate):
        operations.move_slot(number=opened.number, place="salle-du-lavoir", starts=other.starts, ends=other.ends,
                             viewer=ANONYMOUS, token=opened.token, at=timezone.now())  # fmt: skip
    day = time.starts.date().isoformat()
    rows = csv.DictReader(io.StringIO(agent.get(desk, {"jour": day, "csv": ""}).content.decode("utf-8-sig")))
    assert [(row["numero"], row["regle"]) for row in rows] == [(opened.number, "oui")]


def test_a_closed_time_asks_those_who_had_it_and_opens_again(town: str, clerk: Viewer, client: Client) -> None:
    # Within the hours that are closed below.
    time = next(one for one in free("6-13", HALL) if one.starts.hour == 18)
    opened = ask("camille@exemple.fr", time)
    agent = agent_client("vie-locale")
    sent = {"lieu": HALL, "jour": time.starts.date().isoformat(), "debut": "08:00", "dernier": "", "fin": "23:00",
            "motif": "Dégât des eaux"}  # fmt: skip
    assert agent.post("/agent/creneaux/6-13/fermer/", sent | {"fin": "07:00"}).status_code == 400
    assert agent.post("/agent/creneaux/6-13/fermer/", sent).status_code == 302
    assert SlotCell.objects.count() == 0
    assert "Votre créneau n’est plus possible" in shown(client.get(f"/creneau/{opened.token}/"))
    assert "Dégât des eaux" in letters()[-1]
    with pytest.raises(Taken):
        ask("claude@exemple.fr", time)
    later = next(one for one in free("6-13", HALL) if one.starts.date() > time.starts.date())
    assert client.post(f"/creneau/{opened.token}/deplacer/", link_of(later)).status_code == 302
    page = agent.get("/agent/creneaux/6-13/fermer/")
    ((closing, _place),) = page.context["closings"]
    assert agent.post("/agent/creneaux/6-13/fermer/", {"rouvrir": str(closing.id)}).status_code == 302
    assert time.starts in [one.starts for one in free("6-13", HALL)]
    assert agent_client("voirie").post("/agent/creneaux/6-13/fermer/", sent).status_code == 403


def test_an_association_has_its_season_and_the_dates_refused(town: str, clerk: Viewer) -> None:
    first = next(one for one in free("6-13", "salle-du-lavoir") if one.starts.hour == 18)
    weeks = [first.starts + timedelta(weeks=rank) for rank in range(4)]
    ask("camille@exemple.fr", queries.Time("salle-du-lavoir", weeks[2], weeks[2] + timedelta(hours=2), 1))
    letters_before = len(letters())
    agent = agent_client("vie-locale")
    sent = {
        "lieu": "salle-du-lavoir", "jour": weeks[0].date().isoformat(), "debut": "18:00", "fin": "20:00",
        "dernier": weeks[3].date().isoformat(), "tarif": "association", "association": "Les Amis du Lavoir",
        "email": "amis@exemple.fr", "d_objet": "Chorale",
    }  # fmt: skip
    page = agent.post("/agent/creneaux/6-13/saison/", sent)
    done = page.context["done"]
    assert (len(done.given), [day for day, _why in done.refused]) == (3, [weeks[2].date()])
    assert "Dates refusées" in shown(page)
    # One receipt for the season, not one a week; each week is given up alone.
    told = letters()[letters_before:]
    assert len(told) == 1
    assert "Chaque semaine, 3 dates" in told[0]
    again = agent.post("/agent/creneaux/6-13/saison/", sent)
    assert "aucune de ces dates" in shown(again)
    lines = queries.desk_lines(clerk, town, queries.open_slot_thing(town, "6-13"), first=weeks[1].date(),
                               last=weeks[1].date(), at=timezone.now())  # fmt: skip
    assert [one.slot.group for one in lines] == ["Les Amis du Lavoir"]
    operations.cancel_slot(number=lines[0].slot.number, viewer=clerk, at=timezone.now())
    assert SlotCell.objects.values("slot").distinct().count() == 3
    figures = agent.get("/agent/creneaux/6-13/chiffres/", {"du": weeks[0].date(), "au": weeks[3].date()})
    told = figures.context["told"]
    assert {one.name: one.taken_hours for one in told.places} == {"Salle des fêtes": 0, "Salle du Lavoir": 4}
    assert {one.name: one.taken_hours for one in told.hours if one.taken_hours} == {"18 h": 2, "19 h": 2}
