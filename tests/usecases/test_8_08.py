"""8-08: « IRVE static+dynamic ». The state of each point is asked of a real server, believed only while it is young."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.mobility.charging import dynamic, queries
from beffroi.sense.mobility.charging.dynamic import BadDynamic, State
from beffroi.sense.mobility.charging.polling import KIND, poll
from beffroi.sense.mobility.charging.sources import sources
from beffroi.sense.mobility.models import LiveMessage
from faces.portal.small_town import AT, CODE
from sense.mobility.transit_feeds import Network, network_server
from usecases.reading import text_of

HEAD = "id_pdc_itinerance,etat_pdc,occupation_pdc,horodatage,etat_prise_type_2,etat_prise_type_combo_ccs,etat_prise_type_chademo,etat_prise_type_ef"  # noqa: E501
REF = DatasetRef(CODE, "bornes-recharge")
STATIC = (
    "nom_operateur,nom_enseigne,id_station_itinerance,nom_station,adresse_station,implantation_station,coordonneesXY,"
    "nbre_pdc,id_pdc_itinerance,puissance_nominale,prise_type_ef,prise_type_2,prise_type_combo_ccs,prise_type_chademo,"
    "prise_type_autre,gratuit,tarification,condition_acces,horaires,accessibilite_pmr,station_deux_roues,date_maj"
)


def static() -> str:
    def row(station: str, point: str, power: float, plugs: str, place: str, *, free: str = "false") -> str:
        return (
            f'Régie,Onde,FRZ00P{station},Station {station},{station} Grande Rue,Voirie,"[{place}]",2,FRZ00E{point},'
            f'{power},{plugs},{free},"0,35 € / kWh",Accès libre,24/7,Accessibilité inconnue,false,2026-01-01'
        )

    slow, fast = "true,true,false,false,false", "false,true,true,false,false"
    return "\n".join([
        STATIC, row("A", "A1", 22, slow, "3.0032,45.0089"), row("A", "A2", 22, slow, "3.0032,45.0089"),
        row("B", "B1", 150, fast, "3.0100,45.0020"), row("C", "C1", 7.4, slow, "3.0150,45.0100", free="true"),
    ]) + "\n"  # fmt: skip


def states(at: Any, *rows: str) -> bytes:
    return "\n".join([HEAD, *(one.replace("@", at.isoformat()) for one in rows)]).encode()


def test_the_file_of_the_schema_reads_and_what_is_none_is_refused() -> None:
    # The example that the schema publishes, version 2.3 and after: a column more changes nothing.
    told = dynamic.read(
        f"{HEAD},etat_prise_type_mcs\nFRA68P68021001,en_service,libre,2022-10-18T12:35:49Z,fonctionnel,hors_service,,"
        "fonctionnel,\n".encode(), where="",
    )  # fmt: skip
    (one,) = told.values()
    assert (one.state, one.at.isoformat(), one.broken) == (
        State.FREE, "2022-10-18T12:35:49+00:00", frozenset({"combo_ccs"}),
    )  # fmt: skip
    # Of two rows for a point, the last reported; one without an instant tells nothing.
    twice = states(AT, "P1,en_service,occupe,@,,,,", "P2,en_service,libre,hier,,,,").decode()
    twice += "\nP1,en_service,libre,2020-01-01T00:00:00Z,,,,"
    assert {key: value.state for key, value in dynamic.read(twice.encode(), where="").items()} == {"P1": State.BUSY}
    for content in (b"<html>", b"a,b\n1,2\n", b"\xff\xfe"):
        with pytest.raises(BadDynamic):
            dynamic.read(content, where="")


@pytest.fixture(scope="module")
def server() -> Iterator[Network]:
    with network_server() as running:
        yield running


@pytest.fixture(scope="module")
def charged_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bornes")
    (folder / "irve.csv").write_text(static(), encoding="utf-8")
    done = import_source(
        folder / "irve.csv", territory=CODE, slug="bornes-recharge", at=AT, lake=folder / "lake", announce=False,
        definition=definition_named("bornes-recharge", "", load_definitions()[0]),
    )  # fmt: skip
    assert done.version, done.reason
    return folder / "lake"


@pytest.fixture
def town(charged_lake: Path, server: Network, small_town: str, settings: Any, tmp_path: Path) -> str:
    settings.LAKE_DIR, settings.DATA_DIR = charged_lake, tmp_path
    (tmp_path / "bornes").mkdir()
    (tmp_path / "bornes" / "onde.toml").write_text(
        f'territory = "{CODE}"\nname = "Onde"\nurl = "{server.address("irve.csv")}"\nholds_min = 20\n', encoding="utf-8"
    )
    return small_town


@pytest.mark.django_db
def test_a_point_is_free_only_while_its_state_is_young(town: str, server: Network) -> None:
    at = now()
    server.tell("irve.csv", states(
        at, "FRZ00EA1,en_service,libre,@,,,,", "FRZ00EA2,en_service,reserve,@,,,,",
        "FRZ00EB1,en_service,libre,@,fonctionnel,hors_service,,",
    ))  # fmt: skip
    assert poll(at) == 1
    found = {one.name: one for one in queries.stations(ANONYMOUS, REF, at=at + timedelta(minutes=19))}
    assert [point.state for point in found["Station A"].points] == [State.FREE, State.BUSY]
    # A plug that is out of order is no plug of the point; a station nobody tells of is unknown.
    assert found["Station B"].plugs == ("2",)
    assert (found["Station C"].state, found["Station C"].told_at) == (State.UNKNOWN, None)
    late = queries.stations(ANONYMOUS, REF, at=at + timedelta(minutes=21))
    assert {one.state for one in late} == {State.UNKNOWN}
    # Asked again in its turn; a page in place of the file changes nothing but what is said of it.
    assert poll(at + timedelta(seconds=60)) == 0
    server.tell("irve.csv", b"<html>panne</html>")
    assert poll(at + timedelta(seconds=121)) == 0
    assert LiveMessage.objects.get(kind=KIND).failures == 1
    assert queries.stations(ANONYMOUS, REF, at=at)[0].points[0].state is State.FREE


@pytest.mark.django_db
def test_one_finds_a_free_point_for_ones_plug_near_an_address(town: str, server: Network, client: Client) -> None:
    at = now()
    server.tell("irve.csv", states(
        at, "FRZ00EA1,en_service,libre,@,,,,", "FRZ00EA2,hors_service,libre,@,,,,", "FRZ00EB1,en_service,occupe,@,,,,",
    ))  # fmt: skip
    poll(at)
    page = client.get("/bornes/?chez=3.0101,45.0020")
    assert [line.name for line in page.context["lines"]] == ["Station B", "Station A", "Station C"]
    lines = {line.name: line for line in page.context["lines"]}
    assert lines["Station A"].state.startswith("1 point libre sur 2, dit à ")
    assert (lines["Station B"].state.split(",")[0], lines["Station C"].state) == (
        "aucun point libre sur 1",
        "état inconnu",
    )
    told = text_of(page)
    for words in (
        "Opérateur Régie (Onde)",
        "22 kW · Type 2, Prise domestique (E/F) · libre",
        "0,35 € / kWh",
        "gratuit",
    ):
        assert words in told
    assert [line.name for line in client.get("/bornes/?prise=combo_ccs&puissance=50").context["lines"]] == ["Station B"]
    assert [line.name for line in client.get("/bornes/?libre=on").context["lines"]] == ["Station A"]
    assert client.get("/bornes/?libre=on&prise=combo_ccs").context["lines"] == []
    features = client.get("/bornes/carte.geojson").json()["features"]
    assert sorted(one["properties"]["etat"] for one in features) == ["inconnu", "libre", "occupe"]


@pytest.mark.django_db
def test_a_town_without_a_dynamic_file_says_the_state_unknown(town: str, client: Client, tmp_path: Path) -> None:
    (tmp_path / "bornes" / "onde.toml").write_text('territory = "00001"\nname = "X"\nurl = "ftp://x"\n')
    found, faults = sources(CODE)
    assert (found, [fault.where for fault in faults]) == ([], ["bornes/onde.toml"])
    page = text_of(client.get("/bornes/"))
    assert "l’état est dit inconnu" in page
    assert "état inconnu" in page
