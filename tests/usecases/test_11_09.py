"""11-09, the occupation of premises.

« lots by use and surface, occupied or vacant with source and date, rate by building and district, mixed use (three
uses, none above 60 %) computed, owner names restricted ».
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Premises
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.twin.premises.counting import Occupation, hushed
from beffroi.sense.twin.premises.lots import Saying, Source
from beffroi.sense.twin.premises.queries import PremisesRefused, premise, town_premises
from faces.portal.small_town import AT, CODE
from usecases.reading import lake_of, text_of

pytestmark = pytest.mark.django_db

WANTED = Premises()
AGENT = Viewer(1, (Grant(CODE, Role.AGENT),))
ELECTED = Viewer(2, (Grant(CODE, Role.ELECTED),))
HIGH, LOW = "AAAABBBBCCCC", "DDDDEEEEFFFF"
OWNER = "DUPONT"
_HEAD = (
    "idlocal;annee;idcom;idpar;dteloc;cconlc;typeact;slocal;dniv;ccthp;rnb_id;identifiant_ban;adresse;ddenom;"
    "longitude;latitude"
)


def lot(number: int, kind: str, surface: str, code: str = "", building: str = HIGH, ban: str = "B1") -> str:
    dteloc = {"": "2", "DEP": "3"}.get(kind, "4")
    group = "" if kind in ("", "DEP") else kind
    lon, where = ("3.004", "12 Grande Rue") if building == HIGH else ("3.014", "3 Rue du Beffroi")
    lat = "45.004" if building == HIGH else "45.014"
    told = (f"{number:012d}", "2025", CODE, "P1", dteloc, "XX", group, surface, "1", code, building, ban, where, OWNER)
    return ";".join((*told, lon, lat))


LOTS = [
    _HEAD,
    # A building of three uses: 55 % of dwellings, 25 % of shops, 20 % of offices, and a cellar that counts for none.
    lot(1, "", "60", "V"), lot(2, "", "50", "P"), lot(3, "MAG1", "50"), lot(4, "BUR1", "40"), lot(5, "DEP", "400"),
    # Another of three uses, one of them above 60 %, where one lot has no surface.
    *(lot(number, "", "80", "P", LOW, "B2") for number in range(11, 24)),
    lot(30, "MAG1", "100", "", LOW, "B2"), lot(31, "ATE1", "", "", LOW, "B2"), lot(32, "BUR1", "60", "", LOW, "B3"),
]  # fmt: skip
SURVEY = """id_releve;idlocal;date_releve;etat;siret
R1;000000000001;2025-09-10;occupe;
R2;000000000003;2024-03-01;occupe;11111111100017
R3;000000000004;2025-05-05;inconnu;
R4;000000000011;2024-02-02;vacant;
"""
LOVAC = "ff_idlocal;annee;debutvacance;proprietaire\n000000000001;2025;2022;DUPONT\n000000000002;2026;2024;DUPONT\n"
SIRENE = """siret;codecommuneetablissement;etatadministratifetablissement;datedebut;identifiantadresseetablissement;\
coordonneeLambertAbscisseEtablissement;coordonneeLambertOrdonneeEtablissement;nomUniteLegale;prenom1UniteLegale
11111111100017;00001;F;2025-02-28;B1;700000;6400000;DURAND;ZOE
22222222200017;00001;F;2025-03-31;B3;700000;6400000;DURAND;ZOE
33333333300017;00001;A;2015-03-31;B2;700000;6400000;DURAND;ZOE
"""


@pytest.fixture(scope="module")
def lots_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locaux")
    square = [[3.0, 45.0], [3.01, 45.0], [3.01, 45.01], [3.0, 45.01], [3.0, 45.0]]
    north = [[x + 0.01, y + 0.01] for x, y in square]
    districts = [
        {"type": "Feature", "properties": {"code": name, "nom": name}, "geometry": shape}
        for name, ring in (("Le Bas", square), ("Le Haut", north))
        for shape in [{"type": "Polygon", "coordinates": [ring]}]
    ]
    sources = {
        "locaux": ("locaux_00001.csv", "\n".join(LOTS) + "\n"),
        "lovac": ("lovac.csv", LOVAC),
        "releves-occupation": ("releves_occupation.csv", SURVEY),
        "etablissements": ("stocketablissement.csv", SIRENE),
        "quartiers": ("quartiers.geojson", json.dumps({"type": "FeatureCollection", "features": districts})),
    }
    return lake_of(folder, sources, territory=CODE, at=AT)


@pytest.fixture
def town(lots_lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = lots_lake
    return small_town


def test_the_most_recent_source_wins_and_the_contrary_is_kept(town: str) -> None:
    lots = {int(one.id): one for one in premise(AGENT, CODE, WANTED, HIGH)[1]}
    # Occupied in September 2025 by the survey, against LOVAC and the tax file of 1 January.
    assert lots[1].sayings[0] == Saying(False, Source.SURVEY, date(2025, 9, 10))
    assert [one.source for one in lots[1].contradicted] == [Source.LOVAC, Source.TAX]
    assert lots[2].sayings[0] == Saying(True, Source.LOVAC, date(2026, 1, 1))
    # The shop found open in 2024 has closed since at SIRENE.
    assert lots[3].sayings[0] == Saying(True, Source.SIRENE, date(2025, 2, 28))
    assert lots[3].contradicted == (Saying(False, Source.SURVEY, date(2024, 3, 1)),)
    # Nobody answered the door: unknown, neither occupied nor vacant.
    assert lots[4].vacant is None
    low = {int(one.id): one for one in premise(AGENT, CODE, WANTED, LOW)[1]}
    # The only establishment of an address with one place of work is its own; of several, none is tied.
    assert low[32].sayings == (Saying(True, Source.SIRENE, date(2025, 3, 31)),)
    assert (low[30].siret, low[31].siret) == ("", "")


def test_rates_by_building_and_district_leave_out_what_is_unknown(town: str) -> None:
    found = town_premises(AGENT, CODE, WANTED)
    assert found is not None
    districts = {one.name: one for one in found.districts}
    bas, haut = districts["Le Bas"], districts["Le Haut"]
    # Of four lots (the cellar is none) two are vacant, one occupied, one unknown.
    assert (bas.lots, bas.known, bas.vacant, bas.unknown) == (4, 3, 2, 1)
    assert bas.rate == pytest.approx(2 / 3)
    assert (haut.lots, haut.known, haut.vacant) == (16, 14, 1)
    assert (found.whole.lots, found.whole.known, found.whole.vacant) == (20, 17, 3)
    uses = {one.name: (one.lots, one.surface_m2) for one in found.uses}
    assert uses == {"logement": (15, 1150.0), "commerce": (2, 150.0), "bureau": (2, 100.0), "activite": (1, 0.0)}
    assert premise(AGENT, CODE, WANTED, HIGH)[0].state.rate == pytest.approx(2 / 3)


def test_a_building_is_mixed_by_three_uses_none_above_sixty_per_cent(
    town: str, signed_in: Callable[..., Client]
) -> None:
    high, low = (premise(AGENT, CODE, WANTED, one)[0].mix for one in (HIGH, LOW))
    assert high.shares == {"logement": 0.55, "commerce": 0.25, "bureau": 0.2}
    assert high.mixed
    assert (low.mixed, low.largest, low.unmeasured) == (False, "logement", 1)
    agent = signed_in(Role.AGENT)
    told = text_of(agent.get(f"/locaux/batiments/{HIGH}/"))
    assert "Mixte : 3 usages (logement 55 %, commerce 25 %, bureau 20 %), et aucun au-dessus de 60 %" in told
    assert "occupé : relevé de la commune, 10 septembre 2025" in told
    assert "vacant : LOVAC, 1 janvier 2025" in told
    told = text_of(agent.get(f"/locaux/batiments/{LOW}/"))
    assert "mais logement dépasse 60 % de la surface. 1 local sans surface connue n’y compte pas." in told
    page = agent.get("/locaux/?garder=mixtes")
    assert [one.url for one in page.context["buildings"]] == [f"/locaux/batiments/{HIGH}/"]
    assert agent.get("/locaux/?quartier=Ailleurs").status_code == 400
    assert agent.get("/locaux/batiments/ZZZZ/").status_code == 404


def test_officials_read_uses_and_no_vacancy_that_few_lots_make(town: str, signed_in: Callable[..., Client]) -> None:
    found = town_premises(ELECTED, CODE, WANTED)
    assert found is not None
    assert {one.vacant for one in (*found.districts, *found.uses, found.whole) if one.known} == {None}
    assert found.mixed == 1
    told, lots = premise(ELECTED, CODE, WANTED, HIGH)
    assert (told.state.vacant, lots, told.mix.mixed) == (None, (), True)
    official = signed_in(Role.ELECTED)
    assert "non dit" in text_of(official.get("/locaux/"))
    assert "LOVAC, 1 janvier" not in text_of(official.get(f"/locaux/batiments/{HIGH}/"))
    # One row alone hushed would be found by taking the others from the whole.
    rows = [Occupation("a", 90, 90, 30, 1.0), Occupation("b", 80, 80, 20, 1.0), Occupation("c", 12, 12, 3, 1.0)]
    assert [one.vacant for one in hushed(rows, 11)] == [30, None, None]
    assert [one.vacant for one in hushed(rows[:2], 11)] == [30, 20]


def test_no_owner_reaches_anybody_and_no_lot_the_public(
    town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    for slug in ("locaux", "lovac", "releves-occupation"):
        columns = {one.key for one in lake.dataset(AGENT, DatasetRef(CODE, slug)).columns}
        assert not columns & {"ddenom", "proprietaire"}
        for reader in (ANONYMOUS, ELECTED):
            with pytest.raises(DatasetNotFound):
                lake.dataset(reader, DatasetRef(CODE, slug))
    pages = [signed_in(Role.AGENT).get(url) for url in ("/locaux/", f"/locaux/batiments/{HIGH}/", "/services/11-09/")]
    assert all(one.status_code == 200 and OWNER not in one.content.decode() for one in pages)
    with pytest.raises(PremisesRefused):
        town_premises(ANONYMOUS, CODE, WANTED)
    assert client.get("/locaux/").status_code == 302
    assert client.get("/services/11-09/").context["layers"].datasets == ()
    assert signed_in(Role.RESIDENT).get("/locaux/").status_code == 403
    assert "no-store" in pages[0]["Cache-Control"]
