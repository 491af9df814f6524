"""What agents do with reports, and what residents see of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from beffroi.base.journal import queries as journal
from beffroi.base.journal.queries import EventFilter
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases import queues
from beffroi.serve.cases.definition import BadCase, BadMove, CaseNotFound, Outcome, Requester, Status
from beffroi.serve.reports import operations, queries
from beffroi.serve.reports.queries import ReportFilter
from serve_makers import LAT, LON, agent_of, photo, send, square
from territory_makers import AT, TOWN, administrator, make_person

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=6)
CLEANER = agent_of("proprete")


def _told(number: str) -> list[str]:
    page = journal.events(administrator(), EventFilter(subject=f"case:{number}"))
    return [event.kind for event in reversed(page.events)]


# --- Who sees what ----------------------------------------------------------------------------------------------------

OUTSIDERS = [
    ANONYMOUS,
    Viewer(999_999),
    agent_of("proprete"),
    agent_of("habitat", town="34057"),
    administrator(),
    Viewer(999_998, (Grant(TOWN, Role.ELECTED),)),
    Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:agents", "reports:write"})),
]


@pytest.mark.parametrize("viewer", OUTSIDERS)
@pytest.mark.parametrize("state", ["received", "accepted", "closed", "merged"])
def test_a_restricted_report_exists_for_its_service_and_its_author_only(town: str, viewer: Viewer, state: str) -> None:
    habitat = agent_of("habitat")
    author = make_person()
    opened = send(
        "squat", description="Une porte murée est ouverte", requester=Requester(person=author), photos=(photo(),)
    )
    photo_number = queries.report(habitat, opened.number).photos[0]
    if state == "merged":
        other = send("squat")
        operations.merge_reports(number=opened.number, into=other.number, by=habitat, at=LATER)
    if state in ("accepted", "closed"):
        cases.accept_case(number=opened.number, by=habitat, at=LATER)
    if state == "closed":
        operations.close_report(number=opened.number, outcome=Outcome.DONE, reason="Muré.", by=habitat, at=LATER)
    for question in (
        lambda: queries.report(viewer, opened.number),
        lambda: case_queries.case(viewer, opened.number),
        lambda: case_queries.thread(viewer, opened.number),
        lambda: case_queries.attachments(viewer, opened.number),
        lambda: case_queries.attachment(viewer, photo_number),
        lambda: case_queries.parties(viewer, opened.number),
        lambda: operations.follow_report(number=opened.number, requester=Requester(), viewer=viewer, at=LATER),
        lambda: cases.write_to_service(number=opened.number, text="?", viewer=viewer, at=LATER),
    ):
        with pytest.raises(CaseNotFound):
            question()
    for wanted in (
        None,
        ReportFilter(text="murée"),
        ReportFilter(numbers=(opened.number,)),
        ReportFilter(text=opened.number),
    ):
        assert queries.reports(viewer, TOWN, wanted, at=LATER).total == 0
        assert queries.public_reports(TOWN, wanted, at=LATER).total == 0
        assert queries.queue(viewer, TOWN, wanted, at=LATER).total == 0
        assert queries.map_points(viewer, TOWN, wanted, at=LATER) == []
    assert queries.similar_reports(viewer, TOWN, category="squat", lon=LON, lat=LAT, at=LATER) == []
    assert [info.number for info, _ in queries.own_reports(Viewer(author))] == [opened.number]
    assert queries.report(Viewer(author), opened.number).case.description
    assert queries.report(habitat, opened.number).case.description


def test_the_journal_does_not_name_a_restricted_category(town: str) -> None:
    opened = send("squat")
    page = journal.events(administrator(), EventFilter(subject=f"case:{opened.number}"))
    assert [event.payload["category"] for event in page.events] == [""]


def test_an_agent_of_another_service_reads_and_may_not_act(town: str) -> None:
    opened = send("depot-sauvage")
    roads = agent_of("voirie")
    assert queries.report(roads, opened.number).case.description
    assert case_queries.parties(roads, opened.number) == []
    with pytest.raises(Refused, match="proprete"):
        cases.accept_case(number=opened.number, by=roads, at=LATER)
    assert queries.queue(roads, TOWN, at=LATER).total == 0
    with pytest.raises(Refused):
        cases.accept_case(number=opened.number, by=agent_of("proprete", town="34057"), at=LATER)


def test_words_wait_for_a_look_and_are_not_found_before(town: str) -> None:
    opened = send(description="Le gros chien du 12 est méchant")
    seen = queries.report(ANONYMOUS, opened.number)
    assert (seen.case.description, seen.case.status) == ("", Status.RECEIVED)
    assert queries.public_reports(TOWN, ReportFilter(text="méchant"), at=AT).total == 0
    assert queries.queue(CLEANER, TOWN, ReportFilter(text="méchant"), at=AT).total == 1
    cases.accept_case(number=opened.number, by=CLEANER, at=LATER)
    assert queries.public_reports(TOWN, ReportFilter(text="méchant"), at=AT).total == 1


def test_a_plate_stays_between_its_author_and_the_service(town: str) -> None:
    opened = send("voiture-ventouse", details={"jours": 9, "plaque": "AA-123-AA"})
    police = agent_of("police-municipale")
    assert queries.report(police, opened.number).private_details == {"plaque": "AA-123-AA"}
    assert queries.followed_report(opened.token)[0].private_details == {"plaque": "AA-123-AA"}
    for viewer in (ANONYMOUS, CLEANER, agent_of("police-municipale", town="34057")):
        assert queries.report(viewer, opened.number).private_details == {}
    follower = operations.follow_report(number=opened.number, requester=Requester(), viewer=ANONYMOUS, at=LATER)
    assert queries.followed_report(follower.token)[0].private_details == {}


# --- The life of a report ---------------------------------------------------------------------------------------------


def test_a_question_is_asked_answered_and_the_thread_is_hers_alone(town: str) -> None:
    opened = send()
    other = operations.follow_report(
        number=opened.number, requester=Requester(email="b@exemple.fr"), viewer=ANONYMOUS, at=AT, text="Moi aussi"
    )
    cases.write_to_parties(number=opened.number, text="Devant quel numéro ?", by=CLEANER, at=LATER, ask=True)
    assert queries.report(ANONYMOUS, opened.number).case.status is Status.WAITING
    cases.write_to_service(number=opened.number, text="Au 12", viewer=ANONYMOUS, token=opened.token, at=LATER)
    assert queries.report(ANONYMOUS, opened.number).case.status is Status.ACCEPTED
    cases.add_note(number=opened.number, text="Récidiviste", by=CLEANER, at=LATER)

    def words(viewer: Viewer, token: str = "") -> list[str]:
        return [entry.text for entry in case_queries.thread(viewer, opened.number, token=token) if entry.text]

    assert words(ANONYMOUS) == []
    assert words(ANONYMOUS, opened.token) == ["Devant quel numéro ?", "Au 12"]
    assert words(ANONYMOUS, other.token) == ["Moi aussi", "Devant quel numéro ?"]
    assert words(CLEANER) == ["Moi aussi", "Devant quel numéro ?", "Au 12", "Récidiviste"]


def test_one_closed_reports_reasons_and_photo_reach_every_reporter(town: str) -> None:
    first, second, third = (send(photos=(photo(colour=c),)) for c in ("red", "green", "blue"))
    operations.merge_reports(number=second.number, into=first.number, by=CLEANER, at=LATER)
    operations.merge_reports(number=third.number, into=first.number, by=CLEANER, at=LATER)
    assert queries.report(CLEANER, first.number).reporters == 3
    assert queries.public_reports(TOWN, at=LATER).total == 1
    cases.write_to_service(number=second.number, text="Et la suite ?", viewer=ANONYMOUS, token=second.token, at=LATER)
    cases.accept_case(number=first.number, by=CLEANER, at=LATER)
    operations.close_report(
        number=first.number, outcome=Outcome.DONE, reason="Enlevé ce matin.", by=CLEANER, at=LATER, photos=(photo(),)
    )
    for opened in (first, second, third):
        info, party = queries.followed_report(opened.token)
        assert (info.case.status, info.case.answer, party.number) == (Status.CLOSED, "Enlevé ce matin.", opened.number)
        purposes = [one.purpose for one in case_queries.attachments(ANONYMOUS, opened.number, token=opened.token)]
        assert purposes.count("closing") == 1
        assert "photo" in purposes
    assert [
        e.text for e in case_queries.thread(ANONYMOUS, second.number, token=second.token) if e.what == "message"
    ] == ["Et la suite ?"]
    # One who was merged reopens for all.
    assert (
        cases.reopen_case(number=third.number, reason="Revenu.", viewer=ANONYMOUS, token=third.token, at=LATER)
        == first.number
    )
    assert queries.followed_report(second.token)[0].case.status is Status.ACCEPTED


def test_merging_never_makes_a_chain_and_is_undone(town: str) -> None:
    first, second, third = (send() for _ in range(3))
    operations.merge_reports(number=third.number, into=second.number, by=CLEANER, at=LATER)
    operations.merge_reports(number=second.number, into=first.number, by=CLEANER, at=LATER)
    assert queries.report(CLEANER, third.number).case.lead == first.number
    operations.separate_report(number=third.number, by=CLEANER, at=LATER)
    assert queries.report(CLEANER, third.number).case.status is Status.RECEIVED
    assert queries.public_reports(TOWN, at=LATER).total == 2
    for number, into in ((first.number, first.number), (third.number, second.number)):
        with pytest.raises(BadMove):
            operations.merge_reports(number=number, into=into, by=CLEANER, at=LATER)
    hidden = send("squat")
    both = agent_of("proprete", "habitat")
    with pytest.raises(BadMove):
        operations.merge_reports(number=hidden.number, into=first.number, by=both, at=LATER)
    with pytest.raises(CaseNotFound):
        operations.merge_reports(number=first.number, into=hidden.number, by=CLEANER, at=LATER)


def test_a_closed_report_is_reopened_in_time_by_those_it_concerns(town: str) -> None:
    opened = send()
    operations.close_report(number=opened.number, outcome=Outcome.DONE, reason="Fait.", by=CLEANER, at=LATER)
    with pytest.raises(Refused, match="rouvrir"):
        cases.reopen_case(number=opened.number, reason="Non", viewer=ANONYMOUS, at=LATER)
    late = LATER + timedelta(days=31)
    with pytest.raises(Refused, match="ne peut plus"):
        cases.reopen_case(number=opened.number, reason="Non", viewer=ANONYMOUS, token=opened.token, at=late)
    with pytest.raises(BadCase, match="manque"):
        cases.reopen_case(number=opened.number, reason=" ", viewer=ANONYMOUS, token=opened.token, at=LATER)
    soon = LATER + timedelta(days=29)
    assert queries.followed_report(opened.token)[0].case.may_reopen(soon)
    cases.reopen_case(number=opened.number, reason="C’est revenu", viewer=ANONYMOUS, token=opened.token, at=soon)
    info = queries.report(CLEANER, opened.number)
    assert (info.case.status, info.case.reopened, info.case.due_at) == (Status.ACCEPTED, 1, soon + timedelta(hours=48))
    with pytest.raises(BadMove):
        cases.reopen_case(number=opened.number, reason="Encore", viewer=ANONYMOUS, token=opened.token, at=soon)


@pytest.mark.parametrize(
    "act", ["accept", "schedule", "close", "hold", "release", "part", "ask", "route", "reclassify"]
)
def test_what_is_closed_moves_by_reopening_only(town: str, act: str) -> None:
    number = send().number
    operations.close_report(number=number, outcome=Outcome.REFUSED, reason="Privé.", by=CLEANER, at=LATER)
    acts = {
        "accept": lambda: cases.accept_case(number=number, by=CLEANER, at=LATER),
        "schedule": lambda: cases.schedule_case(number=number, day=LATER.date(), by=CLEANER, at=LATER),
        "close": lambda: operations.close_report(number=number, outcome=Outcome.DONE, reason="x", by=CLEANER, at=LATER),
        "hold": lambda: cases.hold_case(number=number, by=CLEANER, at=LATER),
        "release": lambda: cases.release_case(number=number, by=CLEANER, at=LATER),
        "part": lambda: cases.part_case(number=number, by=CLEANER, at=LATER),
        "ask": lambda: cases.write_to_parties(number=number, text="?", by=CLEANER, at=LATER, ask=True),
        "route": lambda: operations.route_report(number=number, service="voirie", by=CLEANER, at=LATER),
        "reclassify": lambda: operations.reclassify_report(
            number=number, category="megots-dechets", by=CLEANER, at=LATER
        ),
    }
    with pytest.raises(BadMove):
        acts[act]()
    assert queries.report(ANONYMOUS, number).case.outcome is Outcome.REFUSED
    assert _told(number) == ["case.opened", "case.closed"]


def test_an_abuse_disappears_and_its_author_may_not_reopen_it(town: str) -> None:
    opened = send()
    operations.close_report(number=opened.number, outcome=Outcome.ABUSE, reason="Insultes.", by=CLEANER, at=LATER)
    with pytest.raises(CaseNotFound):
        queries.report(ANONYMOUS, opened.number)
    with pytest.raises(Refused):
        cases.reopen_case(number=opened.number, reason="Si", viewer=ANONYMOUS, token=opened.token, at=LATER)


def test_a_report_goes_to_another_service_or_category_with_what_follows(town: str) -> None:
    opened = send(details={})
    operations.route_report(number=opened.number, service="voirie", by=CLEANER, at=LATER, reason="Gravats")
    assert queries.queue(CLEANER, TOWN, at=LATER).total == 0
    roads = agent_of("voirie")
    assert queries.queue(roads, TOWN, at=LATER).items[0].number == opened.number
    with pytest.raises(BadCase, match="licornes"):
        operations.route_report(number=opened.number, service="licornes", by=roads, at=LATER)
    operations.reclassify_report(
        number=opened.number, category="insalubrite", by=roads, at=LATER, details={"desordres": "eau"}
    )
    with pytest.raises(CaseNotFound):
        queries.report(ANONYMOUS, opened.number)
    info = queries.report(agent_of("habitat"), opened.number)
    assert (info.case.category, info.use_case, dict(info.private_details)) == (
        "insalubrite",
        "1-03",
        {"desordres": "eau"},
    )
    assert "report.reclassified" in _told(opened.number)


def test_a_report_is_given_to_an_agent_of_its_service(town: str) -> None:
    person = make_person(Role.AGENT)
    opened = send()
    with pytest.raises(BadCase, match="proprete"):
        cases.assign_case(number=opened.number, to=agent_of("voirie", person=person), by=CLEANER, at=LATER)
    cases.assign_case(number=opened.number, to=agent_of("proprete", person=person), by=CLEANER, at=LATER)
    mine = queries.queue(CLEANER, TOWN, ReportFilter(assignee=person), at=LATER)
    assert [one.case.assignee for one in mine.items] == [person]
    assert queries.public_reports(TOWN, ReportFilter(assignee=person), at=LATER).total == 0
    assert queries.report(ANONYMOUS, opened.number).case.assignee is None
    (count,) = case_queries.queue_counts(CLEANER, TOWN, at=LATER + timedelta(days=9))
    assert (count.open, count.late, count.held, count.unassigned) == (1, 1, 0, 0)


def test_counting_a_queue_stops_where_it_says_more(town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST_COUNTED", 2)
    both = agent_of("proprete", "voirie")
    for _ in range(3):
        send()
    send("nid-de-poule")
    counts = case_queries.queue_counts(both, TOWN, at=LATER + timedelta(days=30), kinds=("report",))
    assert [(one.service, one.open, one.late, one.unassigned, one.is_cut) for one in counts] == [
        ("proprete", 2, 2, 2, True),
        ("voirie", 1, 1, 1, False),
    ]
    assert case_queries.queue_counts(ANONYMOUS, TOWN, at=LATER) == []
    (mine, _none) = case_queries.queue_counts(both, TOWN, at=LATER, kinds=("procedure",))
    assert (mine.open, mine.late, mine.held, mine.unassigned) == (0, 0, 0, 0)


def test_one_action_raises_a_zone_alert(town: str) -> None:
    opened = send("pollution", details={"milieu": "eau"})
    alert = {"title": "Pollution", "text": "N’y puisez pas.", "severity": "severe", "zone": square()}
    until = LATER + timedelta(hours=8)
    operations.raise_alert(number=opened.number, until=until, by=CLEANER, at=LATER, **alert)
    (event,) = [one for one in journal.all_events(administrator()) if one.kind == "report.alert_raised"]
    assert (event.kind, event.payload["severity"], event.payload["number"]) == (
        "report.alert_raised",
        "severe",
        opened.number,
    )
    with pytest.raises(BadCase, match="alertes"):
        operations.raise_alert(number=send().number, until=until, by=CLEANER, at=LATER, **alert)
    with pytest.raises(BadCase, match="fin"):
        operations.raise_alert(number=opened.number, until=AT, by=CLEANER, at=LATER, **alert)
    with pytest.raises(Refused):
        operations.raise_alert(number=opened.number, until=until, by=agent_of("voirie"), at=LATER, **alert)


def test_many_at_once_tell_line_by_line(town: str) -> None:
    mine, others = send().number, send("nid-de-poule").number
    lines = operations.for_each(
        [mine, others, mine], lambda number: cases.accept_case(number=number, by=CLEANER, at=LATER)
    )
    assert [(line.number, bool(line.problem)) for line in lines] == [(mine, False), (others, True)]
    with pytest.raises(BeffroiError, match="500"):
        operations.for_each(["x"] * 501, lambda number: None)


# --- Duplicates, lists ------------------------------------------------------------------------------------------------


def test_duplicates_are_sought_by_place_category_time_and_words(town: str) -> None:
    near = send("depot-sauvage", lon=LON + 0.0001, description="Vieux matelas taché")
    send("depot-sauvage", lon=LON + 0.002)
    kin = send("corbeille-pleine", description="Vieux matelas taché")
    send("nid-de-poule")
    closed = send("depot-sauvage").number
    operations.close_report(number=closed, outcome=Outcome.DONE, reason="Fait", by=CLEANER, at=AT)
    found = queries.similar_reports(
        ANONYMOUS, TOWN, category="depot-sauvage", lon=LON, lat=LAT, at=AT, text="un vieux matelas"
    )
    assert [one.report.number for one in found] == [near.number, kin.number]
    assert found[0].distance_m == pytest.approx(8, abs=1)
    own = queries.duplicates_of(CLEANER, near.number)
    assert [one.report.number for one in own] == [kin.number]
    assert queries.duplicates_of(ANONYMOUS, near.number) == []


def test_lists_are_filtered_and_paged(town: str) -> None:
    for hour in range(5):
        send("depot-sauvage", hours=hour, address=f"{hour} rue du Four")
    hole = send("nid-de-poule", lon=LON + 0.01, hours=9)
    page = queries.public_reports(TOWN, at=LATER, size=4)
    assert (page.total, len(page.items), page.has_more) == (6, 4, True)
    assert page.items[0].number == hole.number
    assert not queries.public_reports(TOWN, at=LATER, size=4, page=2).has_more

    def total(**wanted: object) -> int:
        return queries.public_reports(TOWN, ReportFilter(**wanted), at=LATER + timedelta(days=3)).total

    from beffroi.base.kernel.geo import BBox

    assert total(categories=("nid-de-poule",)) == 1
    assert total(street="Rue du Four") == 5
    assert total(bbox=BBox(LON + 0.005, LAT - 0.01, LON + 0.02, LAT + 0.01)) == 1
    assert total(since=AT + timedelta(hours=4)) == 2
    assert total(until=AT + timedelta(hours=4)) == 4
    assert total(late=True) == 5
    assert total(statuses=("closed",)) == 0
    assert total(statuses=("open",)) == 6
    assert total(numbers=(hole.number,)) == 1
    with pytest.raises(BadCase, match="open, closed"):
        total(statuses=("ouvert",))
    wanted = ReportFilter(categories=("a",), bbox=BBox(1, 2, 3, 4), since=AT, late=True)
    assert ReportFilter.from_json(wanted.as_json()) == wanted


def test_pages_cost_the_same_number_of_queries(town: str, django_assert_num_queries: object) -> None:
    for _ in range(3):
        send(photos=(photo(),))
    with django_assert_num_queries(6):  # type: ignore[operator]
        queries.queue(CLEANER, TOWN, at=LATER, size=1)
    with django_assert_num_queries(6):  # type: ignore[operator]
        queries.queue(CLEANER, TOWN, at=LATER, size=50)


def test_the_following_report_is_read_at_its_place(town: str, django_assert_num_queries: Any) -> None:
    agent = agent_of("proprete", "voirie")
    opened = [send(category, hours=hour).number for hour, category in enumerate(["depot-sauvage", "nid-de-poule"] * 3)]
    others = send("squat").number
    order = [one.number for one in queries.queue(agent, TOWN, at=LATER).items]
    assert sorted(order) == sorted(opened)
    with django_assert_num_queries(2 + 1):
        assert queries.following(agent, TOWN, after=order[0], at=LATER) == order[1]
    after = [queries.following(agent, TOWN, after=number, at=LATER) for number in order]
    assert after == [*order[1:], None]
    # Closed, it keeps its place; what is not hers, or nothing, leads to the head.
    info = queries.report(agent, order[1])
    operations.close_report(number=info.number, outcome=Outcome.DONE, reason="Fait", by=agent, at=LATER)
    assert queries.following(agent, TOWN, after=order[1], at=LATER) == order[2]
    assert queries.following(agent, TOWN, after=order[0], at=LATER) == order[2]
    for nothing in (others, "", "AAA-AAAA", "\0"):
        assert queries.following(agent, TOWN, after=nothing, at=LATER) == order[0]
    wanted = ReportFilter(categories=("nid-de-poule",))
    holes = [one.number for one in queries.queue(agent, TOWN, wanted, at=LATER).items]
    assert queries.following(agent, TOWN, wanted, after=holes[0], at=LATER) == holes[1]
    assert queries.following(ANONYMOUS, TOWN, after=order[0], at=LATER) is None


def test_counts_of_queues_cost_two_queries(town: str, django_assert_num_queries: Any) -> None:
    send("depot-sauvage")
    send("nid-de-poule")
    held = send("nid-de-poule").number
    agent = agent_of("proprete", "voirie")
    cases.hold_case(number=held, by=agent, at=LATER, text="Douteux")
    with django_assert_num_queries(2):
        counts = case_queries.queue_counts(agent, TOWN, at=LATER, kinds=("report",))
    assert [(one.service, one.open, one.held, one.unassigned) for one in counts] == [
        ("proprete", 1, 0, 1),
        ("voirie", 1, 1, 1),
    ]
    assert case_queries.queue_counts(agent, TOWN, at=LATER, kinds=("permit",))[0].open == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="its planner is the one that must be shown the index")
def test_sqlite_counts_the_queue_by_its_index(town: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        case_queries.queue_counts(CLEANER, TOWN, at=LATER, kinds=("report",))
    with connection.cursor() as cursor:
        plans = [cursor.execute(f"EXPLAIN QUERY PLAN {one['sql']}").fetchall() for one in asked.captured_queries]
    assert "INDEX case_waiting" in str(plans[1])
