"""National registers and the files communes publish at a national schema: real ones, else rows of their description."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries
from beffroi.lake.queries import DatasetRef
from lake.national.readings import faults, imported, rows, written


def columns_seen(slug: str, viewer: Viewer = ANONYMOUS) -> set[str]:
    return {column.key for column in queries.dataset(viewer, DatasetRef("34172", slug)).columns}


# No real file was at hand for this one and those below that are written out: rows made after the published description.
ADDRESSES = """\
id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;code_insee_ancienne_commune;nom_ancienne_commune;x;y;lon;lat;type_position;alias;nom_ld;libelle_acheminement;nom_afnor;source_position;source_nom_voie;certification_commune;cad_parcelles
34172_0460_00012;34172_0460;12;;Rue Foch;34000;34172;Montpellier;;;770001.0;6279001.0;3.8712;43.6109;entrée;;;MONTPELLIER;RUE FOCH;commune;commune;1;34172000HE0012
34172_0460_00012_bis;34172_0460;12;bis;Rue Foch;34000;34172;Montpellier;;;;;;;;;;MONTPELLIER;RUE FOCH;;arcep;0;
34172-mauvaise;34172_0460;14;;Rue Foch;34000;34172;Montpellier;;;770003.0;6279003.0;3.8713;43.6110;au pif;;;MONTPELLIER;RUE FOCH;commune;commune;1;
34057_0001_00001;34057_0001;1;;Rue Ailleurs;34170;34057;Castelnau-le-Lez;;;772000.0;6281000.0;3.89;43.63;entrée;;;CASTELNAU;RUE AILLEURS;commune;commune;1;
"""  # noqa: E501


def test_addresses_of_a_department_are_those_of_the_commune(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "adresses-34.csv", ADDRESSES), lake, slug="adresses")
    assert [row[1] for row in rows("adresses", ["id", "rep"])] == [None, None, "bis"]
    # An address whose place is not known stays an address.
    assert outcome.report is not None
    assert (outcome.report.rows_kept, outcome.report.geometry_types) == (3, ("Point",))
    told = faults(outcome)
    assert told["id"] == ((4, "34172-mauvaise"),)
    assert told["type_position"] == ((4, "au pif"),)


def test_buildings_of_the_land_register_say_what_they_are(tmp_path: Path, lake: Path) -> None:
    shape = {"type": "MultiPolygon", "coordinates": [[[[3.87, 43.61], [3.871, 43.61], [3.871, 43.611], [3.87, 43.61]]]]}
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"type": kind, "nom": "", "commune": town}}
        for kind, town in (("01", "34172"), ("02", "34172"), ("03", "34172"), ("01", "34057"))
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    outcome = imported(written(tmp_path, "cadastre-34172-batiments.json", text), lake, slug="batiments-cadastre")
    assert [row[0] for row in rows("batiments-cadastre", ["type"])] == ["01", "02", "03"]
    assert faults(outcome) == {"type": ((3, "03"),)}


CENSUS = """\
IRIS;COM;TYP_IRIS;LAB_IRIS;P22_POP;P22_POP0002;P22_POP75P
341720101;34172;H;5;2846.31;61.2;240.7
341720102;34172;X;5;12.5;0;1.1
340570000;34057;Z;9;23000.1;600.2;1900.3
"""


def test_census_of_the_blocks_of_one_commune(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "base-ic-evol-struct-pop-2022.csv", CENSUS), lake, slug="population-iris")
    assert rows("population-iris", ["iris", "p22_pop"]) == [("341720101", 2846.31), ("341720102", 12.5)]
    assert faults(outcome) == {"typ_iris": ((3, "X"),)}


ASSOCIATIONS = """\
id;id_ex;siret;rup_mi;gestion;date_creat;date_decla;date_publi;date_disso;nature;groupement;titre;titre_court;objet;objet_social1;objet_social2;adrs_complement;adrs_numvoie;adrs_repetition;adrs_typevoie;adrs_libvoie;adrs_distrib;adrs_codeinsee;adrs_codepostal;adrs_libcommune;adrg_declarant;adrg_complemid;adrg_complemgeo;adrg_libvoie;adrg_distrib;adrg_codepostal;adrg_achemine;adrg_pays;dir_civilite;siteweb;publiweb;observation;position;maj_time
W343001234;;;;3434;1987-05-04;2020-01-01;0001-01-01;0001-01-01;D;S;Les Amis du quartier;;animer le quartier;;;;12;;RUE;FOCH;;34172;34000;Montpellier;;;;12 rue Foch;;34000;Montpellier;FRANCE;PF;;0;;A;2020-01-01 00:00:00
W343001235;;;;3434;0001-01-01;2020-01-01;0001-01-01;0001-01-01;D;S;Club de boules;;jouer aux boules;;;;;;;;;34172;34000;Montpellier;;;;;;;;FRANCE;PM;;0;;A;2020-01-01 00:00:00
W343001236;;;;3434;1990-01-01;2020-01-01;0001-01-01;2019-06-01;D;S;Chorale finie;;chanter;;;;;;;;;34172;34000;Montpellier;;;;;;;;FRANCE;PF;;0;;D;2020-01-01 00:00:00
W343001237;;;;3434;1990-01-01;2020-01-01;0001-01-01;0001-01-01;D;S;Ailleurs;;rien;;;;;;;;;34057;34170;Castelnau-le-Lez;;;;;;;;FRANCE;PF;;0;;A;2020-01-01 00:00:00
"""  # noqa: E501


def test_associations_alive_without_the_home_of_those_who_run_them(tmp_path: Path, lake: Path) -> None:
    imported(written(tmp_path, "rna_waldec_20261101_dpt_34.csv", ASSOCIATIONS), lake, slug="associations")
    assert [row[0] for row in rows("associations", ["titre"])] == ["Club de boules", "Les Amis du quartier"]
    # The date that stands for an unknown one is no date.
    assert [str(row[1]) for row in rows("associations", ["titre", "date_creat"])] == ["None", "1987-05-04"]
    assert {"adrs_libvoie", "adrs_numvoie"}.isdisjoint(columns_seen("associations"))
    agent = Viewer(1, (Grant("34172", Role.AGENT),))
    assert {"adrs_libvoie", "adrs_numvoie"} <= columns_seen("associations", agent)
    assert {"adrg_libvoie", "dir_civilite"}.isdisjoint(columns_seen("associations", agent))


SCHOOLS = """\
identifiant_de_l_etablissement;nom_etablissement;type_etablissement;statut_public_prive;adresse_1;code_postal;code_commune;nom_commune;ecole_maternelle;ecole_elementaire;telephone;siren_siret;nombre_d_eleves;etat;longitude;latitude
0340001A;École Jules Ferry;Ecole;Public;1 rue Ferry;34000;34172;Montpellier;0;1;0467000000;21340172200100;212;OUVERT;3.87;43.61
0340002B;École fermée;Ecole;Public;2 rue Ferry;34000;34172;Montpellier;1;0;0467000001;;;FERME;3.88;43.61
340003;Lycée mal noté;Lycée;Privé;3 rue Ferry;34000;34172;Montpellier;;;0467000002;;900;OUVERT;3.89;43.61
"""  # noqa: E501


def test_schools_that_are_open(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "fr-en-annuaire-education-34172.csv", SCHOOLS), lake, slug="ecoles")
    assert rows("ecoles", ["nom_etablissement", "nombre_d_eleves", "telephone"]) == [
        ("Lycée mal noté", 900, "0467000002"),
        ("École Jules Ferry", 212, "0467000000"),
    ]
    assert faults(outcome) == {"identifiant_de_l_etablissement": ((4, "340003"),)}


MENUS = """\
collectiviteNom,collectiviteSiret,etablissementNom,etablissementSiret,restaurantNom,restaurantType,restaurantConvive,menuDate,menuTypeRepas,menuTypePlat,menuNomPlat,menuSiqoPlat,menuAllergenePlat,menuModificationDate
Montpellier,21340172201787,Cuisine centrale,21340172201787,Ferry,École élémentaire,scolaire,2026-03-02,déjeuner,entrée,Carottes râpées,Agriculture Biologique,"Céleri,Moutarde",2026-02-20T10:00:00
Montpellier,21340172201787,Cuisine centrale,21340172201787,Ferry,École élémentaire,scolaire,2026-03-02,souper,dessert,Compote,,,2026-02-20T10:00:00
"""  # noqa: E501


def test_menus_are_one_dish_a_row(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "menus-collectifs-2026.csv", MENUS), lake, slug="menus-cantine")
    assert rows("menus-cantine", ["menunomplat", "menuallergeneplat"]) == [
        ("Carottes râpées", "Céleri,Moutarde"),
        ("Compote", None),
    ]
    assert faults(outcome) == {"menutyperepas": ((3, "souper"),)}


TREES = """\
id,longitude,latitude,genre_arbre,espece_arbre,nom_vernaculaire,date_plantation,hauteur,diametre,arbre_remarquable
1,3.87,43.61,Platanus,x acerifolia,Platane,1950-11-01,22.5,80,false
2,3.88,43.61,Celtis,australis,Micocoulier,,9,410,true
"""


def test_a_trunk_measured_around_is_told_to_the_publisher(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "arbres_urbains.csv", TREES), lake, slug="arbres")
    assert rows("arbres", ["nom_vernaculaire", "hauteur"]) == [("Micocoulier", 9.0), ("Platane", 22.5)]
    assert [number for number, _value in faults(outcome)["diametre"]] == [3]


CONTRACTS = """\
MARCHE_ID,ACHETEURS_ID,ACHETEURS_NOM,NATURE_MARCHE,MARCHE_OBJET,CPV_CODE,PROCEDURE,LIEU_EXEC_CODE,DUREE_MOIS,NOTIFICATION_DATE,PUBLICATION_DATE,MONTANT,PRIX_FORME,TITULAIRES_ID,TITULAIRES_ID_TYPE,TITULAIRES_DENOMINATION
2026M001,21340172201787,Montpellier,Marché,Réfection de la rue Foch,45233140-2,Procédure adaptée,34172,6,2026-01-05,2026-02-01,120000,Ferme,11111111100011,SIRET,Routes du Sud
2026M001,21340172201787,Montpellier,Marché,Réfection de la rue Foch,45233140-2,Procédure adaptée,34172,6,2026-01-05,2026-02-01,120000,Ferme,22222222200022,SIRET,Pavés et fils
2026M002,21340172201787,Montpellier,Convention,Denrées,15000000,Appel d'offres ouvert,34172,12,2026-01-07,2026-02-01,90000,Ferme,33333333300033,SIRET,Primeurs
"""  # noqa: E501


def test_a_contract_of_two_firms_counts_once(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "decp-2026.csv", CONTRACTS), lake, slug="marches-publics")
    assert rows("marches-publics", ["marche_id", "montant", "titulaires"]) == [
        ("2026M001", 120000, "Pavés et fils ; Routes du Sud"),
        ("2026M002", 90000, "Primeurs"),
    ]
    assert set(faults(outcome)) == {"nature_marche"}


EQUIPMENT = """\
COLL_NOM,COLL_SIRET,EQUIP_UID,EQUIP_THEME,EQUIP_CODE,EQUIP_NOM,ADR_NUMERO,ADR_NOMVOIE,ADR_CODEPOSTAL,ADR_COMMUNE,EQUIP_LAT,EQUIP_LONG,EQUIP_OUVERTURE,EQUIP_ACCES,EQUIP_TEL,EQUIP_WEB
Montpellier,21340172201787,21340172201787-001,Sports,F101,Piscine,1,rue Foch,34000,Montpellier,43.61,3.87,Mo-Fr 10:00-20:00,,0467000000,
Montpellier,2134017220178,21340172201787-002,Culture,F303,Cinéma,2,rue Foch,34000,Montpellier,43.62,3.88,,,0467000001,
"""  # noqa: E501


def test_public_equipment_at_the_common_schema(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "scdl-equipements-2026.csv", EQUIPMENT), lake, slug="equipements-publics")
    assert rows("equipements-publics", ["equip_nom", "equip_tel"]) == [
        ("Cinéma", "0467000001"),
        ("Piscine", "0467000000"),
    ]
    assert faults(outcome) == {"coll_siret": ((3, "2134017220178"),)}


CATALOGUE = """\
<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/terms/">
  <id>urn:uuid:1</id><title>Bibliothèque</title>
  <entry><title>Le Tour du monde</title><id>urn:uuid:2</id><updated>2026-01-10T16:54:55Z</updated>
    <author><name>Jules Verne</name></author><dc:language>fr</dc:language><dc:issued>1872</dc:issued>
    <link rel="http://opds-spec.org/image" href="/2.png" type="image/png"/>
    <link rel="http://opds-spec.org/acquisition" href="/2.epub" type="application/epub+zip"/></entry>
  <entry><title>À quatre mains</title><id>urn:uuid:3</id><updated>2026-01-11T10:00:00Z</updated>
    <author><name>Anne</name></author><author><name>Lou</name></author><dc:language>fr</dc:language></entry>
</feed>
"""


def test_a_library_s_catalogue_tells_its_books(tmp_path: Path, lake: Path) -> None:
    imported(written(tmp_path, "opds-2026.xml", CATALOGUE), lake, slug="catalogue-bibliotheque")
    assert rows("catalogue-bibliotheque", ["title", "author_name", "issued"]) == [
        ("Le Tour du monde", "Jules Verne", "1872"),
        ("À quatre mains", "Anne ; Lou", None),
    ]


def test_budget_lines_of_a_real_account(open_data: Path, tmp_path: Path, lake: Path) -> None:
    """The account of Montpellier for 2018, against the sums of the document read by another parser."""
    source = open_data / "montpellier/finances/totem/CA_2018.xml"
    imported(source, lake, slug="budgets")
    lines = rows("budgets", ["codrd", "opbudg", "mtreal"])
    assert len(lines) == 1697
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    for line in ElementTree.parse(source).iter("{http://www.minefi.gouv.fr/cp/demat/docbudgetaire}LigneBudget"):
        told = {child.tag.split("}")[1]: child.get("V", "") for child in line}
        totals[told["CodRD"], told.get("OpBudg", "")] += float(told.get("MtReal") or 0)
    for (way, order), total in totals.items():
        ours = sum(amount or 0 for side, kind, amount in lines if (side, kind or "") == (way, order))
        assert ours == pytest.approx(total, abs=0.01), (way, order)
    # What is moved from one section to the other is written on both sides: it is no money.
    assert totals["D", "1"] == pytest.approx(totals["R", "1"], rel=0.02)


def test_services_of_a_real_workbook_of_inclusion_without_names(open_data: Path, tmp_path: Path, lake: Path) -> None:
    source = open_data / "autres/social/data_inclusion_dataset.xlsx"
    imported(source, lake, slug="services-inclusion", town="59350")
    found = rows("services-inclusion", ["nom", "frais"], "59350")
    assert ("Logement social", "gratuit") in found
    seen = {column.key for column in queries.dataset(ANONYMOUS, DatasetRef("59350", "services-inclusion")).columns}
    assert {"contact_nom_prenom", "telephone", "courriel"}.isdisjoint(seen)


def test_stops_of_a_real_network_near_another_town(open_data: Path, tmp_path: Path, lake: Path) -> None:
    source = open_data / "montpellier/transit/TaM_GTFS_2026-04.zip"
    box = (3.88, 43.62, 3.93, 43.66)
    outcome = imported(source, lake, slug="arrets", town="34057", extent=box)
    assert outcome.report is not None
    with zipfile.ZipFile(source) as archive, archive.open("stops.txt") as stops:
        told = list(csv.DictReader(io.TextIOWrapper(stops, encoding="utf-8-sig")))
    near = {
        stop["stop_id"]
        for stop in told
        if box[0] <= float(stop["stop_lon"]) <= box[2] and box[1] <= float(stop["stop_lat"]) <= box[3]
    }
    assert 0 < len(near) < len(told)
    assert {row[0] for row in rows("arrets", ["stop_id"], "34057")} == near
