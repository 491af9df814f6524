"""The small town with what its declared indicators are computed from: rows by hand, after the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faces.portal.small_town import AT, CODE
from usecases.reading import lake_of

_OFFENCE = "CODGEO_2025;annee;indicateur;unite_de_compte;nombre;taux_pour_mille;est_diffuse;insee_pop;insee_log\n"
_TOWNS = f"""{CODE};2023;Violences physiques;Victime;6;2;diff;3000;1200
{CODE};2024;Violences physiques;Victime;9;3;diff;3000;1200
{CODE};2023;Cambriolages de logement;Infraction;12;10;diff;3000;1200
{CODE};2024;Cambriolages de logement;Infraction;6;5;diff;3000;1200
{CODE};2024;Vols avec armes;Infraction;NA;NA;ndiff;3000;1200
00002;2024;Violences physiques;Victime;10;5;diff;2000;900
00002;2024;Cambriolages de logement;Infraction;9;10;diff;2000;900
00003;2024;Violences physiques;Victime;NA;NA;ndiff;1000;500
00004;2024;Violences physiques;Victime;99;99;diff;1000;500
01002;2024;Violences physiques;Victime;20;7;diff;2900;900
"""
_AREAS = f"""code_commune;libelle_commune;institution;id_service;service
{CODE};Ici;GN;8001;Brigade de l’Onde
00002;Là;GN;8001;Brigade de l’Onde
00003;Plus loin;GN;8001;Brigade de l’Onde
00004;Ailleurs;PN;9001;Commissariat
"""
_PEOPLE = f"""IRIS;COM;TYP_IRIS;P22_POP;P22_POP0014;P22_POP75P;C22_POP15P;C22_POP15P_STAT_GSEC13_23
{CODE}0101;{CODE};H;2000;400;200;1600;320
{CODE}0102;{CODE};H;400;40;80;360;36
"""
_INCOMES = f"IRIS;DISP_TP6021;DISP_MED21;DISP_RD21\n{CODE}0101;12,5;21500;3,1\n{CODE}0102;ns;s;ns\n"
_LOTS = "idlocal;annee;idcom;idpar;dteloc;cconlc;typeact;slocal;dniv;ccthp;rnb_id;identifiant_ban;adresse\n" + "".join(
    f"{number};2025;{CODE};P;4;CA;MAG1;{40 + number};0;;;;{number} {street}\n"
    for number, street in [*((one, "Grande Rue") for one in range(1, 7)), (7, "Rue Basse"),
                           *((one, "Quai Long") for one in range(11, 18))]
)  # fmt: skip
_SURVEY = (
    "id_releve;idlocal;date_releve;etat;siret\n"
    "A;1;2024-03-01;vacant;\nB;1;2025-03-01;vacant;\nC;2;2024-03-01;vacant;\nD;2;2025-03-01;occupe;\n"
    "E;3;2024-03-01;occupe;\nF;4;2024-03-01;occupe;\nG;5;2024-03-01;occupe;\nH;6;2025-03-01;inconnu;\n"
    "I;7;2024-06-01;vacant;\n" + "".join(f"Q{one};{one};2024-06-01;occupe;\n" for one in range(11, 18))
)


def _box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _collection(*things: tuple[dict[str, Any], dict[str, Any]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape} for told, shape in things]
    return json.dumps({"type": "FeatureCollection", "features": features})


# Ten metres by ten, at the latitude of the town.
_SIDE = (0.00012684, 0.00008998)
_BLOCKS = _collection(
    ({"code_iris": f"{CODE}0101", "nom_iris": "Le Haut"}, _box(2.99, 44.99, 3.02, 45.02)),
    ({"code_iris": f"{CODE}0102", "nom_iris": "Le Bas"}, _box(3.02, 44.99, 3.05, 45.02)),
)
_BUILDINGS = _collection(
    ({"id": "A", "nb_etages": 10, "nb_logts": 40, "hauteur": 31.0}, _box(3.0, 45.0, 3.0 + _SIDE[0], 45.0 + _SIDE[1])),
    ({"id": "B", "nb_etages": None, "nb_logts": 8, "hauteur": 6.2}, _box(3.03, 45.0, 3.03 + _SIDE[0], 45 + _SIDE[1])),
    ({"id": "C", "nb_etages": 3, "nb_logts": 0, "hauteur": 9.0}, _box(3.0, 45.01, 3.001, 45.011)),
)


@pytest.fixture(scope="session")
def indicators_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of these sources, each as its dataset file says; the file of offences makes three datasets."""
    offences = _OFFENCE + _TOWNS
    sources = {
        "delinquance": ("donnee-data.gouv-2025-a.csv", offences),
        "delinquance-departement": ("donnee-data.gouv-2025-b.csv", offences),
        "delinquance-semblables": ("donnee-data.gouv-2025-c.csv", offences),
        "competences-securite": ("competences_securite.csv", _AREAS),
        "population-iris": ("base-ic-evol-struct-pop-2022.csv", _PEOPLE),
        "revenus-iris": ("BASE_TD_FILO_DISP_IRIS_2021.csv", _INCOMES),
        "locaux": ("locaux_00001.csv", _LOTS),
        "releves-occupation": ("releves_occupation.csv", _SURVEY),
        "iris": ("iris.geojson", _BLOCKS),
        "batiments": ("batiments.geojson", _BUILDINGS),
    }
    return lake_of(tmp_path_factory.mktemp("indicateurs"), sources, territory=CODE, at=AT)


@pytest.fixture
def indicators_town(indicators_lake: Path, settings: Any, small_town: str) -> str:
    """The small town, its lake being that one."""
    settings.LAKE_DIR = indicators_lake
    return small_town
