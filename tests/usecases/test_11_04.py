"""11-04, the energy of buildings.

« label and measured consumption per building on the 3D map, owner may complete or correct, district totals ».
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pyproj import Transformer

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.lake import queries
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.twin import proposals
from beffroi.sense.twin.colouring import coloured
from beffroi.sense.twin.models import EnergyProposal
from city_models import square
from faces.portal.small_town import AT, CODE, SOUTH, WEST
from usecases.reading import text_of

pytestmark = pytest.mark.django_db

LON, LAT = WEST + 0.01, SOUTH + 0.01
# The tower has 24 dwellings; the house is one.
RNB = {"tour": "AAAABBBBCCCC", "maison": "DDDDEEEEFFFF"}
LABELS = """\
numero_dpe,date_etablissement_dpe,etiquette_dpe,etiquette_ges,conso_5_usages_par_m2_ep,surface_habitable_logement,code_insee_ban,identifiant_ban,id_rnb,coordonnee_cartographique_x_ban,coordonnee_cartographique_y_ban
2286E0135164Z,2022-05-03,D,C,210,64,{code},{code}_0001_00012,AAAABBBBCCCC,{x:.2f},{y:.2f}
"""
USED = """\
annee;numero_de_voie;indice_de_repetition;type_de_voie;libelle_de_voie;code_commune;segment_de_client;nombre_de_logements;consommation_annuelle_totale_de_l_adresse_mwh;consommation_annuelle_moyenne_par_site_de_l_adresse_mwh;adresse
2022;12;B;AVENUE;DE L'EGLISE;{code};RESIDENTIEL;24;86.4;3.6;12 B AVENUE DE L'EGLISE
2023;12;B;AVENUE;DE L'EGLISE;{code};RESIDENTIEL;24;79.2;3.3;12 B AVENUE DE L'EGLISE
2023;3;;RUE;BASSE;{code};RESIDENTIEL;1;12.9;12.9;3 RUE BASSE
2023;99;;RUE;PERDUE;{code};RESIDENTIEL;11;33;3;99 RUE PERDUE
"""
BOOK = """\
id,numero,rep,nom_voie,lon,lat
{code}_0001_00012,12,bis,Avenue de l’Église,{lon},{lat}
{code}_0002_00003,3,,Rue Basse,{east},{lat}
"""
REGISTER = "rnb_id,addresses\nAAAABBBBCCCC,{code}_0001_00012\nDDDDEEEEFFFF,{code}_0002_00003\n"
FILES = {
    "dpe": ("dpe.csv", LABELS),
    "consommations-adresses": ("conso.csv", USED),
    "adresses": ("adresses.csv", BOOK),
    "rnb": ("rnb_1.csv", REGISTER),
}
MEAN = "consommation_annuelle_moyenne_par_site_de_l_adresse_mwh"


def put(folder: Path, slug: str, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    known = definition_named(slug, CODE, load_definitions()[0]) if slug in ("dpe", "consommations-adresses") else None
    done = import_source(
        folder / name, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
        definition=known or Definition(slug, id="id" if slug in ("batiments", "adresses") else None),
    )  # fmt: skip
    assert done.version, done.reason


@pytest.fixture(scope="module")
def published_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tower and a house, their labels, what is measured, the addresses, the register, two districts."""
    folder = tmp_path_factory.mktemp("energie")
    blocks = [
        {"type": "Feature", "properties": {"id": name, "id_rnb": rnb, "hauteur": 20 - 12 * at, "usage1": "Résidentiel"},
         "geometry": square(LON + 0.005 * at, LAT, 20).__geo_interface__}
        for at, (name, rnb) in enumerate(RNB.items())
    ]  # fmt: skip
    zones = [
        {"type": "Feature", "properties": {"nom": name},
         "geometry": square(LON - 0.002 + 0.005 * at, LAT - 0.002, 390).__geo_interface__}
        for at, name in enumerate(("Haut", "Bas"))
    ]  # fmt: skip
    for slug, features in (("batiments", blocks), ("quartiers", zones)):
        put(folder, slug, f"{slug}.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    place = Transformer.from_crs("OGC:CRS84", "EPSG:2154", always_xy=True).transform(LON + 0.0001, LAT + 0.0001)
    words = {"code": CODE, "lon": LON + 0.0001, "lat": LAT + 0.0001, "east": LON + 0.0051, "x": place[0], "y": place[1]}
    for slug, (name, text) in FILES.items():
        put(folder, slug, name, text.format(**words))
    return folder


@pytest.fixture
def town(tmp_path: Path, published_lake: Path, settings: Any, small_town: str) -> Path:
    """A copy of it for one test."""
    shutil.copytree(published_lake, tmp_path, dirs_exist_ok=True)
    settings.LAKE_DIR = tmp_path / "lake"
    return tmp_path


def page_of(name: str) -> str:
    return f"/batiments/{CODE}/batiments/{name}/energie/"


LABEL = {
    "act": "label", "number": "2386e0999999k", "label": "B", "climate": "A", "kwh_m2": "92", "day": "2024-03-05",
    "reason": "Isolation faite.", "owner": "on",
}  # fmt: skip


def values_of(slug: str, column: str) -> dict[str, Any]:
    datasets = queries.datasets(ANONYMOUS, territory=CODE)
    by_slug = {one.ref.slug: one for one in datasets}
    return dict(coloured(ANONYMOUS, by_slug["batiments"], by_slug[slug], column, around=datasets).values)


def test_label_and_measure_of_each_building_are_on_the_map_and_those_of_a_house_are_not(
    town: Path, client: Client
) -> None:
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D"}
    # The last year; « 12 B AVENUE DE L'EGLISE » is 12 bis of the address base. The house of one dwelling was not kept.
    assert values_of("consommations-adresses", MEAN) == {"tour": 3.3}
    answer = client.get("/services/11-04/")
    tints = [(one.label, one.colour, one.count) for one in answer.context["layers"].painted.tints]
    assert tints[3] == ("D", "#f4e70f", 1)
    assert [label for label, _colour, _count in tints] == list("ABCDEFG"), "each colour has its letter"
    tower, house = text_of(client.get(page_of("tour"))), text_of(client.get(page_of("maison")))
    assert "Classe D, au dernier diagnostic (3 mai 2022)" in tower
    assert "2023 12 bis Avenue de l’Église 24 79,2 MWh 3,30 MWh" in tower
    assert "Aucun diagnostic n’est publié pour ce bâtiment" in house
    assert "12,9" not in house
    assert "12,9" not in text_of(client.get(f"/donnees/{CODE}/consommations-adresses/tableau/"))
    assert f'href="{page_of("tour")}"' in client.get(f"/donnees/{CODE}/batiments/fiche/tour/").content.decode()


def test_districts_have_their_totals(town: Path, client: Client) -> None:
    energy = client.get("/services/11-04/").context["layers"].energy
    told = {line.name: (dict(line.letters)["D"], line.diagnoses, line.dwellings, line.total) for line in energy.lines}
    assert told == {"Bas": ("0", "0", "–", "–"), "Haut": ("1", "1", "24", "79\u00a0MWh")}
    each = energy.whole.each.replace("\u202f", " ").replace("\u00a0", " ")
    assert (energy.whole.diagnoses, each, energy.year) == ("1", "3 300 kWh", 2023)
    assert energy.unplaced == 1, "« rue Perdue » is in no address base"


def test_an_owner_completes_an_agent_approves_and_may_take_it_back(
    town: Path, signed_in: Callable[..., Client], client: Client
) -> None:
    assert client.post(page_of("maison"), LABEL).status_code == 400, "nobody is signed in"
    owner, agent = signed_in(), signed_in(Role.AGENT)
    assert owner.post(page_of("maison"), LABEL).status_code == 302
    assert "en attente de la mairie" in text_of(owner.get(page_of("maison")))
    assert "2386E0999999K" not in text_of(client.get(page_of("maison"))), "held: nobody else sees it"
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D"}
    assert owner.get("/agent/energie/").status_code == 403
    queue = text_of(agent.get("/agent/energie/"))
    assert "Diagnostic 2386E0999999K : énergie B, climat A, 92 kWh/m² par an, établi le 5 mars 2024" in queue
    assert "« Isolation faite. »" in queue
    one = EnergyProposal.objects.get()
    assert owner.post(f"/agent/energie/{one.pk}/decider/", {"do": "approve"}).status_code == 403
    assert agent.post(f"/agent/energie/{one.pk}/decider/", {"do": "approve"}).status_code == 302
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D", "maison": "B"}
    assert "Classe B, au dernier diagnostic (5 mars 2024)" in text_of(client.get(page_of("maison")))
    lines = {line.name: line.diagnoses for line in client.get("/services/11-04/").context["layers"].energy.lines}
    assert lines == {"Bas": "1", "Haut": "1"}
    assert agent.post(f"/agent/energie/{one.pk}/reprendre/").status_code == 302
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D"}
    assert agent.post(f"/agent/energie/{one.pk}/decider/", {"do": "refuse"}).status_code == 400, "a reason is due"
    agent.post(f"/agent/energie/{one.pk}/decider/", {"do": "refuse", "answer": "Numéro inconnu."})
    assert "Réponse de la mairie : Numéro inconnu." in text_of(owner.get(page_of("maison")))


def test_a_correction_outlives_the_next_national_file(town: Path, signed_in: Callable[..., Client]) -> None:
    owner, agent = signed_in(), signed_in(Role.AGENT)
    owner.post(page_of("tour"), LABEL | {"number": "2286E0135164Z", "label": "C"})
    one = EnergyProposal.objects.get()
    agent.post(f"/agent/energie/{one.pk}/decider/", {"do": "approve"})
    assert values_of("dpe", "etiquette_dpe") == {"tour": "C"}
    text = (town / "dpe.csv").read_text(encoding="utf-8").replace(",64,", ",65,")
    put(town, "dpe", "dpe.csv", text)
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D"}, "the file has its own word"
    at = datetime(2026, 3, 5, tzinfo=UTC)
    event = RecordedEvent(1, at, "dataset.published", f"dataset:{CODE}/dpe", CODE, None, None, {})
    proposals.on_dataset(event)
    assert values_of("dpe", "etiquette_dpe") == {"tour": "C"}
    assert proposals.lay_approved(CODE, "dpe", at=at) == 0, "laid once"
    agent.post(f"/agent/energie/{one.pk}/reprendre/")
    assert values_of("dpe", "etiquette_dpe") == {"tour": "D"}


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("tour", LABEL | {"number": "12"}, "n’est pas un numéro de diagnostic"),
        ("tour", LABEL | {"day": "2019-01-01"}, "un diagnostic valable est établi depuis juillet 2021"),
        ("tour", {k: v for k, v in LABEL.items() if k != "owner"}, "obligatoire"),
        ("maison", {"act": "measure", "year": "2023", "dwellings": "1", "total_mwh": "4", "owner": "on"},
         "sous 10 logements, une consommation est personnelle"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_reason(
    name: str, sent: dict[str, str], said: str, town: Path, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in().post(page_of(name), sent)
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert not EnergyProposal.objects.exists()


def test_a_manager_gives_a_year_of_electricity(town: Path, signed_in: Callable[..., Client], client: Client) -> None:
    sent = {"act": "measure", "year": "2024", "dwellings": "24", "total_mwh": "72", "owner": "on"}
    assert signed_in().post(page_of("tour"), sent).status_code == 302
    signed_in(Role.AGENT).post(f"/agent/energie/{EnergyProposal.objects.get().pk}/decider/", {"do": "approve"})
    assert "2024 12 bis Avenue de l’Église 24 72,0 MWh 3,00 MWh" in text_of(client.get(page_of("tour")))
    assert queries.dataset(ANONYMOUS, DatasetRef(CODE, "consommations-adresses")).summary.rows == 3
