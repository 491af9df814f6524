"""1-18, unfit housing.

« restricted layer, publication to citizens is a deliberate, logged act, indicators by block (reports, inspections,
vacancy, energy label) ».
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.journal.queries import EventFilter, events
from beffroi.base.territory.operations import add_service
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Unfit
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.twin.unfit import operations
from beffroi.sense.twin.unfit.queries import (
    BLOCKS,
    UnfitRefused,
    orders,
    publications,
    published,
    town_unfit,
)
from faces.portal.small_town import AT, CODE
from territory_makers import make_person
from usecases.reading import lake_of, text_of

pytestmark = pytest.mark.django_db

WANTED = Unfit()
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
TODAY = date(2026, 3, 4)
ELECTED = Viewer(None, (Grant(CODE, Role.ELECTED),))
OTHER = Viewer(None, (Grant(CODE, Role.AGENT, frozenset({"voirie"})),))
WHY = "Le bâtiment est évacué, les voisins demandent."
# Two parcels that touch are one block; a street of 12 m parts it from the next.
WEST, SOUTH, SIZE, STREET = 3.0, 45.0, 0.0005, 0.00015


def ring(lon: float, lat: float) -> list[list[float]]:
    east, north = lon + SIZE, lat + SIZE
    return [[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]


FIRST = (WEST + SIZE / 2, SOUTH + SIZE / 2)
SECOND = (WEST + 2 * SIZE + STREET + SIZE / 2, SOUTH + SIZE / 2)


def parcels() -> str:
    places = [("A1", WEST), ("A2", WEST + SIZE), ("B1", WEST + 2 * SIZE + STREET)]
    features = [
        {"type": "Feature", "properties": {"id": name, "commune": CODE}, "geometry": shape}
        for name, lon in places
        for shape in [{"type": "Polygon", "coordinates": [ring(lon, SOUTH)]}]
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def at(place: tuple[float, float]) -> str:
    return f"{place[0]:.6f};{place[1]:.6f}"


FILES = "dossier;commune;adresse;motif;gravite;recu_le;plaignant;longitude;latitude\n" + "".join(
    f"HI-{rank};{CODE};{rank} Rue Haute;péril;2;2025-03-0{rank};MARTIN;{at(FIRST if rank < 7 else SECOND)}\n"
    for rank in range(1, 9)
)
VISITS = (
    "visite;dossier;commune;date_visite;constat;adresse;longitude;latitude\n"
    f"VH-1;HI-1;{CODE};2025-04-02;insalubrite;1 Rue Haute;{at(FIRST)}\n"
    f"VH-2;HI-7;{CODE};2025-04-03;rien;7 Rue Haute;{at(SECOND)}\n"
)
ORDERS = (
    "numero;dossier;commune;police;urgence;date_arrete;date_notification;date_mainlevee;logement;adresse;proprietaire;"
    "longitude;latitude\n"
    f"AR-1;HI-1;{CODE};insalubrite;non;2025-05-02;2025-05-12;;porte 14;1 Rue Haute, appartement 4;DUPONT;{at(FIRST)}\n"
    f"AR-2;HI-2;{CODE};securite;oui;2025-06-02;;;;2 Rue Haute;DUPONT;{at(FIRST)}\n"
    f"AR-3;HI-7;{CODE};securite;non;2025-01-02;2025-01-12;2025-09-01;;7 Rue Haute;DUPONT;{at(SECOND)}\n"
)
LOTS = "idlocal;annee;idcom;dteloc;typeact;slocal;ccthp;rnb_id;adresse;longitude;latitude\n" + "".join(
    f"{rank:012d};2025;{CODE};2;;50;{'V' if rank <= 3 else 'P'};AAAABBBBCCCC;1 Rue Haute;{at(FIRST)}\n"
    for rank in range(1, 31)
)
LABELS = (
    "numero_dpe,etiquette_dpe,etiquette_ges,code_insee_ban,coordonnee_cartographique_x_ban,coordonnee_cartographique_y_ban\n"
    + "".join(
        f"2286E013516{rank}Z,{letter},C,{CODE},700019.7,6433446.8\n" for rank, letter in enumerate(("G", "F", "D", "D"))
    )
)


@pytest.fixture(scope="module")
def unfit_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indigne")
    book = "id;numero;nom_voie;code_insee;lon;lat\n" + "".join(
        f"a{rank};{rank};Rue Haute;{CODE};{at(place)}\n" for rank, place in enumerate((FIRST, SECOND))
    )
    sources = {
        "habitat-indigne": ("habitat_indigne.csv", FILES),
        "visites-habitat": ("visites_habitat.csv", VISITS),
        "arretes-habitat": ("arretes_habitat.csv", ORDERS),
        "locaux": ("locaux_00001.csv", LOTS),
        "dpe": ("dpe03existant.csv", LABELS),
        "parcelles": ("cadastre-parcelles.json", parcels()),
        "adresses": ("adresses.csv", book),
    }
    return lake_of(folder, sources, territory=CODE, at=AT)


@pytest.fixture
def town(unfit_lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = unfit_lake
    add_service(territory=CODE, slug="habitat", name="Habitat", at=AT)
    return small_town


@pytest.fixture
def officer(town: str) -> Viewer:
    person = make_person(Role.AGENT, territory=CODE, services=("habitat",), email="habitat@bourg.test")
    return Viewer(person, (Grant(CODE, Role.AGENT, frozenset({"habitat"})),))


def test_indicators_are_counted_by_block(officer: Viewer) -> None:
    found = town_unfit(officer, CODE, WANTED, reported=[FIRST, FIRST, (3.2, 45.2)])
    assert found is not None
    first, second = found.blocks
    assert (first.block.number, first.block.streets) == (1, ("Rue Haute",))
    # The two parcels that touch are one block; an order that was lifted counts no more.
    assert (first.reports, first.files, first.inspections, first.orders) == (2, 6, 1, 2)
    assert (first.known, first.vacant, first.labels, first.leaking) == (30, 3, 4, 2)
    assert (second.reports, second.files, second.inspections, second.orders, second.known) == (0, 2, 1, 0, 0)


def test_small_numbers_are_kept_from_all_but_the_service(town: str) -> None:
    for viewer in (ELECTED, OTHER):
        found = town_unfit(viewer, CODE, WANTED, reported=[FIRST])
        assert found is not None
        # Of the second block nothing reaches five: it is not there; labels are open data.
        (only,) = found.blocks
        assert (only.files, only.reports, only.inspections, only.orders, only.vacant) == (6, None, None, None, None)
        assert only.leaking == 2
        with pytest.raises(UnfitRefused):
            orders(viewer, CODE, WANTED)
    with pytest.raises(UnfitRefused):
        town_unfit(ANONYMOUS, CODE, WANTED)


def test_the_layer_is_restricted(town: str, client: Client, signed_in: Callable[..., Client]) -> None:
    for slug in ("habitat-indigne", "arretes-habitat", "visites-habitat"):
        for viewer in (ANONYMOUS, ELECTED, OTHER):
            with pytest.raises(DatasetNotFound):
                lake.dataset(viewer, DatasetRef(CODE, slug))
    service = Viewer(None, (Grant(CODE, Role.AGENT, frozenset({"habitat"})),))
    columns = {one.key for one in lake.dataset(service, DatasetRef(CODE, "arretes-habitat")).columns}
    assert "proprietaire" not in columns
    for url in ("/habitat-indigne/", "/habitat-indigne/ilots.geojson", "/habitat-indigne/arretes/AR-1/"):
        assert client.get(url).status_code in (302, 401, 403)
    assert client.get("/services/1-18/").context["layers"].datasets == ()
    agent = signed_in(Role.AGENT)
    assert agent.get("/habitat-indigne/arretes/AR-1/").status_code == 403
    page = agent.get("/habitat-indigne/")
    assert "moins de 5" in text_of(page)
    assert "AR-1" not in text_of(page)
    assert "no-store" in page["Cache-Control"]
    shapes = agent.get("/habitat-indigne/ilots.geojson").json()["features"]
    assert [one["properties"]["poids"] for one in shapes] == ["fort"]


def test_an_order_is_published_after_its_notice_and_by_a_reasoned_act(officer: Viewer, client: Client) -> None:
    publish = operations.publish_order
    with pytest.raises(operations.BadPublication, match="notifié"):
        publish(officer, CODE, WANTED, "AR-2", reason=WHY, at=NOW)
    with pytest.raises(operations.BadPublication, match="levé"):
        publish(officer, CODE, WANTED, "AR-3", reason=WHY, at=NOW)
    with pytest.raises(operations.BadPublication, match="pourquoi"):
        publish(officer, CODE, WANTED, "AR-1", reason="non", at=NOW)
    with pytest.raises(UnfitRefused):
        publish(OTHER, CODE, WANTED, "AR-1", reason=WHY, at=NOW)
    assert "Aucun arrêté n’est publié" in text_of(client.get("/habitat-indigne/publie/"))
    number = publish(officer, CODE, WANTED, "AR-1", reason=WHY, at=NOW)
    with pytest.raises(operations.BadPublication, match="déjà"):
        publish(officer, CODE, WANTED, "AR-1", reason=WHY, at=NOW)
    told = text_of(client.get("/habitat-indigne/publie/"))
    assert "1 Rue Haute Traitement de l’insalubrité. Pris le 2 mai 2025, notifié le 12 mai 2025." in told
    # Neither the dwelling, nor an owner, nor the reason, nor who published it.
    assert not re.search(r"appartement|porte 14|DUPONT|voisins|habitat@", told)
    operations.withdraw(officer, CODE, WANTED, number, reason="Publié trop tôt.", at=NOW)
    assert "Aucun arrêté n’est publié" in text_of(client.get("/habitat-indigne/publie/"))
    with pytest.raises(operations.PublicationNotFound):
        operations.withdraw(officer, CODE, WANTED, number, reason="Publié trop tôt.", at=NOW)
    # What was done is kept, with who, when and why; the journal tells it too.
    (act,) = publications(officer, CODE, WANTED)
    assert (act.author, act.reason, act.published_at, act.withdrawn_reason) == (
        officer.person_id, WHY, NOW, "Publié trop tôt.",
    )  # fmt: skip
    chief = Viewer(None, (Grant(CODE, Role.ADMINISTRATOR),))
    kinds = [(one.kind, one.actor) for one in events(chief, EventFilter(kind="unfit.")).events]
    assert kinds == [("unfit.withdrawn", officer.person_id), ("unfit.published", officer.person_id)]


def test_figures_by_block_are_published_as_officials_read_them(officer: Viewer, client: Client) -> None:
    operations.publish_blocks(officer, CODE, WANTED, reason=WHY, at=NOW)
    operations.publish_blocks(officer, CODE, WANTED, reason=WHY, at=NOW)
    # The new figures take the place of those before.
    (shown,) = published(CODE, WANTED, today=TODAY)
    assert shown.kind == BLOCKS
    (row,) = shown.values["rows"]
    assert (row["files"], row["orders"], row["vacant"]) == (6, None, None)
    assert "reports" not in row
    told = text_of(client.get("/habitat-indigne/publie/"))
    assert re.search(r"Îlot 1, Rue Haute 6 moins de 5 moins de 5 non dit 2 sur 4 \(50 %\)", told)


def test_an_officer_publishes_and_undoes_from_the_page(town: str, signed_in: Callable[..., Client]) -> None:
    officer = signed_in(Role.AGENT, services=("habitat",))
    page = officer.get("/habitat-indigne/arretes/AR-1/")
    assert "Ce que le public lirait Traitement de l’insalubrité 1 Rue Haute Ni le logement" in text_of(page)
    assert "n’a pas été notifié" in text_of(officer.get("/habitat-indigne/arretes/AR-2/"))
    # Without the box, nothing is published.
    form = {"numero": "AR-1", "reason": WHY}
    assert officer.post("/habitat-indigne/publier/", form).status_code == 400
    assert officer.post("/habitat-indigne/publier/", form | {"checked": "on"}).status_code == 302
    page = officer.get("/habitat-indigne/")
    (act,) = page.context["acts"]
    assert (act.title, act.live) == ("Arrêté AR-1", True)
    assert WHY in act.said
    assert officer.post(f"/habitat-indigne/publications/{act.number}/retirer/", {"reason": WHY}).status_code == 302
    assert not officer.get("/habitat-indigne/").context["acts"][0].live
    assert signed_in(Role.AGENT).post("/habitat-indigne/publier/", {"reason": WHY}).status_code == 403
