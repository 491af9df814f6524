"""People and what they do: census, shops, schools, care, sales, energy labels, associations."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import iris_codes, people_of, siren_of
from beffroi.lake.town.names import FIRST_NAMES, LAST_NAMES, SHOP_SIGNS, SIGN_NOUNS
from beffroi.lake.town.plan import DEPARTMENT, INSEE, NAME, POSTCODE, YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.tallies import trades_of, write_families, write_incomes


def write_census(city: City, writer: Writer) -> None:
    """Write population by IRIS with the variables of the census base."""
    count = len(city.iris.shape)
    people = people_of(city, city.iris.of_cell, count)
    rng = city.rng("census")
    shares = rng.dirichlet(np.array([17, 17, 20, 20, 16, 10]) * 4.0, count)
    ages = np.floor(shares * people[:, None]).astype(int)
    ages[:, 2] += people - ages.sum(axis=1)
    zone = city.iris.of_cell[city.cell_of_parcel[city.buildings.parcel]]
    homes = np.bincount(zone, weights=city.buildings.dwellings, minlength=count).astype(int)
    empty = np.round(homes * rng.uniform(0.03, 0.12, count)).astype(int)
    columns: dict[str, Array] = {
        "IRIS": iris_codes(city),
        "COM": np.full(count, INSEE),
        "LIBCOM": np.full(count, NAME),
        "P22_POP": people,
        "P22_LOG": homes,
        "P22_LOGVAC": empty,
        "REV_MED": rng.integers(17_500, 31_000, count) // 10 * 10,
    }
    for column, name in enumerate(("0014", "1529", "3044", "4559", "6074", "75P")):
        columns[f"P22_POP{name}"] = ages[:, column]
    columns |= trades_of(city, people - ages[:, 0])
    writer.table("population/base-ic-evol-struct-pop-2022.csv", "Population par IRIS", columns, separator=";")
    write_families(city, writer, homes - empty)
    write_incomes(city, writer, columns["REV_MED"], people)


_TRADES = (
    ("47.11B", "Commerce d'alimentation générale"),
    ("10.71C", "Boulangerie et boulangerie-pâtisserie"),
    ("56.10A", "Restauration traditionnelle"),
    ("56.10C", "Restauration de type rapide"),
    ("56.30Z", "Débits de boissons"),
    ("96.02A", "Coiffure"),
    ("47.73Z", "Pharmacie"),
    ("47.71Z", "Commerce de détail d'habillement"),
    ("47.61Z", "Commerce de détail de livres"),
    ("86.21Z", "Activité des médecins généralistes"),
    ("86.90E", "Professionnels de la rééducation"),
    ("64.19Z", "Autres intermédiations monétaires"),
    ("68.31Z", "Agences immobilières"),
    ("69.10Z", "Activités juridiques"),
    ("62.01Z", "Programmation informatique"),
    ("43.21A", "Travaux d'installation électrique"),
    ("43.22A", "Travaux d'installation d'eau et de gaz"),
    ("45.20A", "Entretien et réparation de véhicules"),
    ("47.52B", "Quincaillerie"),
    ("95.29Z", "Réparation d'autres biens personnels"),
    ("47.11F", "Hypermarchés"),
    ("52.10B", "Entreposage et stockage"),
    ("25.62B", "Mécanique industrielle"),
    ("55.10Z", "Hôtels et hébergement similaire"),
    ("01.50Z", "Culture et élevage associés"),
)
_BANDS = ("NN", "00", "01", "02", "03", "11", "12", "21", "22")


def write_companies(city: City, writer: Writer) -> None:
    """Write establishments with the column names of SIRENE; the owner's name is there to be restricted."""
    rng = city.rng("companies")
    buildings = city.buildings
    reachable = city.addresses.of_building >= 0
    chance = np.select(
        [
            buildings.fabric == Fabric.CORE,
            buildings.fabric == Fabric.GRID,
            buildings.fabric == Fabric.FAUBOURG,
            buildings.fabric == Fabric.ACTIVITY,
            buildings.fabric == Fabric.ESTATE,
        ],
        [0.75, 0.4, 0.18, 2.0, 0.3],
        0.07,
    )
    number = np.where(reachable & (buildings.program == ""), rng.poisson(chance), 0)
    host = np.repeat(np.arange(len(number)), number)
    count = len(host)
    industry = buildings.fabric[host] == Fabric.ACTIVITY
    trade = np.where(industry, rng.integers(14, 24, count), rng.integers(0, 20, count))
    address = city.addresses.of_building[host]
    metres = writer.origin.lambert(city.addresses.point[address])
    siren = [
        siren_of(f"001{index:05d}") if count < 100_000 else siren_of(f"00{index + 100_000:06d}")
        for index in range(count)
    ]
    street = city.street_name[city.addresses.street[address]]
    kind = [text.partition(" ") for text in street.tolist()]
    person = rng.random(count) < 0.35
    first = np.array(FIRST_NAMES)[rng.integers(0, len(FIRST_NAMES), count)]
    last = np.array(LAST_NAMES)[rng.integers(0, len(LAST_NAMES), count)]
    sign = [
        f"{SHOP_SIGNS[a]} {SIGN_NOUNS[b]}"
        for a, b in zip(
            rng.integers(0, len(SHOP_SIGNS), count).tolist(),
            rng.integers(0, len(SIGN_NOUNS), count).tolist(),
            strict=True,
        )
    ]
    year = rng.integers(1985, YEAR, count)
    closed = rng.random(count) < 0.12
    ended = np.minimum(YEAR - 1, np.maximum(year, YEAR - rng.integers(1, 7, count)))
    writer.table(
        "economie/StockEtablissement_00001.csv",
        "Établissements (SIRENE)",
        {
            "siren": siren,
            "nic": ["00017"] * count,
            "siret": [text + "00017" for text in siren],
            "statutDiffusionEtablissement": ["O"] * count,
            "dateCreationEtablissement": [
                f"{y}-{m:02d}-01" for y, m in zip(year.tolist(), rng.integers(1, 13, count).tolist(), strict=True)
            ],
            "trancheEffectifsEtablissement": np.array(_BANDS)[
                np.minimum(rng.geometric(0.45, count) - 1 + industry * 2, 8)
            ],
            "etablissementSiege": ["true"] * count,
            "nomUniteLegale": np.where(person, np.char.upper(last), ""),
            "prenom1UniteLegale": np.where(person, np.char.upper(first), ""),
            "denominationUniteLegale": np.where(person, "", np.char.upper(np.array(sign))),
            "numeroVoieEtablissement": city.addresses.number[address],
            "typeVoieEtablissement": [part[0].upper() for part in kind],
            "libelleVoieEtablissement": [part[2].upper() for part in kind],
            "codePostalEtablissement": [POSTCODE] * count,
            "libelleCommuneEtablissement": [NAME.upper()] * count,
            "codeCommuneEtablissement": [INSEE] * count,
            "coordonneeLambertAbscisseEtablissement": metres[:, 0],
            "coordonneeLambertOrdonneeEtablissement": metres[:, 1],
            "etatAdministratifEtablissement": np.where(closed, "F", "A"),
            # Of a closed one, it is the day it closed.
            "dateDebut": [
                f"{a if flag else b}-06-30"
                for a, b, flag in zip(ended.tolist(), year.tolist(), closed.tolist(), strict=True)
            ],
            "enseigne1Etablissement": sign,
            "activitePrincipaleEtablissement": np.array([code for code, _ in _TRADES])[trade],
            "libelleActivitePrincipale": np.array([label for _, label in _TRADES])[trade],
            "identifiantAdresseEtablissement": city.addresses.key[address],
        },
    )


def _sites(city: City, kinds: tuple[str, ...]) -> Array:
    """Return one main building for each site of these programs that has an address."""
    fits = np.isin(city.buildings.program, kinds) & (city.addresses.of_building >= 0) & city.buildings.main
    candidates = np.flatnonzero(fits)
    _, first = np.unique(city.buildings.parcel[candidates], return_index=True)
    chosen: Array = candidates[first]
    return chosen


def school_sites(city: City) -> tuple[Array, list[str]]:
    """Return the main building of each school, and its name."""
    chosen = _sites(city, ("ecole", "college", "lycee"))
    kind = city.buildings.program[chosen]
    title = np.select([kind == "college", kind == "lycee"], ["Collège", "Lycée"], "École primaire")
    streets = city.rng("schools").permutation(len(city.street_name))[: len(chosen)]
    return chosen, [
        f"{a} {city.street_name[b].partition(' ')[2]}" for a, b in zip(title.tolist(), streets.tolist(), strict=True)
    ]


def write_schools(city: City, writer: Writer) -> None:
    """Write schools with the column names of the Annuaire de l'éducation, and their number of pupils."""
    chosen, names = school_sites(city)
    rng = city.rng("pupils")
    count = len(chosen)
    kind = city.buildings.program[chosen]
    address = city.addresses.of_building[chosen]
    degrees = writer.origin.degrees(city.addresses.point[address])
    pupils_total = np.array([0.105, 0.05, 0.035])
    order = np.select([kind == "college", kind == "lycee"], [1, 2], 0)
    each = pupils_total[order] * city.scale.population / np.maximum(np.bincount(order, minlength=3)[order], 1)
    writer.table(
        "education/annuaire-education.csv",
        "Établissements scolaires",
        {
            "Identifiant_de_l_etablissement": [f"000{index + 1:04d}X" for index in range(count)],
            "Nom_etablissement": names,
            "Type_etablissement": np.select([kind == "college", kind == "lycee"], ["Collège", "Lycée"], "Ecole"),
            "Statut_public_prive": np.where(rng.random(count) < 0.84, "Public", "Privé"),
            "Adresse_1": city.address_text(address),
            "Code_postal": [POSTCODE] * count,
            "Code_commune": [INSEE] * count,
            "Nom_commune": [NAME] * count,
            "Restauration": rng.integers(0, 2, count),
            "Nombre_d_eleves": np.round(each * rng.uniform(0.75, 1.25, count)).astype(int),
            "latitude": degrees[:, 1],
            "longitude": degrees[:, 0],
        },
        separator=";",
    )


_CODES = {
    "mairie": ("A129", "Mairie"),
    "eglise": ("F3xx", "Lieu de culte"),
    "marche": ("B3xx", "Halle de marché"),
    "ecole": ("C109", "École primaire"),
    "college": ("C201", "Collège"),
    "lycee": ("C301", "Lycée général et technologique"),
    "hopital": ("D106", "Urgences"),
    "maison_de_retraite": ("D401", "Hébergement pour personnes âgées"),
    "piscine": ("F101", "Bassin de natation"),
    "salle_polyvalente": ("F121", "Salle multisports"),
    "mediatheque": ("F307", "Bibliothèque"),
    "dechetterie": ("A504", "Déchetterie"),
    "stade": ("F111", "Plateau et terrain de jeux extérieurs"),
    "square": ("F2xx", "Square"),
    "cimetiere": ("A3xx", "Cimetière"),
}


def _doctors(city: City) -> Array:
    """Return the address of each general practitioner: fewer than elsewhere, and mostly about the centre."""
    rng, fabric = city.rng("doctors"), city.parcels.fabric[city.addresses.parcel]
    centre = np.isin(fabric, (Fabric.CORE, Fabric.FAUBOURG))
    draw = rng.random(len(fabric)) / np.where(centre, 4.0, 1.0)
    return np.argsort(draw, kind="stable")[: max(1, city.scale.population // 1_400)]


def write_facilities(city: City, writer: Writer) -> None:
    """Write public facilities with the codes of the Base permanente des équipements, care included, and FINESS."""
    parcels = city.parcels
    chosen = np.flatnonzero(np.isin(parcels.program, list(_CODES)))
    kind = parcels.program[chosen]
    metres = writer.origin.lambert(shapely.get_coordinates(shapely.point_on_surface(parcels.shape[chosen])))
    iris = iris_codes(city)[city.iris.of_cell[city.cell_of_parcel[chosen]]]
    street = city.street_name[city.frontage.street[chosen]]
    rank = np.zeros(len(chosen), dtype=int)
    for name in np.unique(kind):
        rank[kind == name] = np.arange(1, (kind == name).sum() + 1)
    doctors = _doctors(city)
    parcel = city.addresses.parcel[doctors]
    count = len(chosen) + len(doctors)
    metres = np.concatenate([metres, writer.origin.lambert(city.addresses.point[doctors])])
    writer.table(
        "equipements/bpe.csv",
        "Équipements (BPE)",
        {
            "AN": [YEAR - 1] * count,
            "DEPCOM": [INSEE] * count,
            "DCIRIS": [*iris, *iris_codes(city)[city.iris.of_cell[city.cell_of_parcel[parcel]]]],
            "TYPEQU": [*(_CODES[name][0] for name in kind.tolist()), *["D265"] * len(doctors)],
            "LIBELLE": [
                *(f"{_CODES[name][1]} n° {number}" for name, number in zip(kind.tolist(), rank.tolist(), strict=True)),
                *(f"Médecin généraliste n° {number + 1}" for number in range(len(doctors))),
            ],
            "VOIE": [*street, *city.street_name[city.addresses.street[doctors]]],
            "LAMBERT_X": metres[:, 0],
            "LAMBERT_Y": metres[:, 1],
            "QUALITE_XY": ["Bonne"] * count,
        },
        separator=";",
    )
    care = _sites(city, ("hopital", "maison_de_retraite"))
    address = city.addresses.of_building[care]
    degrees = writer.origin.degrees(city.addresses.point[address])
    hospital = city.buildings.program[care] == "hopital"
    writer.table(
        "sante/finess.csv",
        "Établissements de santé (FINESS)",
        {
            "nofinesset": [f"00{index + 1:07d}" for index in range(len(care))],
            "rs": [
                f"{'Centre hospitalier' if flag else 'Résidence'} {city.street_name[s].partition(' ')[2]}"
                for flag, s in zip(hospital.tolist(), city.addresses.street[address].tolist(), strict=True)
            ],
            "categetab": np.where(hospital, "355", "500"),
            "libcategetab": np.where(hospital, "Centre Hospitalier (C.H.)", "EHPAD"),
            "adresse": city.address_text(address),
            "commune": [INSEE] * len(care),
            "capacite": np.where(hospital, 240, 78),
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
        separator=";",
    )


def write_sales(city: City, writer: Writer) -> None:
    """Write five years of sales as DVF does, with its traps: a row per premises, the whole price on each."""
    rng = city.rng("sales")
    buildings = city.buildings
    homes = np.flatnonzero((buildings.dwellings > 0) & (city.addresses.of_building >= 0))
    weights = buildings.dwellings[homes] / buildings.dwellings[homes].sum()
    sales = int(buildings.dwellings.sum() * 0.028 * 5)
    host = homes[rng.choice(len(homes), sales, p=weights)]
    flat = buildings.dwellings[host] > 1
    surface = np.where(flat, rng.normal(62, 19, sales), rng.normal(104, 26, sales)).clip(18, 260).round().astype(int)
    centre = np.exp(-shapely.distance(buildings.shape[host], shapely.Point(0, 0)) / (city.scale.urban_m * 0.9))
    price = (
        surface
        * (1_450 + 1_300 * centre + 260 * np.log10(city.scale.population / 2_000))
        * rng.lognormal(0, 0.2, sales)
    )
    price = np.round(price, -2)
    symbolic = rng.random(sales) < 0.006
    price[symbolic] = 1.0
    # A sale has its dwelling, often a cellar or garage ("Dépendance"), at times a second dwelling or parcel.
    extra = rng.random(sales) < 0.42
    second = rng.random(sales) < 0.04
    row_sale = np.concatenate([np.arange(sales), np.flatnonzero(extra), np.flatnonzero(second)])
    part = np.concatenate([np.zeros(sales), np.ones(extra.sum()), np.full(second.sum(), 2)]).astype(int)
    order = np.lexsort((part, row_sale))
    row_sale, part = row_sale[order], part[order]
    day = np.sort(rng.integers(0, 365 * 5, sales))[row_sale]
    date = (np.datetime64(f"{YEAR - 5}-01-01") + day).astype(str)
    building = host[row_sale]
    address = city.addresses.of_building[building]
    degrees = writer.origin.degrees(city.addresses.point[address])
    annex = part == 1
    kind = np.where(annex, "Dépendance", np.where(flat[row_sale], "Appartement", "Maison"))
    ids = city.parcel_id[buildings.parcel[building]]
    land = np.round(shapely.area(city.parcels.shape[buildings.parcel[building]])).astype(int)

    def unless_annex(values: Array) -> list[object]:
        return [None if skip else value for value, skip in zip(values.tolist(), annex.tolist(), strict=True)]

    rooms = np.clip(np.round(surface / 22), 1, 9).astype(int)[row_sale]
    writer.table(
        "immobilier/dvf_00001.csv",
        "Demandes de valeurs foncières",
        {
            "id_mutation": [f"{d[:4]}-{i + 1}" for d, i in zip(date.tolist(), row_sale.tolist(), strict=True)],
            "date_mutation": date,
            "numero_disposition": [f"{1:06d}"] * len(row_sale),
            "nature_mutation": np.where(
                symbolic[row_sale],
                "Adjudication",
                np.where(rng.random(sales) < 0.05, "Vente en l'état futur d'achèvement", "Vente")[row_sale],
            ),
            "valeur_fonciere": price[row_sale],
            "adresse_numero": city.addresses.number[address],
            "adresse_suffixe": [""] * len(row_sale),
            "adresse_nom_voie": np.char.upper(city.street_name[city.addresses.street[address]]),
            "adresse_code_voie": city.street_code[city.addresses.street[address]],
            "code_postal": [POSTCODE] * len(row_sale),
            "code_commune": [INSEE] * len(row_sale),
            "nom_commune": [NAME] * len(row_sale),
            "code_departement": [DEPARTMENT] * len(row_sale),
            "id_parcelle": ids,
            "nombre_lots": flat[row_sale].astype(int),
            "code_type_local": np.where(annex, "3", np.where(flat[row_sale], "2", "1")),
            "type_local": kind,
            "surface_reelle_bati": unless_annex(surface[row_sale]),
            "nombre_pieces_principales": np.where(annex, 0, rooms),
            "code_nature_culture": np.where(flat[row_sale], "", "S"),
            "nature_culture": np.where(flat[row_sale], "", "sols"),
            "surface_terrain": [None if f else s for f, s in zip(flat[row_sale].tolist(), land.tolist(), strict=True)],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
    )


_KWH = {"A": 55, "B": 92, "C": 150, "D": 215, "E": 290, "F": 375, "G": 480}


def write_energy(city: City, writer: Writer) -> None:
    """Write energy labels (DPE) for a third of the homes, as ADEME does."""
    rng = city.rng("energy")
    buildings = city.buildings
    chosen = np.flatnonzero(
        (buildings.dwellings > 0) & (city.addresses.of_building >= 0) & (rng.random(len(buildings.shape)) < 0.34)
    )
    count = len(chosen)
    address = city.addresses.of_building[chosen]
    label = buildings.energy[chosen]
    use = np.round(np.array([_KWH[text] for text in label.tolist()]) * rng.uniform(0.88, 1.1, count)).astype(int)
    gas = np.minimum(np.searchsorted([6, 11, 30, 50, 70, 100], use * 0.19), 6)
    metres = writer.origin.lambert(city.addresses.point[address])
    writer.table(
        "energie/dpe_logements.csv",
        "Diagnostics de performance énergétique",
        {
            "numero_dpe": [f"00{YEAR % 100 - 2}E{index + 1:07d}X" for index in range(count)],
            "date_etablissement_dpe": [
                f"{y}-{m:02d}-{d:02d}"
                for y, m, d in zip(
                    rng.integers(2021, YEAR, count).tolist(),
                    rng.integers(1, 13, count).tolist(),
                    rng.integers(1, 29, count).tolist(),
                    strict=True,
                )
            ],
            "etiquette_dpe": label,
            "etiquette_ges": np.array(list("ABCDEFG"))[gas],
            "conso_5_usages_par_m2_ep": use,
            "emission_ges_5_usages_par_m2": np.round(use * 0.19).astype(int),
            "type_batiment": np.where(buildings.dwellings[chosen] > 1, "immeuble", "maison"),
            "annee_construction": buildings.year[chosen],
            "surface_habitable_logement": np.round(rng.normal(84, 24, count).clip(20, 240), 1),
            "adresse_ban": city.address_text(address),
            "identifiant_ban": city.addresses.key[address],
            "code_insee_ban": [INSEE] * count,
            "coordonnee_cartographique_x_ban": metres[:, 0],
            "coordonnee_cartographique_y_ban": metres[:, 1],
            "id_rnb": city.building_id[chosen],
        },
    )


_OFFENCES = ("Vols", "Dégradations", "Violences", "Troubles à la tranquillité")
_TOLD_BY = ("Police nationale", "Police municipale", "Habitants")


def write_offences(city: City, writer: Writer) -> None:
    """Write offences of the last two years, which never happened; streets near the centre have more."""
    rng = city.rng("offences")
    network = city.network
    count = max(30, city.scale.population // 11)
    middles = shapely.get_coordinates(shapely.centroid(network.segments))
    away = np.hypot(*(middles - np.median(middles, axis=0)).T)
    weight = shapely.length(network.segments) * np.exp(-away / max(away.max() / 3, 1.0))
    segment = rng.choice(len(weight), count, p=weight / weight.sum())
    degrees = writer.origin.degrees(
        shapely.get_coordinates(
            shapely.line_interpolate_point(network.segments[segment], rng.random(count), normalized=True)
        )
    )
    days = np.sort(rng.integers(0, 730, count))
    writer.table(
        "securite/infractions.csv",
        "Infractions constatées (réservé à la police municipale)",
        {
            "numero": [f"INF{index + 1:06d}" for index in range(count)],
            "date_faits": (np.datetime64(f"{YEAR - 2}-01-01") + days).astype(str),
            "nature": rng.choice(_OFFENCES, count, p=[0.42, 0.26, 0.12, 0.2]),
            "source": rng.choice(_TOLD_BY, count, p=[0.55, 0.3, 0.15]),
            "voie": city.street_name[network.street_of_segment[segment]],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
        separator=";",
    )
