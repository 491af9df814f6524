"""Files of the town: the same for the same seed, named as the national schemas name, and true to each other."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
import zipfile
from pathlib import Path

import pyogrio
import pytest
import shapely
from pyproj import CRS

from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.town import BadPopulation, Town, read_town, write_town
from beffroi.lake.town.ground import siren_of

SMALL = 2_000


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(folder: Path, path: str, *, separator: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    with (folder / path).open(encoding=encoding, newline="") as handle:
        return list(csv.DictReader(handle, delimiter=separator))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_town(tmp_path / "a", population=SMALL, seed=7)
    second = write_town(tmp_path / "b", population=SMALL, seed=7)
    assert digests(first.folder) == digests(second.folder)


def test_another_seed_gives_another_town(tmp_path: Path) -> None:
    first = write_town(tmp_path / "a", population=SMALL, seed=1)
    second = write_town(tmp_path / "b", population=SMALL, seed=2)
    path = "cadastre/cadastre-00001-parcelles.json"
    assert digests(first.folder)[path] != digests(second.folder)[path]


def test_an_interrupted_town_is_drawn_again(tmp_path: Path) -> None:
    whole = write_town(tmp_path / "a", population=SMALL)
    before = digests(whole.folder)
    (whole.folder / "town.toml").unlink()
    (whole.folder / "cadastre" / "cadastre-00001-parcelles.json").write_text("{")
    write_town(whole.folder, population=SMALL)
    assert digests(whole.folder) == before


def test_a_town_already_there_is_left_as_it_is(tmp_path: Path) -> None:
    town = write_town(tmp_path, population=SMALL)
    (tmp_path / "mine.txt").write_text("mine")
    told: list[str] = []
    assert write_town(tmp_path, population=SMALL, progress=lambda what, share: told.append(what)) == town
    assert told == ["Ville déjà bâtie"]
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("population", [0, 1_999, 1_000_001])
def test_too_small_or_too_large_is_refused(tmp_path: Path, population: int) -> None:
    with pytest.raises(BadPopulation, match="2 000 et 1 000 000"):
        write_town(tmp_path, population=population)


def test_the_town_is_said_fictional_everywhere(town: Town) -> None:
    mark = tomllib.loads((town.folder / "town.toml").read_text(encoding="utf-8"))
    assert mark["fictional"] is True
    assert town.insee == "00001"
    for readme in town.folder.glob("*/README.txt"):
        assert "ville fictive" in readme.read_text(encoding="utf-8")
    assert all("ville fictive" in item.title for item in town.files)
    folders = {Path(item.path).parent.as_posix() for item in town.files}
    assert all((town.folder / folder / "README.txt").exists() for folder in folders)


def test_the_town_lies_in_the_sea(town: Town) -> None:
    # West of the French coast of the Bay of Biscay (about 1.2° W at this latitude), south of Brittany.
    assert -4.6 < town.bbox[0] < town.bbox[2] < -3.4
    assert 45.3 < town.bbox[1] < town.bbox[3] < 46.5


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    shares: list[float] = []
    write_town(tmp_path, population=SMALL, progress=lambda what, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


HEADS = {
    # Etalab, cadastre.data.gouv.fr: champs des parcelles.
    "cadastre/cadastre-00001-parcelles.json": {
        "id", "commune", "prefixe", "section", "numero", "contenance", "arpente", "created", "updated",
    },
    # Cadastre: champs des bâtiments.
    "cadastre/cadastre-00001-batiments.json": {"type", "nom", "commune", "created", "updated"},
    # IGN, BD TOPO version 3, thème bâti (noms tronqués à dix caractères).
    "/vsizip/batiments/BDTOPO_BATIMENT_00001.zip": {
        "ID", "NATURE", "USAGE1", "LEGER", "ETAT", "DATE_APP", "NB_LOGTS", "NB_ETAGES", "MAT_MURS", "MAT_TOITS",
        "HAUTEUR", "Z_MIN_SOL", "Z_MAX_SOL", "Z_MAX_TOIT",
    },
    # CNIG, standard PLU, table ZONE_URBA.
    "/vsizip/urbanisme/00001_PLU_20250115.zip/00001_ZONE_URBA_20250115.shp": {
        "LIBELLE", "LIBELONG", "TYPEZONE", "DESTDOMI", "NOMFIC", "URLFIC", "DATVALID",
    },
}  # fmt: skip


@pytest.mark.parametrize("path", HEADS)
def test_layers_have_the_fields_of_their_national_schema(town_folder: Path, path: str) -> None:
    source = f"/vsizip/{town_folder / path[8:]}" if path.startswith("/vsizip/") else town_folder / path
    fields = {str(name) for name in pyogrio.read_info(source)["fields"]}
    assert fields >= HEADS[path]


TABLES = {
    # data.gouv.fr, geo-DVF, champs des mutations.
    "immobilier/dvf_00001.csv": """, id_mutation date_mutation numero_disposition nature_mutation valeur_fonciere
        adresse_numero code_postal code_commune nom_commune code_departement id_parcelle nombre_lots code_type_local
        type_local surface_reelle_bati nombre_pieces_principales code_nature_culture surface_terrain longitude
        latitude""",
    # Base Adresse Nationale, format CSV historique.
    "adresses/adresses-00001.csv": """; id id_fantoir numero rep nom_voie code_postal code_insee nom_commune x y lon
        lat type_position libelle_acheminement nom_afnor source_position certification_commune cad_parcelles""",
    # etalab/schema-irve, statique 2.x.
    "mobilites/irve.csv": """, nom_amenageur siren_amenageur id_station_itinerance implantation_station adresse_station
        coordonneesXY nbre_pdc id_pdc_itinerance puissance_nominale prise_type_2 gratuit condition_acces horaires""",
    # SCDL, délibérations.
    "vie_municipale/deliberations.csv": """, COLL_NOM COLL_SIRET DELIB_ID DELIB_DATE DELIB_MATIERE_CODE
        DELIB_MATIERE_NOM DELIB_OBJET BUDGET_ANNEE VOTE_EFFECTIF VOTE_REEL VOTE_POUR VOTE_CONTRE VOTE_ABSTENTION
        DELIB_URL""",
    # GéoDAE.
    "sante/defibrillateurs.csv": """, nom lat_coor1 long_coor1 xy_precis adr_voie com_insee com_nom acc disp_j disp_h
        tel1 etat_fonct fab_rais expt_rais""",
    # SIRENE, stock des établissements.
    "economie/StockEtablissement_00001.csv": """, siren nic siret dateCreationEtablissement etablissementSiege
        trancheEffectifsEtablissement codeCommuneEtablissement etatAdministratifEtablissement
        activitePrincipaleEtablissement""",
    # transport.data.gouv.fr, base nationale des lieux de stationnement.
    "mobilites/liste-des-gares.csv": "; CODE_UIC LIBELLE FRET VOYAGEURS CODE_LIGNE COMMUNE X_WGS84 Y_WGS84",
    "mobilites/comptagemobilites_measure_valbruyere.csv": ", channel_id counter_id start_datetime end_datetime count",
    "mobilites/parkings_bnls.csv": "; id nom insee adresse gratuit nb_places nb_pmr Xlong Ylat type_ouvrage",
}


@pytest.mark.parametrize("path", TABLES)
def test_tables_have_the_fields_of_their_national_schema(town_folder: Path, path: str) -> None:
    separator, *names = TABLES[path].split()
    head = (town_folder / path).read_text(encoding="utf-8").splitlines()[0].split(separator)
    assert set(head) >= set(names)


def test_lamps_are_in_cp1252_with_decimal_commas(town_folder: Path) -> None:
    raw = (town_folder / "eclairage/points_lumineux.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    first = rows_of(town_folder, "eclairage/points_lumineux.csv", separator=";", encoding="cp1252")[0]
    assert "," in first["X_L93"]
    assert "Température de couleur (K)" in first


def test_files_refer_to_each_other(town_folder: Path) -> None:
    parcels = {
        item["properties"]["id"]
        for item in json.loads((town_folder / "cadastre/cadastre-00001-parcelles.json").read_text())["features"]
    }
    addresses = rows_of(town_folder, "adresses/adresses-00001.csv", separator=";")
    keys = {row["id"] for row in addresses}
    buildings = rows_of(town_folder, "batiments/RNB_00001.csv", separator=";")
    numbers = {row["rnb_id"] for row in buildings}
    assert {row["cad_parcelles"] for row in addresses} <= parcels
    assert {row["plots"] for row in buildings} <= parcels
    assert {row["addresses"] for row in buildings} - {""} <= keys
    assert all(len(number) == 12 for number in numbers)
    assert len(numbers) == len(buildings)
    assert {row["id_parcelle"] for row in rows_of(town_folder, "immobilier/dvf_00001.csv")} <= parcels
    assert {row["id_rnb"] for row in rows_of(town_folder, "energie/dpe_logements.csv")} <= numbers
    companies = rows_of(town_folder, "economie/StockEtablissement_00001.csv")
    assert {row["identifiantAdresseEtablissement"] for row in companies} <= keys


def test_sales_have_the_traps_of_dvf(town_folder: Path) -> None:
    rows = rows_of(town_folder, "immobilier/dvf_00001.csv")
    prices: dict[str, set[str]] = {}
    for row in rows:
        prices.setdefault(row["id_mutation"], set()).add(row["valeur_fonciere"])
    assert len(prices) < len(rows)
    assert all(len(price) == 1 for price in prices.values())
    assert {"Dépendance", "Maison"} <= {row["type_local"] for row in rows}


def test_numbers_of_companies_follow_luhn(town_folder: Path) -> None:
    for row in rows_of(town_folder, "economie/StockEtablissement_00001.csv"):
        assert row["siren"] == siren_of(row["siren"][:8])
        assert row["siren"].startswith("00")


def test_census_counts_everyone(town: Town) -> None:
    rows = rows_of(town.folder, "population/base-ic-evol-struct-pop-2022.csv", separator=";")
    assert sum(int(row["P22_POP"]) for row in rows) == town.population
    ages = [name for name in rows[0] if name.startswith("P22_POP") and name != "P22_POP"]
    assert all(sum(int(row[name]) for name in ages) == int(row["P22_POP"]) for row in rows)


def test_shapefile_is_in_lambert_93_beside_its_encoding(town_folder: Path) -> None:
    archive = town_folder / "batiments/BDTOPO_BATIMENT_00001.zip"
    with zipfile.ZipFile(archive) as opened:
        assert {"BATIMENT.shp", "BATIMENT.dbf", "BATIMENT.shx", "BATIMENT.prj", "BATIMENT.cpg"} <= set(
            opened.namelist()
        )
    # The lake, once loaded, has GDAL give the .prj as it is written.
    assert CRS(pyogrio.read_info(f"/vsizip/{archive}")["crs"]).to_epsg() == 2154


def test_contours_follow_the_grid(town_folder: Path) -> None:
    lines = json.loads((town_folder / "relief/courbes_niveau.geojson").read_text())["features"]
    assert lines
    assert all(item["properties"]["altitude_m"] % 5 == 0 for item in lines)
    assert shapely.is_valid(shapely.from_geojson([json.dumps(item["geometry"]) for item in lines])).all()


def test_every_file_but_the_relief_has_a_definition_that_says_fictional(town: Town) -> None:
    definitions, faults = load_definitions()
    assert not faults
    for item in town.files:
        found = definition_for(Path(item.path).name, town.insee, definitions)
        assert (found is None) == item.path.endswith(".asc"), item.path
    ours = [one for one in definitions if one.territories == ("00001",)]
    assert all(one.fictional and "ville fictive" in one.title and "ville fictive" in one.licence for one in ours)
    assert {one.access for one in ours} == {
        "public",
        "agents",
        "service:habitat",
        "service:police-municipale",
        "service:consultation-tracee",
    }


def test_read_town_returns_what_was_written(town: Town) -> None:
    assert read_town(town.folder) == town
