"""G-08, several communes on one installation: side by side, and each behind its own doors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.catalogue import counting, operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import operations as territory
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import operations as lake
from beffroi.lake import queries as lake_queries
from beffroi.lake import serving
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from faces.portal.small_town import AT, CODE, SOURCES
from territory_makers import make_key, make_person, make_town

pytestmark = pytest.mark.django_db

PAGE = "/elu/communes/"
OTHER, OTHER_NAME = "00002", "Le Hameau d’à côté"
SIREN, GROUPING = "980000004", "Communauté de l’Essai"
PUBLIC = sum(definition.access == "public" for definition, _name, _content in SOURCES)


@pytest.fixture
def grouping(small_town: str, small_lake: Path, tmp_path: Path, settings: Any) -> Iterator[str]:
    """The small town and a neighbour that publishes one dataset, in one grouping."""
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = CODE
    settings.LAKE_DIR = tmp_path / "lake"
    shutil.copytree(small_lake, settings.LAKE_DIR)
    source = tmp_path / "lavoirs.csv"
    source.write_text("nom;annee\nLavoir du haut;1871\nLavoir du bas;1902\n", encoding="utf-8")
    definition = Definition("lavoirs", title="Lavoirs")
    lake.import_source(source, territory=make_town(OTHER, OTHER_NAME, population=95), definition=definition, at=AT)
    territory.add_grouping(siren=SIREN, name=GROUPING, at=AT, kind="CC", members=[CODE, OTHER])
    yield SIREN
    serving.close_all()


def someone(*roles: Role, of: str) -> Client:
    client = Client()
    person = get_user_model().objects.get(pk=make_person(*roles, territory=of))
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def lines(client: Client) -> dict[str, Any]:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    (group,) = answer.context["groups"]
    return {line.commune.code: line for line in group.lines}


def test_an_epci_sees_its_communes_side_by_side(grouping: str, settings: Any) -> None:
    settings.DEFAULT_COMMUNE = SIREN
    client = someone(Role.ELECTED, of=SIREN)
    shown = lines(client)
    assert {code: (line.commune.population, line.datasets) for code, line in shown.items()} == {
        CODE: (812, PUBLIC),
        OTHER: (95, 1),
    }
    assert (shown[OTHER].rows, shown[OTHER].latest.title) == (2, "Lavoirs")
    page = client.get(PAGE).content.decode()
    assert page.index("Bourg-l’Essai") < page.index(OTHER_NAME)
    assert "Sources. Habitants" in page
    assert "lac de données, au" in page
    (group,) = client.get(PAGE).context["groups"]
    assert (group.population, group.datasets) == (907, PUBLIC + 1)


def test_those_of_a_commune_see_it_beside_its_neighbours(grouping: str) -> None:
    client = someone(Role.ELECTED, of=CODE)
    assert f'href="{PAGE}"' in client.get("/elu/").content.decode()
    shown = lines(client)
    assert (shown[CODE].is_here, shown[OTHER].is_here) == (True, False)


def test_data_reserved_to_the_agents_of_a_commune_are_not_even_counted_for_others(grouping: str, settings: Any) -> None:
    assert lines(someone(Role.AGENT, of=CODE))[CODE].datasets == PUBLIC + 1
    settings.DEFAULT_COMMUNE = OTHER
    assert lines(someone(Role.AGENT, of=OTHER))[CODE].datasets == PUBLIC
    # Being an agent of the grouping opens nothing of its members.
    settings.DEFAULT_COMMUNE = SIREN
    assert lines(someone(Role.AGENT, of=SIREN))[CODE].datasets == PUBLIC


@pytest.mark.parametrize("of", [OTHER, SIREN])
@pytest.mark.parametrize(
    "address", [PAGE, "/agent/", "/agent/depots/", "/agent/usages/", "/agent/journal/", "/agent/personnes/"]
)
def test_staff_of_elsewhere_is_refused_at_every_door(of: str, address: str, grouping: str) -> None:
    client = someone(Role.AGENT, Role.ADMINISTRATOR, of=of)
    assert client.get(address).status_code == 403
    assert someone(Role.AGENT, Role.ADMINISTRATOR, of=CODE).get(address).status_code == 200


def test_staff_of_elsewhere_changes_nothing(grouping: str) -> None:
    client = someone(Role.AGENT, Role.ADMINISTRATOR, of=OTHER)
    assert client.post("/agent/usages/G-07/etat/", {"state": "retired", "reason": "Pour voir"}).status_code == 403
    assert client.post("/agent/depots/", {"file": BytesIO(b"a,b\n1,2\n")}).status_code == 403
    assert queries.state_of("G-07", CODE) is State.LIVE
    assert client.get(f"/donnees/{CODE}/astreintes/").status_code == 404
    key = make_key("catalogue:write", "data:write", territory=OTHER, days=36500)
    answer = client.put(
        f"/api/catalogue/G-07/state?territory={CODE}",
        {"state": "retired", "reason": "Pour voir"},
        "application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 403
    assert queries.state_of("G-07", CODE) is State.LIVE


def test_operations_refuse_by_themselves_whatever_the_page(grouping: str) -> None:
    number = make_person(Role.AGENT, Role.ADMINISTRATOR, territory=OTHER)
    stranger = Viewer(number, (Grant(OTHER, Role.AGENT), Grant(OTHER, Role.ADMINISTRATOR)))
    version = lake_queries.dataset(stranger, DatasetRef(CODE, "arbres")).summary.version
    doors: list[Callable[[], object]] = [
        lambda: lake.stage_upload(stranger, territory=CODE, file=BytesIO(b"a\n1\n"), filename="a.csv", at=AT),
        lambda: lake.restore_version(stranger, DatasetRef(CODE, "arbres"), version, at=AT),
        lambda: operations.set_state("G-07", State.RETIRED, territory=CODE, by=stranger, at=AT, reason="Pour voir"),
        lambda: territories.people(stranger, CODE),
        lambda: territories.api_keys(stranger, CODE),
    ]
    for door in doors:
        with pytest.raises(Refused):
            door()
    with pytest.raises(DatasetNotFound):
        lake_queries.dataset(stranger, DatasetRef(CODE, "astreintes"))


def test_a_commune_alone_is_told_so(small_town: str, signed_in: Callable[..., Client]) -> None:
    client = signed_in(Role.ELECTED)
    assert "n’appartient à aucun groupement" in client.get(PAGE).content.decode()
    assert f'href="{PAGE}"' not in client.get("/elu/").content.decode()


def test_its_use_is_counted(grouping: str) -> None:
    counting.BUFFER._counts.clear()
    someone(Role.ELECTED, of=CODE).get(PAGE)
    operations.flush_usage()
    today = datetime.now(UTC)
    assert queries.usage_totals(CODE, since=date(today.year, 1, 1)) == {"G-08": 1}
