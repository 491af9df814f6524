"""Obstacles, animals, subscriptions, work orders, visits, the agent's desk, the figures."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from beffroi.base.journal import queries as journal
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.journal.queries import EventFilter
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, BadMove, CaseNotFound, Outcome, Requester, Status
from beffroi.serve.reports import desk, obstacles, operations, orders, queries, statistics, subscriptions, tasks, visits
from beffroi.serve.reports.abuse import sender_of
from beffroi.serve.reports.intake import Submission
from beffroi.serve.reports.models import Report
from beffroi.serve.reports.queries import ReportFilter
from beffroi.serve.reports.trust import trust_level
from serve_makers import LAT, LON, agent_of, photo, send, square
from territory_makers import AT, TOWN, administrator, make_person

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=6)
ROADS = agent_of("voirie")


def _says(number: str, device: str, *, still_there: bool, hours: int = 1, viewer: Viewer = ANONYMOUS):
    at = AT + timedelta(hours=hours)
    sender = sender_of(device=device, address="192.0.2.1", at=at)
    return operations.confirm_obstacle(number=number, still_there=still_there, viewer=viewer, at=at, sender=sender)


# --- Obstacles --------------------------------------------------------------------------------------------------------


def test_an_obstacle_fades_unless_it_is_seen_again(town: str) -> None:
    opened = send("obstacle-chantier")
    (one,) = obstacles.obstacles(TOWN, at=AT)
    assert (one.number, one.expires_at) == (opened.number, AT + timedelta(days=7))
    state = _says(opened.number, "a", still_there=True, hours=48)
    assert state.expires_at == AT + timedelta(hours=48, days=7)
    tasks.daily(AT + timedelta(days=8))
    assert queries.report(ANONYMOUS, opened.number).case.is_open
    tasks.daily(AT + timedelta(days=10))
    info = queries.report(ANONYMOUS, opened.number)
    assert (info.case.status, info.case.outcome) == (Status.CLOSED, Outcome.EXPIRED)
    assert obstacles.obstacles(TOWN, at=AT) == []


def test_a_lasting_obstacle_does_not_fade_and_an_end_may_be_said(town: str) -> None:
    send("obstacle-chantier", lasting=True)
    send("obstacle-chantier", expires_on=(AT + timedelta(days=40)).date())
    ends = [one.expires_at for one in obstacles.obstacles(TOWN, at=AT + timedelta(days=30))]
    assert ends[1] is None
    assert ends[0].astimezone(ZoneInfo("Europe/Paris")).time() == time(23, 59)
    with pytest.raises(BadCase, match="à venir"):
        send("obstacle-chantier", expires_on=AT.date() - timedelta(days=1))


def test_one_voice_is_counted_once_and_the_last_word_holds(town: str) -> None:
    number = send("obstacle-chantier").number
    for _ in range(3):
        state = _says(number, "meme-appareil", still_there=False)
    assert (state.open, state.gone) == (True, 1)
    state = _says(number, "meme-appareil", still_there=True, hours=2)
    assert (state.still_there, state.gone) == (1, 0)
    # Seen since: one « gone » is not enough any more.
    _says(number, "b", still_there=False, hours=3)
    assert not _says(number, "c", still_there=False, hours=4).open
    with pytest.raises(BadCase, match="en cours"):
        _says(number, "d", still_there=False)
    with pytest.raises(BadCase, match="en cours"):
        _says(send("depot-sauvage").number, "d", still_there=False)
    with pytest.raises(BadCase, match="d’où vient"):
        operations.confirm_obstacle(number=send("obstacle-sol").number, still_there=True, viewer=ANONYMOUS, at=AT)


def test_the_word_of_an_agent_or_an_ambassador_counts_at_once(town: str) -> None:
    assert not _says(
        send("obstacle-sol").number, "", still_there=False, viewer=agent_of("proprete", person=make_person())
    ).open
    person = make_person()
    operations.name_ambassador(territory=TOWN, person_id=person, level=2, by=ROADS, at=AT)
    assert not _says(send("obstacle-sol").number, "", still_there=False, viewer=Viewer(person)).open
    hers = send("obstacle-sol", viewer=Viewer(person), requester=Requester(person))
    assert queries.report(ANONYMOUS, hers.number).case.status is Status.ACCEPTED
    operations.name_ambassador(territory=TOWN, person_id=person, level=0, by=ROADS, at=AT)
    assert trust_level(TOWN, person) == 0
    for by, level in ((Viewer(person), 1), (agent_of("voirie", town="34057"), 1), (ROADS, 9)):
        with pytest.raises(BeffroiError):
            operations.name_ambassador(territory=TOWN, person_id=person, level=level, by=by, at=AT)


def test_trust_is_earned_by_obstacles_that_others_confirmed(town: str) -> None:
    person = make_person()
    for number in range(5):
        opened = send("obstacle-sol", viewer=Viewer(person), requester=Requester(person), lon=LON + number / 1000)
        assert trust_level(TOWN, person) == 0
        _says(opened.number, "voisin", still_there=True)
    assert trust_level(TOWN, person) == 1


# --- Lost and found ---------------------------------------------------------------------------------------------------


def _animal(code: str, species: str = "chat", day: str = "2026-03-01", **fields: object):
    return send(code, details={"espece": species, "jour": day}, **fields)


def test_a_lost_and_a_found_animal_are_brought_together_without_contacts(town: str) -> None:
    lost = _animal("animal-perdu", requester=Requester(name="Zoé", email="zoe@exemple.fr", phone="06 11 22 33 44"))
    for other in (
        _animal("animal-trouve", "chien"),
        _animal("animal-trouve", day="2026-05-20"),
        _animal("animal-trouve", lon=LON + 0.045, lat=LAT + 0.045),
        _animal("animal-perdu"),
    ):
        assert other.created
    found = _animal("animal-trouve", day="2026-03-03", lon=LON + 0.006)
    deliver_pending(1000)
    deliver_pending(1000)
    (match,) = queries.matches(ANONYMOUS, lost.number, token=lost.token)
    assert (match.report.number, round(match.distance_m, -2)) == (found.number, 500)
    assert queries.matches(ANONYMOUS, lost.number) == []
    for mine, other in ((lost, found), (found, lost)):
        words = [e.text for e in case_queries.thread(ANONYMOUS, mine.number, token=mine.token) if e.what == "message"]
        assert len([text for text in words if other.number in text]) == 1
        assert not any(secret in " ".join(words) for secret in ("zoe@", "06 11", "Zoé"))


# --- Subscriptions ----------------------------------------------------------------------------------------------------


def _subscribe(email: str, **what: str):
    return operations.subscribe(territory=TOWN, requester=Requester(email=email), viewer=ANONYMOUS, at=AT, **what)


def test_one_hears_of_a_street_a_zone_a_category_once_confirmed(town: str) -> None:
    street, zone, category, nowhere = (
        _subscribe("rue@exemple.fr", street="rue du four"),
        _subscribe("zone@exemple.fr", zone=square()),
        _subscribe("tag@exemple.fr", category="tag-graffiti"),
        _subscribe("loin@exemple.fr", zone=square(LON + 0.01)),
    )
    row = Report.objects.select_related("case").get(pk=send("depot-sauvage", address="3 rue du Four").case_id)
    assert subscriptions.subscribers_to(row) == []
    for one in (street, zone, category, nowhere):
        assert not one.confirmed
        assert operations.confirm_subscription(one.token, at=LATER).confirmed
    assert [one.email for one in subscriptions.subscribers_to(row)] == ["rue@exemple.fr", "zone@exemple.fr"]
    operations.end_subscription(zone.token, at=LATER)
    with pytest.raises(BeffroiError, match="plus"):
        operations.end_subscription(zone.token, at=LATER)
    with pytest.raises(BeffroiError):
        operations.confirm_subscription(street.token[:-1] + "x", at=LATER)
    assert [one.email for one in subscriptions.subscribers_to(row)] == ["rue@exemple.fr"]


def test_what_cannot_be_followed_is_refused(town: str) -> None:
    for what in ({}, {"category": "squat"}, {"zone": "{}"}):
        with pytest.raises(BadCase):
            _subscribe("a@exemple.fr", **what)
    with pytest.raises(BadCase, match="adresse"):
        operations.subscribe(territory=TOWN, requester=Requester(), viewer=ANONYMOUS, at=AT, street="rue du Four")


def test_ones_own_account_need_not_confirm(town: str) -> None:
    person = make_person(email="moi@exemple.fr")
    made = operations.subscribe(territory=TOWN, requester=Requester(), viewer=Viewer(person), at=AT, district="centre")
    assert (made.email, made.confirmed) == ("moi@exemple.fr", True)
    other = operations.subscribe(
        territory=TOWN, requester=Requester(email="autre@exemple.fr"), viewer=Viewer(person), at=AT, district="centre"
    )
    assert not other.confirmed
    assert [one.email for one in subscriptions.own_subscriptions(Viewer(person))] == ["moi@exemple.fr"]


# --- Work orders ------------------------------------------------------------------------------------------------------


def test_an_order_goes_from_a_report_to_its_closing_photo_time_and_cost(town: str) -> None:
    opened = send("nid-de-poule")
    day = LATER.date() + timedelta(days=2)
    order = operations.order_work(number=opened.number, title="Reboucher", by=ROADS, at=LATER, planned_on=day, crew="B")
    info = queries.report(ANONYMOUS, opened.number)
    assert (info.case.status, info.case.planned_on) == (Status.SCHEDULED, day)
    assert [one.id for one in orders.work_orders(ROADS, TOWN, first=day, last=day, crew="B")] == [order]
    assert orders.work_orders(agent_of("proprete"), TOWN) == []
    with pytest.raises(orders.OrderNotFound):
        operations.finish_work(order_id=order, by=agent_of("proprete"), at=LATER, minutes=5)
    sending = {"order_id": order, "by": ROADS, "at": LATER, "minutes": 45, "cost_cents": 3990, "text": "Rebouché.",
               "photos": (photo(),), "idempotency_key": "telephone-1"}  # fmt: skip
    done = operations.finish_work(**sending)
    again = operations.finish_work(**sending)
    assert done == again
    assert (done.state, done.minutes, done.cost_cents) == ("done", 45, 3990)
    info = queries.report(ANONYMOUS, opened.number)
    assert (info.case.status, info.case.answer, len(info.photos)) == (Status.CLOSED, "Rebouché.", 1)
    assert orders.costs(ROADS, TOWN, since=day - timedelta(days=9), until=day) == [("voirie", 1, 45, 3990)]
    with pytest.raises(BadMove):
        operations.finish_work(**(sending | {"idempotency_key": "autre"}))
    with pytest.raises(BadMove):
        operations.order_work(number=opened.number, title="Encore", by=ROADS, at=LATER)


def test_the_last_order_closes_the_report(town: str) -> None:
    number = send("nid-de-poule").number
    first, second = (operations.order_work(number=number, title=name, by=ROADS, at=LATER) for name in "ab")
    operations.finish_work(order_id=first, by=ROADS, at=LATER, minutes=1)
    assert queries.report(ANONYMOUS, number).case.is_open
    operations.cancel_work(order_id=second, reason="Doublon", by=ROADS, at=LATER)
    third = operations.order_work(number=number, title="c", by=ROADS, at=LATER)
    operations.plan_work(order_id=third, crew="C", planned_on=LATER.date(), by=ROADS, at=LATER)
    assert orders.crews(ROADS, TOWN) == ["C"]
    operations.finish_work(order_id=third, by=ROADS, at=LATER, minutes=1)
    assert not queries.report(ANONYMOUS, number).case.is_open


def test_agents_order_directly_what_nobody_reported_and_residents_do_not_see_it(town: str) -> None:
    submission = Submission("intervention-batiment", LON, LAT, "Porte du gymnase", idempotency_key="direct-0001")
    agent = agent_of("voirie", person=make_person())
    number, order = operations.order_directly(territory=TOWN, submission=submission, title="Régler", by=agent, at=AT)
    assert (number, order) == operations.order_directly(
        territory=TOWN, submission=submission, title="Régler", by=agent, at=AT
    )
    assert orders.work_order(agent, order).number == number
    with pytest.raises(CaseNotFound):
        queries.report(ANONYMOUS, number)
    assert queries.report(agent_of("habitat"), number).number == number
    with pytest.raises(BeffroiError, match="signaler"):
        send("intervention-batiment")


# --- Contract visits --------------------------------------------------------------------------------------------------


def _contract(**facts: object) -> int:
    given = {"name": "Marché", "provider": "Net", "starts_on": date(2026, 3, 2), "ends_on": date(2026, 3, 31),
             "places": (operations.PlannedPlace("Halles", LON, LAT, "135", time(8), time(12)),)} | facts  # fmt: skip
    return operations.add_contract(territory=TOWN, service="voirie", by=ROADS, at=AT, **given)


def test_a_visit_is_proved_on_site_that_day_once(town: str) -> None:
    contract = _contract()
    first, *_ = visits.visits(ROADS, TOWN, first=date(2026, 3, 2), last=date(2026, 3, 15))
    seen = datetime(2026, 3, 2, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))
    proof = {"visit_id": first.id, "lon": LON, "lat": LAT, "seen_at": seen, "by": ROADS, "at": seen}
    for wrong in (
        {"lat": LAT + 0.01},
        {"lat": float("nan")},
        {"seen_at": seen + timedelta(days=1), "at": seen + timedelta(days=1)},
        {"seen_at": seen + timedelta(hours=1)},
        {"at": seen + timedelta(days=8)},
    ):
        with pytest.raises(BadCase):
            operations.prove_visit(**(proof | wrong))
    with pytest.raises(visits.ContractNotFound):
        operations.prove_visit(**(proof | {"by": agent_of("proprete")}))
    proved = operations.prove_visit(**proof)
    assert (proved.state, proved.in_time, proved.distance_m) == ("done", True, 0)
    assert operations.prove_visit(**(proof | {"lat": LAT + 1})) == proved
    assert visits.contracts(agent_of("proprete"), TOWN) == []
    assert visits.monthly_statement(ROADS, contract, year=2026, month=3).done == 1
    with pytest.raises(BadMove):
        visits.monthly_statement(ROADS, contract, year=2026, month=13)


def test_missing_visits_are_told_and_measured_against_the_contract(town: str) -> None:
    contract = _contract(visit_cents=1000, penalty_cents=700)
    tasks.daily(AT + timedelta(days=8))
    page = journal.events(administrator(), EventFilter(subject=f"contract:{contract}"))
    assert [event.kind for event in page.events].count("contract.visit_missing") == 4
    tasks.daily(AT + timedelta(days=8))
    statement = visits.monthly_statement(ROADS, contract, year=2026, month=3)
    assert (statement.expected, statement.missing, statement.keeps_promise, statement.due_cents) == (4, 4, False, 0)
    with pytest.raises(Refused):
        operations.add_contract(
            territory=TOWN, service="voirie", by=agent_of("habitat"), at=AT, name="x", provider="y",
            starts_on=AT.date(), ends_on=AT.date(), places=(operations.PlannedPlace("x", LON, LAT, "1"),),
        )  # fmt: skip
    for wrong in (
        {"places": ()},
        {"ends_on": date(2020, 1, 1)},
        {"places": (operations.PlannedPlace("x", LON, LAT, "89"),)},
    ):
        with pytest.raises(BadCase):
            _contract(**wrong)


# --- The desk, the figures --------------------------------------------------------------------------------------------


def test_words_ready_to_send_and_named_filters(town: str) -> None:
    person = make_person()
    agent = agent_of("voirie", person=person)
    key = operations.save_template(
        territory=TOWN, title="Merci", text="Merci pour {numero} ({categorie}, {adresse}) {x}", by=agent, at=AT
    )
    operations.save_template(
        territory=TOWN, title="Autre", text="…", service="voirie", by=agent, at=AT, category="tag-graffiti"
    )
    info = queries.report(agent, send("nid-de-poule", address="rue du Four").number)
    (one,) = desk.templates(agent, TOWN, category="nid-de-poule")
    assert one.filled(info) == f"Merci pour {info.number} (Trou ou nid-de-poule dans la chaussée, rue du Four) {{x}}"
    assert desk.templates(ANONYMOUS, TOWN) == desk.templates(agent_of("voirie", town="34057"), TOWN) == []
    with pytest.raises(Refused):
        operations.save_template(territory=TOWN, title="x", text="y", service="habitat", by=agent, at=AT)
    operations.delete_template(template_id=key, territory=TOWN, by=agent, at=AT)
    assert [one.title for one in desk.templates(agent, TOWN)] == ["Autre"]
    wanted = ReportFilter(categories=("nid-de-poule",), late=True)
    operations.save_filter(territory=TOWN, name="Mes trous", wanted=wanted, by=agent)
    assert desk.saved_filters(agent, TOWN) == [("Mes trous", wanted)]
    assert desk.saved_filters(agent_of("voirie", person=make_person()), TOWN) == []
    operations.delete_filter(territory=TOWN, name="Mes trous", by=agent)
    assert desk.saved_filters(agent, TOWN) == []


def test_quantiles_are_those_of_numpy() -> None:
    rng = random.Random(6)
    for size in (1, 2, 3, *range(4, 60, 5)):
        values = sorted(rng.choice((0.0, 7.5, rng.uniform(0, 1e4))) for _ in range(size))
        for share in (0.0, 0.5, 0.9, 1.0, rng.random()):
            assert statistics.quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=0.006)


def test_figures_count_volume_delays_and_promises(town: str) -> None:
    cleaner = agent_of("proprete")
    for hours in (10, 20, 30, 60, 100):
        number = send("depot-sauvage").number
        operations.close_report(
            number=number, outcome=Outcome.DONE, reason="Fait", by=cleaner, at=AT + timedelta(hours=hours)
        )
    send("depot-sauvage")
    abuse = send("depot-sauvage").number
    operations.close_report(number=abuse, outcome=Outcome.ABUSE, reason="x", by=cleaner, at=LATER)
    span = {"since": AT - timedelta(days=1), "until": AT + timedelta(days=1), "at": AT + timedelta(days=5)}
    (line,) = statistics.statistics(ANONYMOUS, TOWN, by="category", **span)
    assert (line.received, line.open, line.closed, line.late) == (6, 1, 5, 1)
    assert (line.median_h, line.ninth_decile_h, line.within_due) == (30.0, 84.0, 0.6)
    assert line.label == "Dépôt sauvage ou encombrants abandonnés"
    assert [one.key for one in statistics.statistics(ANONYMOUS, TOWN, by="month", **span)] == ["2026-03"]


def test_restricted_figures_need_a_crowd_and_never_a_place(town: str) -> None:
    first, last = (datetime(2026, month, 1, tzinfo=PARIS) for month in (3, 4))
    elected = Viewer(1, (Grant(TOWN, Role.ELECTED),))

    def counted(viewer: Viewer, by: str, **span: datetime) -> int:
        span = {"since": first, "until": last, "at": last} | span
        return sum(line.received for line in statistics.statistics(viewer, TOWN, by=by, **span))

    for _ in range(10):
        send("squat")
    assert counted(elected, "category") == 0
    assert counted(agent_of("habitat"), "category") == 10
    send("squat")
    assert counted(elected, "category") == counted(ROADS, "service") == counted(elected, "month") == 11
    for viewer in (elected, ROADS):
        assert counted(viewer, "district") == 0
    for viewer in (ANONYMOUS, agent_of("habitat", town="34057"), Viewer(2, (Grant("34057", Role.ELECTED),))):
        assert counted(viewer, "category") == 0
    # The month that is not over grows one by one, and a part of one may be subtracted: neither is told.
    assert counted(elected, "category", at=last - timedelta(seconds=1)) == 0
    for part in ({"until": last - timedelta(days=1)}, {"since": first + timedelta(days=1)}):
        assert counted(elected, "category", **part) == 0
        assert counted(agent_of("habitat"), "category", **part) == 11


def test_no_two_figures_of_officials_differ_by_a_few_restricted_reports(town: str) -> None:
    """Eleven of one kind, three of another, in the same service and month: the three are in no figure."""
    for _ in range(11):
        send("squat")
    for _ in range(3):
        closed = send("insalubrite", details={"desordres": "eau"}).number
    habitat = agent_of("habitat")
    operations.close_report(number=closed, outcome=Outcome.DONE, reason="Fait", by=habitat, at=LATER)
    span = {"since": datetime(2026, 3, 1, tzinfo=PARIS), "until": datetime(2026, 4, 1, tzinfo=PARIS), "at": AT}
    span["at"] = span["until"]
    elected = Viewer(1, (Grant(TOWN, Role.ELECTED),))
    for by in ("category", "service", "month"):
        (line,) = statistics.statistics(elected, TOWN, by=by, **span)
        assert (line.received, line.closed, line.median_h) == (11, 0, None)
    assert sum(one.received for one in statistics.statistics(habitat, TOWN, by="category", **span)) == 14
    # One of the eleven is closed: its delay would be its own.
    (squat, *_) = queries.queue(habitat, TOWN, ReportFilter(categories=("squat",)), at=LATER).items
    operations.close_report(number=squat.number, outcome=Outcome.DONE, reason="Fait", by=habitat, at=LATER)
    (line,) = statistics.statistics(elected, TOWN, by="category", **span)
    assert (line.closed, line.median_h, line.within_due) == (1, None, None)


def test_erasing_a_person_empties_her_words_and_keeps_the_facts(town: str) -> None:
    from beffroi.base.privacy import operations as privacy
    from beffroi.base.privacy import queries as rights

    person, other = make_person(email="a-effacer@exemple.fr"), make_person()
    hers = send(
        "voiture-ventouse", viewer=Viewer(person), requester=Requester(person, "Zoé Martin", "zoe@exemple.fr"),
        details={"jours": 3, "plaque": "AA-123-AA"}, description="Ma voisine Zoé", photos=(photo(),),
    )  # fmt: skip
    theirs = send("depot-sauvage", viewer=Viewer(other), requester=Requester(other), description="Pas à elle")
    operations.follow_report(
        number=theirs.number, requester=Requester(person), viewer=Viewer(person), at=AT, text="Moi aussi"
    )
    export = rights.personal_export(person, at=AT).as_json()
    assert all(said in export for said in ("AA-123-AA", "Ma voisine", "Moi aussi", "zoe@exemple.fr"))
    privacy.erase_person(person, person, at=LATER)
    police = agent_of("police-municipale")
    info = queries.report(police, hers.number)
    assert (info.case.description, dict(info.private_details), info.photos, info.case.status) == (
        "",
        {},
        (),
        Status.RECEIVED,
    )
    assert [(one.name, one.email) for one in case_queries.parties(police, hers.number)] == [("", "")]
    kept = queries.report(agent_of("proprete"), theirs.number)
    assert kept.case.description == "Pas à elle"
    assert not [e for e in case_queries.thread(agent_of("proprete"), theirs.number) if e.text == "Moi aussi"]


def test_time_ends_words_plates_and_files(town: str) -> None:
    from beffroi.base.privacy.operations import run_retention
    from beffroi.serve.cases import store
    from beffroi.serve.cases.tasks import daily

    opened = send("voiture-ventouse", details={"jours": 3, "plaque": "AA-123-AA"}, photos=(photo(colour="plum"),))
    police = agent_of("police-municipale")
    key = queries.report(police, opened.number).photos[0]
    path = case_queries.attachment(police, key).path
    operations.close_report(number=opened.number, outcome=Outcome.DONE, reason="Vu", by=police, at=LATER)
    run_retention(LATER + timedelta(days=200))
    assert queries.report(police, opened.number).private_details == {}
    assert queries.report(police, opened.number).case.description
    run_retention(LATER + timedelta(days=740))
    info = queries.report(police, opened.number)
    assert (info.case.description, info.photos) == ("", ())
    assert path.is_file()
    daily(datetime.now(tz=ZoneInfo("UTC")) + timedelta(days=3))
    assert not path.exists()
    assert store.folder().is_dir()
