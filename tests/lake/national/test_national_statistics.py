"""National sources whose pitfalls are values that stand for none: rows of their documentation, and real ones."""

from __future__ import annotations

from pathlib import Path

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from lake.national.readings import faults, imported, rows, written

# No real file was at hand: rows made by hand after the published description of each base.
OFFENCES = """\
"CODGEO_2025";"annee";"indicateur";"unite_de_compte";"nombre";"taux_pour_mille";"est_diffuse";"insee_pop";"insee_pop_millesime";"insee_log";"insee_log_millesime";"complement_info_nombre";"complement_info_taux"
"34172";"2024";"Cambriolages de logement";"Infraction";"1204";"7,1";"diff";"307101";"2022";"169000";"2021";"NA";"NA"
"34172";"2024";"Vols avec armes";"Infraction";"NA";"NA";"ndiff";"307101";"2022";"169000";"2021";"2,05";"0,4"
"01071";"2024";"Vols de véhicule";"Véhicule";"NA";"NA";"ndiff";"5000";"2022";"2500";"2021";"2,05";"0,4"
"""  # fmt: skip


def test_a_value_that_is_not_diffused_is_neither_zero_nor_the_mean_of_other_towns(tmp_path: Path, lake: Path) -> None:
    source = written(tmp_path, "donnee-data.gouv-2025-geographie2025.csv", OFFENCES)
    outcome = imported(source, lake, slug="delinquance")
    assert rows("delinquance", ["indicateur", "nombre", "taux_pour_mille", "absence"]) == [
        ("Cambriolages de logement", 1204, 7.1, None),
        ("Vols avec armes", None, None, "non diffusé : sous le seuil de publication sur trois ans"),
    ]
    known = {column.key for column in queries.dataset(ANONYMOUS, outcome.ref).columns}
    assert not known & {"complement_info_nombre", "complement_info_taux"}
    assert faults(outcome) == {}


LIKE_TOWNS = OFFENCES + """\
"34057";"2024";"Vols avec armes";"Infraction";"9";"3";"diff";"3000";"2022";"1200";"2021";"NA";"NA"
"34058";"2024";"Vols avec armes";"Infraction";"15";"5";"diff";"3000";"2022";"1200";"2021";"NA";"NA"
"34059";"2024";"Vols avec armes";"Infraction";"NA";"NA";"ndiff";"3000";"2022";"1200";"2021";"2,05";"0,4"
"01072";"2024";"Vols avec armes";"Infraction";"21";"7";"diff";"3000";"2022";"1200";"2021";"NA";"NA"
"""  # fmt: skip


def test_the_same_file_gives_the_towns_of_the_department_and_the_classes_of_all(tmp_path: Path, lake: Path) -> None:
    source = written(tmp_path, "donnee-data.gouv-2025-geographie2025.csv", LIKE_TOWNS)
    imported(source, lake, slug="delinquance-departement")
    assert {row[0] for row in rows("delinquance-departement", ["codgeo"])} == {"34172", "34057", "34058", "34059"}
    imported(source, lake, slug="delinquance-semblables")
    told = rows("delinquance-semblables", ["indicateur", "classe", "communes", "diffusees", "taux_median"])
    # The one that is not diffused is counted as a commune of the class, never as a rate.
    assert ("Vols avec armes", "2 000 à 4 999", 4, 3, 5.0) in told
    assert ("Vols avec armes", "100 000 et plus", 1, 0, None) in told


INCOMES = """\
IRIS;DISP_TP6021;DISP_INCERT21;DISP_MED21;DISP_RD21
341720101;32;1;15230;4,1
341720102;ns;2;18400;ns
341720103;s;.;s;s
340030101;12;1;24000;3
"""


def test_secrecy_is_a_reason_and_an_iris_begins_with_its_town(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "BASE_TD_FILO_DISP_IRIS_2021.csv", INCOMES), lake)
    columns = ["iris", "revenu_median", "taux_pauvrete", "revenu_median_absence", "taux_pauvrete_absence"]
    assert rows("revenus-iris", columns) == [
        ("341720101", 15230.0, 32.0, None, None),
        ("341720102", 18400.0, None, None, "non significatif"),
        ("341720103", None, None, "secret statistique", "secret statistique"),
    ]
    assert faults(outcome) == {}


FACILITIES = """\
AN;DEPCOM;DCIRIS;TYPEQU;LAMBERT_X;LAMBERT_Y;QUALITE_XY
2023;34172;341720101;D265;770500;6279300;Bonne
2023;34172;341720102;B2;;;Non géolocalisé
2023;01004;010040101;D265;882000;6542000;Bonne
"""


def test_a_facility_without_a_place_stays_and_a_code_that_is_none_is_told(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "BPE23.csv", FACILITIES), lake)
    found = rows("equipements", ["typequ", "qualite_xy", "geometry"])
    assert [(kind, quality, shape is None) for kind, quality, shape in found] == [
        ("B2", "Non géolocalisé", True), ("D265", "Bonne", False),
    ]  # fmt: skip
    assert list(faults(outcome)) == ["typequ"]


def test_buildings_of_the_register_are_those_near_the_town(tmp_path: Path, lake: Path) -> None:
    text = (
        "rnb_id;point;status\n6QJBEEJXNFJC;POINT(3.88 43.61);constructed\n17AEVV899965;POINT(3.87 43.60);demolished\n"
        "ZX5HPP8YZT79;POINT(2.35 48.85);constructed\n"
    )
    outcome = imported(written(tmp_path, "RNB_34.csv", text), lake, extent=(3.80, 43.56, 3.94, 43.65))
    found = rows("rnb", ["rnb_id", "status"])
    assert found == [("17AEVV899965", "demolished"), ("6QJBEEJXNFJC", "constructed")]
    assert faults(outcome) == {}


LABELS = """\
numero_dpe,etiquette_dpe,etiquette_ges,code_insee_ban,score_ban,coordonnee_cartographique_x_ban,coordonnee_cartographique_y_ban
2286E0135164Z,D,B,34172,0.93,770500,6279300
2286E0135165Z,N,B,34172,0.39,770510,6279310
2286E0135166Z,C,B,75056,0.93,652000,6862000
"""


def test_energy_labels_are_those_of_the_town_and_a_letter_that_is_none_is_told(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "dpe03existant.csv", LABELS), lake)
    assert [row[0] for row in rows("dpe", ["numero_dpe"])] == ["2286E0135164Z", "2286E0135165Z"]
    assert faults(outcome) == {"etiquette_dpe": ((3, "N"),)}


CAR_PARKS = """\
id;nom;insee;adresse;url;type_usagers;gratuit;nb_places;nb_pmr;hauteur_max;num_siret;Xlong;Ylat
34172-P-001;Comédie;34172;Place de la Comédie;;tous;0;790;16;190;21340172201787;3.8797;43.6086
34172-P-002;Prairie;34172;Rue de la Prairie;;tous;1;80;2;N/A;21340172201787;3.86;43.60
"""


def test_no_limit_of_height_is_no_height_of_zero(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "bnls.csv", CAR_PARKS), lake)
    assert rows("parkings", ["nom", "hauteur_max", "hauteur_max_absence"]) == [
        ("Comédie", 190.0, None), ("Prairie", None, "sans limite"),
    ]  # fmt: skip
    assert faults(outcome) == {}


GRANTS = """\
nomAttribuant;idAttribuant;dateConvention;nomBeneficiaire;idBeneficiaire;rnaBeneficiaire;objet;montant;nature;conditionsVersement
Ville;21340172201787;2024-03-01;Les Amis du parc;77567227221138;W343001234;Fête;25000;aide en numéraire;unique
Ville;2134017220178;2024-03-01;Le Cercle;;W343;Salle;1200;subvention;unique
"""


def test_the_report_on_grants_names_each_cell_that_is_not_of_the_schema(tmp_path: Path, lake: Path) -> None:
    outcome = imported(written(tmp_path, "scdl-subventions-2024.csv", GRANTS), lake)
    assert faults(outcome) == {
        "idattribuant": ((3, "2134017220178"),), "rnabeneficiaire": ((3, "W343"),), "nature": ((3, "subvention"),),
    }  # fmt: skip


def test_real_buildings_of_the_ign_keep_what_is_unknown_unknown(open_data: Path, lake: Path) -> None:
    source = open_data / "autres/batiments/bdtopo_v3_12174.zip"
    outcome = imported(source, lake, town="12174")
    assert outcome.report is not None
    # As GDAL counts them: 2,273 buildings, 269 of them without a height, and as many whose precision says « none ».
    assert outcome.report.rows_kept == 2_273
    found = rows("batiments", ["hauteur", "prec_alti", "prec_alti_absence"], town="12174")
    assert sum(height is None for height, _precision, _why in found) == 269
    assert {why for _height, precision, why in found if precision is None} == {"sans objet"}
    assert sum(precision is None for _height, precision, _why in found) == 269
