"""A commune switches its use cases, sees how much they serve, hears its pilots, and loses nothing on retiring one."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.signals import request_finished

import warm
from beffroi.base.catalogue import counting, events, operations, queries
from beffroi.base.catalogue.definition import Audience, State, UseCaseNotFound
from beffroi.base.catalogue.exporting import exported
from beffroi.base.catalogue.models import UseCaseState, UseCaseUsage
from beffroi.base.catalogue.operations import BadRemark, StateRefused
from beffroi.base.journal.models import Event
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from pilots import DRAFT_WITHOUT_ENGINE
from pilots import g_03_is_a_pilot as g_03_is_a_pilot

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOWN = "34172"
PILOT = "G-03"

pytestmark = pytest.mark.django_db


def _viewer(*roles: Role, territory: str = TOWN, person_id: int | None = None) -> Viewer:
    return Viewer(person_id, tuple(Grant(territory, role) for role in roles))


@pytest.fixture(autouse=True)
def _empty_buffer() -> None:
    counting.BUFFER._counts.clear()


@pytest.fixture
def administrator() -> Viewer:
    person = Person.objects.create_user("admin@ville.example")
    return _viewer(Role.ADMINISTRATOR, person_id=person.pk)


def _to(*states: State, at: datetime = AT) -> None:
    for state in states:
        operations.set_state(PILOT, state, territory=TOWN, by=None, at=at, reason="Essai")


# --- States ----------------------------------------------------------------------------------------------------------


def test_a_change_of_state_is_kept_with_its_author_and_journaled(administrator: Viewer) -> None:
    operations.set_state(PILOT, State.LIVE, territory=TOWN, by=administrator, at=AT)
    (decision,) = queries.decisions(PILOT, TOWN)
    assert (decision.state, decision.since, decision.by, decision.number) == (
        State.LIVE,
        AT,
        administrator.person_id,
        1,
    )
    assert queries.state_of(PILOT, TOWN) is State.LIVE
    event = Event.objects.get(kind=events.STATE_CHANGED)
    assert event.subject == "use-case:34172/G-03"
    assert event.payload == {"use_case": PILOT, "from": "pilot", "to": "live", "reason": ""}
    assert (event.actor, event.territory) == (administrator.person_id, TOWN)


def test_the_state_of_one_commune_is_not_that_of_another() -> None:
    _to(State.LIVE)
    assert queries.state_of(PILOT, "34057") is State.PILOT
    assert queries.use_case(PILOT, territory=TOWN).state is State.LIVE


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ([State.LIVE, State.DRAFT], "on ne passe pas de « live » à « draft »"),
        ([State.DRAFT, State.LIVE], "on ne passe pas de « draft » à « live »"),
        ([State.RETIRED, State.DRAFT], "on ne passe pas de « retired » à « draft »"),
    ],
)
def test_a_path_that_does_not_exist_is_refused_with_those_that_do(path: list[State], reason: str) -> None:
    with pytest.raises(StateRefused, match=reason) as refused:
        _to(*path)
    assert "états possibles : " in str(refused.value)


@pytest.mark.parametrize(("reached", "wanted"), [([], State.RETIRED), ([], State.DRAFT), ([State.LIVE], State.PILOT)])
def test_going_back_or_retiring_needs_a_reason(reached: list[State], wanted: State) -> None:
    _to(*reached)
    with pytest.raises(StateRefused, match="il manque le motif"):
        operations.set_state(PILOT, wanted, territory=TOWN, by=None, at=AT, reason="  ")


def test_a_use_case_without_engine_stays_in_draft() -> None:
    with pytest.raises(StateRefused, match="n’est pas encore installé"):
        operations.set_state(DRAFT_WITHOUT_ENGINE, State.PILOT, territory=TOWN, by=None, at=AT)
    # Even if a decision of another day, when the engine was there, says otherwise.
    UseCaseState.objects.create(territory=TOWN, use_case=DRAFT_WITHOUT_ENGINE, number=1, state="live", since=AT)
    assert queries.state_of(DRAFT_WITHOUT_ENGINE, TOWN) is State.DRAFT


def test_a_use_case_whose_file_does_not_set_its_engine_stays_in_draft() -> None:
    with pytest.raises(StateRefused, match=r"table \[bookings\]") as refused:
        operations.set_state("3-09", State.PILOT, territory=TOWN, by=None, at=AT)
    assert "usecases/3/3-09-cours-de-sport.toml" in str(refused.value)


def test_asking_for_the_present_state_changes_nothing() -> None:
    assert operations.set_state(PILOT, State.PILOT, territory=TOWN, by=None, at=AT) == 0
    assert not Event.objects.exists()


def test_an_unknown_use_case_is_not_found() -> None:
    with pytest.raises(UseCaseNotFound, match="aucun usage ne porte l’identifiant « 99-99 »"):
        operations.set_state("99-99", State.LIVE, territory=TOWN, by=None, at=AT)


@pytest.mark.parametrize(
    "viewer",
    [
        ANONYMOUS,
        _viewer(Role.AGENT),
        _viewer(Role.ELECTED),
        _viewer(Role.ADMINISTRATOR, territory="34057"),
        Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:write"})),
        Viewer(None, (Grant("34057", Role.AGENT),), frozenset({"catalogue:write"})),
    ],
)
def test_only_administrators_of_the_commune_switch(viewer: Viewer) -> None:
    with pytest.raises(Refused, match="réservé aux administrateurs"):
        operations.set_state(PILOT, State.LIVE, territory=TOWN, by=viewer, at=AT)
    with pytest.raises(Refused, match="réservé aux administrateurs"):
        operations.undo_state(PILOT, number=1, territory=TOWN, by=viewer, at=AT)
    assert not UseCaseState.objects.exists()


def test_a_key_given_the_right_to_switch_may() -> None:
    key = Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"catalogue:write"}))
    assert operations.set_state(PILOT, State.LIVE, territory=TOWN, by=key, at=AT) == 1


def test_the_last_decision_can_be_taken_back_and_only_the_last() -> None:
    _to(State.LIVE, State.RETIRED)
    assert operations.undo_state(PILOT, number=2, territory=TOWN, by=None, at=AT) == 3
    assert queries.state_of(PILOT, TOWN) is State.LIVE
    with pytest.raises(StateRefused, match="n’est plus la dernière"):
        operations.undo_state(PILOT, number=2, territory=TOWN, by=None, at=AT)


def test_the_first_decision_taken_back_gives_the_file_s_own_state() -> None:
    _to(State.LIVE)
    operations.undo_state(PILOT, number=1, territory=TOWN, by=None, at=AT)
    assert queries.state_of(PILOT, TOWN) is State.PILOT


def test_of_two_decisions_taken_at_once_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _to(State.LIVE)
    seen = UseCaseState.objects.filter(pk=0).order_by("-number")
    monkeypatch.setattr(operations.UseCaseState.objects, "filter", lambda **_: seen)
    monkeypatch.setattr(queries, "state_of", lambda *_: State.LIVE)
    with pytest.raises(StateRefused, match="quelqu’un vient de changer"):
        operations.set_state(PILOT, State.RETIRED, territory=TOWN, by=None, at=AT, reason="Essai")
    monkeypatch.undo()
    assert queries.state_of(PILOT, TOWN) is State.LIVE


def test_lists_are_cut_by_audience_workshop_engine_and_state() -> None:
    everything = queries.use_cases(territory=TOWN)
    assert len(everything) == 227
    pilots = queries.use_cases(territory=TOWN, states=[State.PILOT])
    assert PILOT in [view.use_case.id for view in pilots]
    assert {view.state for view in pilots} == {State.PILOT}
    assert {view.use_case.workshop for view in queries.use_cases(workshop=7)} == {7}
    assert all("reports" in view.use_case.engines for view in queries.use_cases(engine_name="reports"))
    elected = queries.use_cases(audience=Audience.ELECTED, theme="mobilites")
    assert elected
    assert all(Audience.ELECTED in view.use_case.audience for view in elected)


def test_a_list_costs_one_query(django_assert_num_queries: object) -> None:
    queries.catalogue()
    with django_assert_num_queries(1):  # type: ignore[operator]
        queries.use_cases(territory=TOWN)


# --- Usage -----------------------------------------------------------------------------------------------------------


def test_uses_are_counted_per_day_and_public_without_anyone() -> None:
    for _ in range(3):
        operations.count_use(PILOT, TOWN, AT)
    operations.count_use(PILOT, TOWN, AT, audience=Audience.AGENT)
    operations.count_use(PILOT, TOWN, AT + timedelta(days=2))
    assert operations.flush_usage() == 5
    curve = queries.usage(PILOT, territory=TOWN, first=date(2026, 3, 1), last=date(2026, 3, 4))
    assert [day.total for day in curve] == [0, 4, 0, 1]
    assert curve[1].by_audience == {Audience.RESIDENT: 3, Audience.AGENT: 1}
    assert {field.name for field in UseCaseUsage._meta.get_fields()} == {
        "id",
        "day",
        "use_case",
        "territory",
        "audience",
        "count",
    }


def test_counts_add_up_over_several_flushes_and_belong_to_the_day_in_paris() -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # 00:30 the next day in Paris
    for _ in range(2):
        operations.count_use(PILOT, TOWN, late)
        operations.flush_usage()
    assert queries.usage_totals(TOWN, since=date(2026, 3, 3)) == {PILOT: 2}


def test_an_unknown_id_is_not_counted() -> None:
    operations.count_use("9-999", TOWN, AT)
    assert operations.flush_usage() == 0


def test_counting_asks_nothing_of_the_registry(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        operations.count_use(PILOT, TOWN, AT)


def test_counts_are_written_after_a_page_once_they_have_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(counting.BUFFER, "_tick", lambda: now[0])
    counting.BUFFER._since = None
    operations.count_use(PILOT, TOWN, AT)
    counting.flush_when_due()
    assert not UseCaseUsage.objects.exists()
    now[0] = counting.FLUSH_AFTER_S
    counting.flush_when_due()
    assert UseCaseUsage.objects.get().count == 1
    # Django sends this signal when a response has been sent and closed.
    assert counting.flush_when_due in request_finished._live_receivers(None)[0]


def test_a_failed_write_holds_the_counts_for_the_next() -> None:
    written: list[Counter[counting.Key]] = []

    def write(counts: Counter[counting.Key]) -> None:
        written.append(counts)
        if len(written) == 1:
            raise RuntimeError("the registry is away")

    buffer = counting.UsageBuffer(write)
    key = (TOWN, PILOT, AT.date(), "citoyen")
    buffer.add(key)
    with pytest.raises(RuntimeError):
        buffer.flush()
    buffer.add(key)
    assert buffer.flush() == 2
    assert written[1] == {key: 2}


@pytest.mark.slow
@pytest.mark.parametrize("registry", ["sqlite_registry", "postgresql_registry"])
def test_processes_that_write_together_lose_nothing(registry: str, request: pytest.FixtureRequest) -> None:
    environment = request.getfixturevalue(registry)
    code = (
        "from beffroi.config.cli import start_django; start_django()\n"
        "from beffroi.base.catalogue.operations import count_use, flush_usage\n"
        "from datetime import UTC, datetime\n"
        "at = datetime(2026, 3, 2, 9, tzinfo=UTC)\n"
        "for _ in range(20):\n"
        "    for use_case in ('G-03', '1-01', '1-02'):\n"
        "        count_use(use_case, '34172', at)\n"
        "    flush_usage()\n"
    )
    running = [warm.start("-c", code, env=environment) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    ask = (
        "from beffroi.config.cli import start_django; start_django()\n"
        "from beffroi.base.catalogue.queries import usage_totals; from datetime import date\n"
        "print(sorted(usage_totals('34172', since=date(2026, 3, 2)).items()))"
    )
    told = warm.run("-c", ask, env=environment, check=True)
    assert told.stdout.strip() == "[('1-01', 60), ('1-02', 60), ('G-03', 60)]"


@pytest.mark.slow
def test_a_forked_worker_that_stops_writes_what_it_held(sqlite_registry: dict[str, str]) -> None:
    code = (
        "from beffroi.config.cli import start_django; start_django()\n"
        "import multiprocessing\n"
        "from datetime import UTC, datetime\n"
        "from beffroi.base.catalogue.operations import count_use\n"
        "from beffroi.base.catalogue.queries import usage_totals\n"
        "at = datetime(2026, 3, 2, 9, tzinfo=UTC)\n"
        "worker = multiprocessing.get_context('fork').Process(target=count_use, args=('G-03', '34172', at))\n"
        "worker.start(); worker.join()\n"
        "print(usage_totals('34172', since=at.date()))"
    )
    told = warm.run("-c", code, env=sqlite_registry, check=True)
    assert told.stdout.strip() == "{'G-03': 1}"


@pytest.mark.parametrize(
    ("viewer", "audience"),
    [
        (ANONYMOUS, Audience.RESIDENT),
        (_viewer(Role.RESIDENT), Audience.RESIDENT),
        (_viewer(Role.ADMINISTRATOR), Audience.AGENT),
        (_viewer(Role.AGENT, Role.ELECTED), Audience.ELECTED),
        (_viewer(Role.AGENT, territory="34057"), Audience.RESIDENT),
    ],
)
def test_a_viewer_counts_in_one_class_of_public(viewer: Viewer, audience: Audience) -> None:
    assert queries.audience_of(viewer, TOWN) is audience


# --- Remarks and export ----------------------------------------------------------------------------------------------


def test_a_pilot_hears_remarks_and_its_agents_read_them() -> None:
    number = operations.add_remark(PILOT, territory=TOWN, text=" Trop\x00 petit. ", person=None, at=AT)
    (remark,) = queries.remarks(_viewer(Role.AGENT), PILOT, TOWN)
    assert (remark.id, remark.text, remark.person) == (number, "Trop petit.", None)
    assert queries.remark_counts(TOWN) == {PILOT: 1}
    assert "petit" not in str(Event.objects.get(kind=events.REMARK_ADDED).payload)
    with pytest.raises(Refused):
        queries.remarks(ANONYMOUS, PILOT, TOWN)


@pytest.mark.parametrize(("text", "reason"), [("  ", "de 1 à 2000"), ("x" * 2001, r"\(la vôtre : 2001\)")])
def test_a_remark_has_a_size(text: str, reason: str) -> None:
    with pytest.raises(BadRemark, match=reason):
        operations.add_remark(PILOT, territory=TOWN, text=text, person=None, at=AT)


def test_only_pilots_take_remarks() -> None:
    _to(State.LIVE)
    with pytest.raises(BadRemark, match="n’est pas en pilote"):
        operations.add_remark(PILOT, territory=TOWN, text="Bien.", person=None, at=AT)


def test_an_export_holds_all_and_names_nobody() -> None:
    person = Person.objects.create_user("amina@ville.example", name="Amina Diallo")
    operations.add_remark(PILOT, territory=TOWN, text="=1+1 oui", person=person.pk, at=AT)
    operations.count_use(PILOT, TOWN, AT)
    operations.flush_usage()
    _to(State.RETIRED)
    archive = zipfile.ZipFile(io.BytesIO(exported(_viewer(Role.AGENT), PILOT, TOWN, at=AT)))
    texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    assert sorted(texts) == ["decisions.csv", "frequentation.csv", "remarques.csv", "usage.json"]
    rows = {
        name: list(csv.reader(io.StringIO(text), delimiter=";"))
        for name, text in texts.items()
        if name.endswith(".csv")
    }
    assert rows["frequentation.csv"][1] == ["2026-03-02", "citoyen", "1"]
    assert rows["decisions.csv"][1][1] == "retired"
    # A spreadsheet must not run what someone typed.
    assert rows["remarques.csv"][1][1] == "'=1+1 oui"
    assert "Amina" not in "".join(texts.values())
    with pytest.raises(Refused):
        exported(_viewer(Role.RESIDENT), PILOT, TOWN, at=AT)
