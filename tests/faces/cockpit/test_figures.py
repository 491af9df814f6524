"""The officials' figures: true, few, each with its trend, its source and its page; and who may read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.territory import queries as territory
from beffroi.base.territory.operations import add_grouping, add_service
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.faces.cockpit import counted, figures, reported, views
from beffroi.faces.cockpit.counted import History, month_ends
from beffroi.faces.cockpit.figures import MOST, Asked, Figure, figure_source, town_figures
from beffroi.faces.shell.charts import HEIGHT, MARGIN, Point, line_of
from beffroi.lake import operations as lake
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import DatasetRef
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports.operations import close_report
from faces.portal.small_town import SOUTH, WEST
from serve_makers import file_in_town
from territory_makers import AT, make_town

TODAY = date(2026, 6, 15)
REF = DatasetRef("00001", "arbres")


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_sources", dict(figures._sources))


@pytest.fixture
def asked(small_town: str) -> Asked:
    """An elected official who asks today."""
    viewer = Viewer(1, (Grant(small_town, Role.ELECTED),))
    return Asked(viewer, territory.territory(small_town), timezone.localdate())


def by_title(asked: Asked) -> dict[str, Figure]:
    return {one.title: one for one in town_figures(asked)}


# --- What residents report -------------------------------------------------------------------------------------------


def _filed(asked: Asked, days: int, *, closed_after: int | None) -> None:
    code, at = asked.commune.code, timezone.now() - timedelta(days=days)
    number = file_in_town(code, "depot-sauvage", lon=WEST + 0.009, lat=SOUTH + 0.0096, at=at).number
    if closed_after is not None:
        by = Viewer(None, (Grant(code, Role.AGENT, frozenset({"proprete"})),))
        close_report(number=number, outcome=Outcome.DONE, reason="Fait", by=by, at=at + timedelta(hours=closed_after))


@pytest.mark.django_db
def test_the_share_closed_in_time_is_told_beside_the_one_before_and_opens_its_page(
    asked: Asked, signed_in: Callable[..., Client]
) -> None:
    assert not {"Signalements clos dans le délai", "Signalements reçus"} & by_title(asked).keys()
    add_service(territory=asked.commune.code, slug="proprete", name="Propreté", at=AT)
    for days, hours in ((20, 2), (30, 3), (40, 24 * 15), (60, None), (100, 1), (130, 24 * 15), (170, 1)):
        _filed(asked, days, closed_after=hours)
    kept, received = reported.reports(asked)
    assert (kept.value, kept.unit, kept.comparison) == (67, "%", "67 % les 90 jours d’avant")
    assert kept.note == "3 clos, 1 en retard, sur 4 reçus en 90 jours"
    assert (received.value, received.comparison) == (4, "3 les 90 jours d’avant")
    assert sum(point.value for point in received.trend) == sum(
        timezone.localtime(timezone.now() - timedelta(days=days)).date() < asked.today.replace(day=1)
        for days in (20, 30, 40, 60, 100, 130, 170)
    )
    assert town_figures(asked)[0].title == kept.title
    assert signed_in(Role.ELECTED).get(kept.href).status_code == 200


# --- Trends ----------------------------------------------------------------------------------------------------------


def test_the_version_in_force_on_a_day_is_the_last_before_it() -> None:
    history = History(REF, (date(2026, 1, 10), date(2026, 3, 5)), (100, 120))
    days = (date(2026, 1, 9), date(2026, 1, 10), date(2026, 3, 4), date(2026, 6, 1))
    assert [history.at(day) for day in days] == [
        None, (date(2026, 1, 10), 100), (date(2026, 1, 10), 100), (date(2026, 3, 5), 120),
    ]  # fmt: skip


def test_months_end_on_their_last_day_and_the_present_one_today() -> None:
    assert month_ends(TODAY, 3) == [date(2026, 4, 30), date(2026, 5, 31), TODAY]
    assert len(month_ends(TODAY)) == 12


def test_one_value_is_no_trend_and_the_scale_starts_at_zero() -> None:
    assert line_of([Point("mai", 3)]) is None
    line = line_of([Point("mai", 50), Point("juin", 100)])
    assert line is not None
    assert line.path == f"M5.0 {HEIGHT / 2}L235.0 {MARGIN:.1f}"
    flat = line_of([Point("mai", 0), Point("juin", 0)])
    assert flat is not None
    assert "nan" not in flat.path


@pytest.mark.django_db
def test_rows_are_told_month_by_month_from_the_versions(asked: Asked, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    source = tmp_path / "bancs.csv"
    for months, rows in ((5, 2), (2, 5)):
        source.write_text("nom\n" + "".join(f"Banc {number} {months}\n" for number in range(rows)))
        at = datetime.combine(asked.today, datetime.min.time(), UTC) - timedelta(days=30 * months)
        lake.import_source(source, territory="00001", at=at, announce=False)
    figure = by_title(asked)["Lignes publiées"]
    values = [point.value for point in figure.trend]
    assert figure.value == 5
    assert values[0] == 2
    assert values[-1] == 5
    assert sorted(values) == values
    assert figure.change == 3


@pytest.mark.django_db
def test_usage_is_counted_by_day_and_set_beside_the_month_before(asked: Asked) -> None:
    for days, count in ((3, 8), (20, 4), (40, 6), (59, 1), (70, 90)):
        at = timezone.now() - timedelta(days=days)
        catalogue.count_use("G-07", asked.commune.code, at, count=count)
    catalogue.flush_usage()
    figure = by_title(asked)["Utilisations des services en ligne"]
    assert (figure.value, figure.comparison) == (12, "7 les trente jours d’avant")
    assert sum(point.value for point in figure.trend) == 109


@pytest.mark.django_db
def test_usage_begun_lately_is_compared_with_nothing(asked: Asked) -> None:
    catalogue.count_use("G-07", asked.commune.code, timezone.now() - timedelta(days=9))
    catalogue.flush_usage()
    assert by_title(asked)["Utilisations des services en ligne"].comparison == ""


@pytest.mark.django_db
def test_datasets_are_set_beside_those_of_the_grouping(asked: Asked) -> None:
    make_town("00002", "Le Hameau", fictional=True)
    add_grouping(siren="980000004", name="Communauté", at=AT, members=["00001", "00002"], fictional=True)
    assert by_title(asked)["Jeux de données"].comparison == "0 en médiane dans l’autre commune du groupement"


# --- The page --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_figures_are_few_sourced_and_each_page_opens_to_the_official(
    asked: Asked, signed_in: Callable[..., Client]
) -> None:
    shown = town_figures(asked)
    assert 3 <= len(shown) <= MOST
    assert all(one.source and one.href for one in shown)
    official = signed_in(Role.ELECTED)
    assert {official.get(one.href).status_code for one in shown} == {200}


@pytest.mark.django_db
def test_a_room_adds_its_figure_and_seven_are_shown_at_most(asked: Asked, signed_in: Callable[..., Client]) -> None:
    @figure_source("essai", rank=1)
    def given(asked: Asked) -> Iterator[Figure]:
        yield from (Figure(f"Essai {number}", number, source="Essai", href="/") for number in range(9))

    shown = [one.title for one in town_figures(asked)]
    assert shown[0] == "Essai 0"
    assert len(shown) == MOST
    # The first of each source comes before the second of any.
    assert "Population" in shown
    page = signed_in(Role.ELECTED).get("/elu/").content.decode()
    assert page.count('<li class="figure">') == MOST


@pytest.mark.django_db
def test_the_population_opens_the_census_that_tells_it(asked: Asked, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_DIR = tmp_path / "lake"
    source = tmp_path / "population-iris.csv"
    source.write_text("iris;p22_pop\n001;400\n002;350\n", encoding="utf-8")
    outcome = lake.import_source(
        source, territory=asked.commune.code, at=datetime(2026, 3, 2, 9, tzinfo=UTC), announce=False,
        definition=Definition("population-iris", producer="INSEE"), lake=settings.LAKE_DIR,
    )  # fmt: skip
    assert outcome.version
    (told,) = counted.population(asked)
    assert (told.value, told.source) == (750, "INSEE")
    assert told.href == f"/donnees/{asked.commune.code}/population-iris/tableau/"


@pytest.mark.django_db
def test_what_is_not_known_is_left_out(db: None, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_DIR = tmp_path
    make_town("34172", "Ailleurs")
    shown = town_figures(Asked(ANONYMOUS, territory.territory("34172"), TODAY))
    assert [one.title for one in shown] == ["Services ouverts aux habitants"]


@pytest.mark.django_db
def test_the_officials_are_led_further_only_where_there_is_something(
    asked: Asked, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    official = signed_in(Role.ELECTED)
    monkeypatch.setattr(views, "kinds", lambda code: [])
    before = dict(official.get("/elu/").context["further"])
    assert set(before.values()) == {
        "/vues/elu/",
        "/carte/quartiers/",
        "/agent/signalements/chiffres/",
        "/elu/donnees/",
        "/elu/installation/",
    }
    assert {official.get(url).status_code for url in before.values()} == {200}
    monkeypatch.setattr(views, "kinds", lambda code: [code])
    kept = [SimpleNamespace(kind="indicator")]
    monkeypatch.setattr(views, "crossing", SimpleNamespace(saved_crossings=lambda viewer, code: kept))
    after = dict(official.get("/elu/").context["further"])
    added = set(after.values()) - set(before.values())
    assert added == {"/indicateurs/", "/agent/maraudes/chiffres/"}
    assert {official.get(url).status_code for url in added} == {200}


@pytest.mark.django_db
def test_the_brief_tells_a_trend_from_its_first_value_to_its_last(
    asked: Asked, signed_in: Callable[..., Client]
) -> None:
    @figure_source("essai", rank=1)
    def given(asked: Asked) -> Iterator[Figure]:
        points = (Point("semaine finie le 3 octobre", 12), Point("semaine finie le 10 octobre", 30))
        yield Figure("Essai", 30, source="Essai", href="/", trend=points)

    page = signed_in(Role.ELECTED).get("/elu/note/").content.decode()
    assert "de 12 (semaine finie le 3 octobre) à 30 (semaine finie le 10 octobre)" in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/elu/", "/elu/note/"])
def test_the_cockpit_is_for_elected_officials(
    address: str, small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert client.get(address).status_code == 302
    assert signed_in(Role.RESIDENT).get(address).status_code == 403
    page = signed_in(Role.ELECTED).get(address)
    assert page.status_code == 200
    assert "812" in page.content.decode()


def test_every_source_of_the_house_is_registered() -> None:
    assert {"usage", "services", "datasets", "counted", "population"} <= set(figures._sources)
    assert counted.MONTHS == 12
