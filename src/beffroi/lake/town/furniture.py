"""What stands along the streets: lamps, trees, benches, bins, defibrillators, chargers, bays, cycle lanes."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import siren_of
from beffroi.lake.town.hourly import write_filling
from beffroi.lake.town.plan import INSEE, NAME, YEAR, Fabric
from beffroi.lake.town.shapes import Array, left_of, unit
from beffroi.lake.town.streets import Way


def along_streets(city: City, segments: Array, *, every_m: float, offset_m: Array, both: Array) -> tuple[Array, Array]:
    """Return points set every so many metres beside some segments, and the segment of each.

    `offset_m` is the distance to the axis, per segment. Points stand on both sides where `both`, else alternate.
    """
    lines = city.network.segments[segments]
    count = np.floor(shapely.length(lines) / every_m).astype(int)
    owner = np.repeat(np.arange(len(segments)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    at = (rank + 0.5) * every_m
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines[owner], at))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[owner], at + 0.5))
    side = left_of(unit(ahead - here)) * offset_m[owner][:, None]
    flip = np.where(rank % 2 == 0, 1.0, -1.0)[:, None]
    one = here + side * flip
    twin = both[owner]
    points = np.concatenate([one, (here - side * flip)[twin]])
    source = np.concatenate([owner, owner[twin]])
    order = np.argsort(source, kind="stable")
    return points[order], segments[source[order]]


def urban_segments(city: City) -> Array:
    """Return the segments inside the town (hamlets' too), tracks left out."""
    network = city.network
    middle = shapely.get_coordinates(shapely.line_interpolate_point(network.segments, 0.5, normalized=True))
    inside = network.shape.depth(middle, city.scale.urban_m) < 1.12
    hamlet = network.fabric_of_street[network.street_of_segment] == Fabric.HAMLET
    track = network.way[network.street_of_segment] == Way.TRACK
    return np.flatnonzero((inside | hamlet) & ~track)


def write_lamps(city: City, writer: Writer) -> None:
    """Write street lamps: a CSV in cp1252 with decimal commas and Lambert-93 coordinates, as many towns publish it."""
    network, rng = city.network, city.rng("lamps")
    segments = urban_segments(city)
    street = network.street_of_segment[segments]
    way = network.way[street]
    points, segment = along_streets(
        city, segments, every_m=27.0, offset_m=network.width_m[street] / 2 - 0.5, both=way == Way.BOULEVARD
    )
    wet = shapely.contains_xy(city.network.river, points[:, 0], points[:, 1])
    points, segment = points[~wet], segment[~wet]
    street = network.street_of_segment[segment]
    count = len(points)
    led = rng.random(count) < 0.58
    power = np.where(led, rng.choice([28, 39, 54], count), rng.choice([70, 100, 150], count))
    kelvin = np.where(led, rng.choice([2200, 2700, 3000, 4000], count, p=[0.15, 0.4, 0.35, 0.1]), 2000)
    metres = writer.origin.lambert(points)
    off = rng.random(count) < 0.35

    def comma(values: Array, digits: int) -> list[str]:
        return [f"{value:.{digits}f}".replace(".", ",") for value in values.tolist()]

    writer.table(
        "eclairage/points_lumineux.csv",
        "Points lumineux",
        {
            "ID_PL": [f"PL{index + 1:06d}" for index in range(count)],
            "X_L93": comma(metres[:, 0], 2),
            "Y_L93": comma(metres[:, 1], 2),
            "Voie": city.street_name[street],
            "Source": np.where(led, "LED", "Sodium haute pression"),
            "Puissance (W)": power,
            "Température de couleur (K)": kelvin,
            "Flux (lm)": np.where(led, power * 125, power * 95),
            "Hauteur (m)": comma(
                np.where(
                    network.way[street] == Way.BOULEVARD, 9.0, np.where(network.way[street] <= Way.AVENUE, 7.5, 5.5)
                ),
                1,
            ),
            "Extinction": np.where(off, "23h30-5h30", "Aucune"),
            "Date de pose": [
                f"{day:02d}/{month:02d}/{year}"
                for day, month, year in zip(
                    rng.integers(1, 29, count).tolist(),
                    rng.integers(1, 13, count).tolist(),
                    np.where(led, rng.integers(2013, YEAR, count), rng.integers(1982, 2012, count)).tolist(),
                    strict=True,
                )
            ],
            "Armoire": [f"AR{index % max(1, count // 60) + 1:04d}" for index in (segment // 6).tolist()],
        },
        separator=";",
        encoding="cp1252",
    )


_SPECIES = (
    ("Platanus", "x hispanica", "Platane commun", 18),
    ("Tilia", "cordata", "Tilleul à petites feuilles", 15),
    ("Acer", "platanoides", "Érable plane", 14),
    ("Celtis", "australis", "Micocoulier", 13),
    ("Quercus", "ilex", "Chêne vert", 11),
    ("Pinus", "pinaster", "Pin maritime", 17),
    ("Prunus", "cerasifera", "Prunier myrobolan", 7),
    ("Fraxinus", "excelsior", "Frêne élevé", 16),
    ("Betula", "pendula", "Bouleau verruqueux", 13),
    ("Alnus", "glutinosa", "Aulne glutineux", 14),
    ("Ginkgo", "biloba", "Arbre aux quarante écus", 12),
    ("Liquidambar", "styraciflua", "Copalme d'Amérique", 13),
)


def write_trees(city: City, writer: Writer) -> None:
    """Write trees of avenues, squares and parks, one species a street."""
    network, rng = city.network, city.rng("trees")
    segments = urban_segments(city)
    street = network.street_of_segment[segments]
    way = network.way[street]
    planted = (way <= Way.AVENUE) | (
        (way == Way.STREET) & (network.fabric_of_street[street] != Fabric.CORE) & (street % 4 == 0)
    )
    segments = segments[planted]
    street = network.street_of_segment[segments]
    offset = network.width_m[street] / 2 - 1.9
    rows, segment = along_streets(city, segments, every_m=11.0, offset_m=offset, both=network.way[street] <= Way.AVENUE)
    species = network.street_of_segment[segment] * 7 % len(_SPECIES)
    green = np.flatnonzero(
        (city.parcels.fabric == Fabric.PARK) | np.isin(city.parcels.program, ("square", "place", "cimetiere"))
    )
    number = np.clip(
        shapely.area(city.parcels.shape[green]) / np.where(city.parcels.fabric[green] == Fabric.PARK, 260, 150), 1, 900
    ).astype(int)
    owner = np.repeat(green, number)
    box = shapely.bounds(city.parcels.shape)[owner]
    inside = np.stack([rng.uniform(box[:, 0], box[:, 2]), rng.uniform(box[:, 1], box[:, 3])], axis=1)
    good = shapely.contains_xy(city.parcels.shape[owner], inside[:, 0], inside[:, 1])
    points = np.concatenate([rows, inside[good]])
    place = np.concatenate([np.full(len(rows), "alignement"), np.full(good.sum(), "parc")])
    kind = np.concatenate([species, rng.integers(0, len(_SPECIES), good.sum())])
    kind = np.where(rng.random(len(kind)) < 0.07, rng.integers(0, len(_SPECIES), len(kind)), kind)
    wet = shapely.contains_xy(city.network.river, points[:, 0], points[:, 1])
    keep = ~wet & ((rng.random(len(points)) > 0.08) | (place == "parc"))
    points, place, kind = points[keep], place[keep], kind[keep]
    tall = np.array([item[3] for item in _SPECIES])[kind]
    planted_in = rng.integers(1935, YEAR, len(points))
    height = np.round(tall * np.clip((YEAR - planted_in + 6) / 55, 0.15, 1) * rng.uniform(0.8, 1.15, len(points)), 1)
    writer.geojson(
        "espaces_verts/arbres.geojson",
        "Arbres",
        shapely.points(points),
        {
            "id_arbre": [f"ARB{index + 1:06d}" for index in range(len(points))],
            "genre": np.array([item[0] for item in _SPECIES])[kind],
            "espece": np.array([item[1] for item in _SPECIES])[kind],
            "nom_francais": np.array([item[2] for item in _SPECIES])[kind],
            "hauteur_m": height,
            "circonference_cm": np.round(height * rng.uniform(7, 12, len(points))).astype(int),
            "annee_plantation": planted_in,
            "emplacement": place,
            "remarquable": (planted_in < 1950) & (height > 16) & (rng.random(len(points)) < 0.15),
        },
    )


def write_small_things(city: City, writer: Writer) -> None:
    """Write benches, bins, glass containers, playgrounds and defibrillators."""
    network, rng = city.network, city.rng("furniture")
    segments = urban_segments(city)
    street = network.street_of_segment[segments]
    curb = network.width_m[street] / 2 - 1.0
    none = np.zeros(len(segments), dtype=bool)
    for path, title, every_m, share, names in (
        ("mobilier/bancs.geojson", "Bancs", 45.0, 0.5, ("Bois", "Pierre", "Métal")),
        ("mobilier/corbeilles.geojson", "Corbeilles de rue", 60.0, 0.55, ("Simple", "Tri", "Cendrier")),
    ):
        points, segment = along_streets(city, segments, every_m=every_m, offset_m=curb, both=none)
        keep = (rng.random(len(points)) < share) & (network.way[network.street_of_segment[segment]] != Way.CUL_DE_SAC)
        points, segment = points[keep], segment[keep]
        writer.geojson(
            path,
            title,
            shapely.points(points),
            {
                "id": np.arange(1, len(points) + 1),
                "modele": np.array(names)[rng.integers(0, 3, len(points))],
                "voie": city.street_name[network.street_of_segment[segment]],
            },
        )
    points, segment = along_streets(city, segments, every_m=38.0, offset_m=curb, both=none)
    chosen = np.sort(rng.permutation(len(points))[: max(4, city.scale.population // 450)])
    writer.kml(
        "dechets/colonnes_verre.kml",
        "Colonnes à verre",
        shapely.points(points[chosen]),
        {
            "Name": np.char.add("Colonne à verre ", np.arange(1, len(chosen) + 1).astype(str)),
            "Description": city.street_name[network.street_of_segment[segment[chosen]]],
            "volume_m3": np.array([3, 4])[rng.integers(0, 2, len(chosen))],
        },
    )
    _write_playgrounds(city, writer, rng)
    _write_defibrillators(city, writer, rng)


def _write_playgrounds(city: City, writer: Writer, rng: np.random.Generator) -> None:
    """Write playgrounds of parks and squares, and some at the foot of the blocks: not all are in a park."""
    green = np.flatnonzero((city.parcels.fabric == Fabric.PARK) | (city.parcels.program == "square"))
    foot = np.flatnonzero((city.parcels.fabric == Fabric.ESTATE) & (city.parcels.program == ""))
    if not len(foot):
        foot = np.flatnonzero(city.parcels.fabric == Fabric.SUBURB)
    foot = np.sort(rng.permutation(foot)[: max(2, city.scale.population // 4_000)])
    at = np.concatenate([green, foot])
    square = city.parcels.program[at] == "square"
    place = np.where(np.arange(len(at)) >= len(green), "Pied d’immeuble", np.where(square, "Square", "Parc"))
    young = rng.choice([1, 2, 3, 6], len(at))
    writer.geojson(
        "espaces_verts/aires_jeux.geojson",
        "Aires de jeux",
        shapely.point_on_surface(city.parcels.shape[at]),
        {
            "nom": np.char.add("Aire de jeux n° ", np.arange(1, len(at) + 1).astype(str)),
            "lieu": place,
            "voie": city.street_name[city.frontage.street[at]],
            "age_min": young,
            "age_max": young + rng.choice([4, 6, 8], len(at)),
            "horaires": np.where(
                place == "Pied d’immeuble", "24/7", rng.choice(["Mo-Su 08:00-20:00", "Mo-Su 07:30-19:00"], len(at))
            ),
            "accessible_pmr": rng.random(len(at)) < 0.5,
            "sol": rng.choice(["souple", "copeaux", "gravillon"], len(at)),
        },
    )


def _write_defibrillators(city: City, writer: Writer, rng: np.random.Generator) -> None:
    hosts = np.flatnonzero((city.buildings.program != "") & (city.addresses.of_building >= 0))
    chosen = np.sort(rng.permutation(hosts)[: max(3, city.scale.population // 900)])
    address = city.addresses.of_building[chosen]
    degrees = writer.origin.degrees(city.addresses.point[address])
    count = len(chosen)
    writer.table(
        "sante/defibrillateurs.csv",
        "Défibrillateurs (GéoDAE)",
        {
            "nom": np.char.add("DAE ", np.char.replace(np.char.capitalize(city.buildings.program[chosen]), "_", " ")),
            "lat_coor1": degrees[:, 1],
            "long_coor1": degrees[:, 0],
            "xy_precis": [1] * count,
            "id_adr": city.addresses.key[address],
            "adr_num": city.addresses.number[address],
            "adr_voie": city.street_name[city.addresses.street[address]],
            "com_cp": ["00100"] * count,
            "com_insee": [INSEE] * count,
            "com_nom": [NAME] * count,
            "acc": rng.choice(["Intérieur", "Extérieur"], count, p=[0.6, 0.4]),
            "acc_lib": rng.random(count) < 0.5,
            "acc_etg": ["rdc"] * count,
            "disp_j": rng.choice(["{lundi,mardi,mercredi,jeudi,vendredi}", "{7j/7}"], count),
            "disp_h": rng.choice(["{heures ouvrables}", "{24h/24}"], count),
            "tel1": ["+33000000000"] * count,
            "etat_fonct": ["En fonctionnement"] * count,
            "fab_siren": [siren_of("00000077")] * count,
            "fab_rais": ["Fabricant fictif"] * count,
            "dermnt": [f"{YEAR - 1}-{month:02d}-15" for month in rng.integers(1, 13, count).tolist()],
            "expt_siren": [siren_of("00000101")] * count,
            "expt_rais": [f"Commune de {NAME} (fictive)"] * count,
        },
    )


def write_mobility(city: City, writer: Writer) -> None:
    """Write cycle lanes, car parks (BNLS), chargers (IRVE) and reserved bays."""
    network, rng = city.network, city.rng("mobility")
    way = network.way[network.street_of_segment]
    inside = np.isin(np.arange(len(way)), urban_segments(city))
    lanes = np.flatnonzero(inside & (way <= Way.AVENUE) & (network.street_of_segment % 3 != 1))
    kind = np.where(
        way[lanes] == Way.QUAY, "VOIE VERTE", np.where(way[lanes] == Way.BOULEVARD, "PISTE CYCLABLE", "BANDE CYCLABLE")
    )
    writer.geojson(
        "mobilites/amenagements_cyclables.geojson",
        "Aménagements cyclables",
        network.segments[lanes],
        {
            "id_local": [f"AC{index + 1:05d}" for index in range(len(lanes))],
            "code_com_d": [INSEE] * len(lanes),
            "ame_d": kind,
            "sens_d": ["BIDIRECTIONNEL"] * len(lanes),
            "largeur_d": np.where(kind == "VOIE VERTE", 3.0, 2.0),
            "revet_d": ["LISSE"] * len(lanes),
            "nom_voie": city.street_name[network.street_of_segment[lanes]],
            "date_maj": [f"{YEAR}-01-01"] * len(lanes),
        },
    )
    parks = np.flatnonzero(city.parcels.program == "parking")
    degrees = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(city.parcels.shape[parks])))
    places = np.round(shapely.area(city.parcels.shape[parks]) / 27).astype(int)
    count = len(parks)
    # Those at the edge of the town are where one leaves the car for the bus.
    away = np.hypot(*shapely.get_coordinates(shapely.point_on_surface(city.parcels.shape[parks])).T)
    writer.table(
        "mobilites/parkings_bnls.csv",
        "Parcs de stationnement (BNLS)",
        {
            "id": [f"{INSEE}-P-{index + 1:03d}" for index in range(count)],
            "nom": city.street_name[city.frontage.street[parks]],
            "insee": [INSEE] * count,
            "adresse": city.street_name[city.frontage.street[parks]],
            "url": [""] * count,
            "type_usagers": ["tous"] * count,
            "gratuit": rng.random(count) < 0.6,
            "nb_places": places,
            "nb_pr": np.where(away > 0.6 * city.scale.urban_m, places // 2, 0),
            "nb_pmr": np.maximum(1, places // 50),
            "nb_voitures_electriques": places // 25,
            "nb_velo": places // 10,
            "hauteur_max": ["N/A"] * count,
            "num_siret": [siren_of("00000101") + "00017"] * count,
            "Xlong": degrees[:, 0],
            "Ylat": degrees[:, 1],
            "type_ouvrage": ["enclos_en_surface"] * count,
        },
        separator=";",
    )
    write_filling(city, writer, city.street_name[city.frontage.street[parks]], places)
    _write_chargers(city, writer, rng)


def _write_chargers(city: City, writer: Writer, rng: np.random.Generator) -> None:
    segments = urban_segments(city)
    curb = city.network.width_m[city.network.street_of_segment[segments]] / 2 - 0.8
    points, segment = along_streets(city, segments, every_m=50, offset_m=curb, both=np.zeros(len(segments), dtype=bool))
    chosen = np.sort(rng.permutation(len(points))[: max(2, city.scale.population // 1_400)])
    degrees = writer.origin.degrees(points[chosen])
    streets = city.street_name[city.network.street_of_segment[segment[chosen]]]
    two = np.repeat(np.arange(len(chosen)), 2)
    count = len(two)
    fast = rng.random(len(chosen)) < 0.2
    power = np.where(fast, 50, 22)[two]
    flag = {True: "true", False: "false"}
    writer.table(
        "mobilites/irve.csv",
        "Bornes de recharge (IRVE, schéma statique)",
        {
            "nom_amenageur": [f"Commune de {NAME} (fictive)"] * count,
            "siren_amenageur": [siren_of("00000101")] * count,
            "contact_amenageur": ["contact@valbruyere.example"] * count,
            "nom_operateur": ["Opérateur fictif"] * count,
            "contact_operateur": ["recharge@valbruyere.example"] * count,
            "telephone_operateur": [""] * count,
            "nom_enseigne": ["Onde Recharge"] * count,
            "id_station_itinerance": [f"FRZ00P{index + 1:05d}" for index in two.tolist()],
            "id_station_local": [""] * count,
            "nom_station": streets[two],
            "implantation_station": ["Voirie"] * count,
            "adresse_station": [f"{name}, 00100 {NAME}" for name in streets[two].tolist()],
            "code_insee_commune": [INSEE] * count,
            "coordonneesXY": [f"[{lon:.7f},{lat:.7f}]" for lon, lat in degrees[two].tolist()],
            "nbre_pdc": [2] * count,
            "id_pdc_itinerance": [f"FRZ00E{index // 2 + 1:05d}{index % 2 + 1}" for index in range(count)],
            "id_pdc_local": [""] * count,
            "puissance_nominale": power,
            "prise_type_ef": ["true"] * count,
            "prise_type_2": ["true"] * count,
            "prise_type_combo_ccs": [flag[bool(value > 22)] for value in power.tolist()],
            "prise_type_chademo": ["false"] * count,
            "prise_type_autre": ["false"] * count,
            "gratuit": ["false"] * count,
            "paiement_acte": ["true"] * count,
            "paiement_cb": [flag[bool(value > 22)] for value in power.tolist()],
            "paiement_autre": ["true"] * count,
            "tarification": ["0,35 € / kWh"] * count,
            "condition_acces": ["Accès libre"] * count,
            "reservation": ["false"] * count,
            "horaires": ["24/7"] * count,
            "accessibilite_pmr": ["Accessible mais non réservé PMR"] * count,
            "restriction_gabarit": ["Aucune"] * count,
            "station_deux_roues": ["false"] * count,
            "raccordement": ["Direct"] * count,
            "num_pdl": [""] * count,
            "date_mise_en_service": [f"{2019 + index % 6}-03-01" for index in two.tolist()],
            "observations": ["Ville fictive"] * count,
            "date_maj": [f"{YEAR}-01-01"] * count,
            "cable_t2_attache": ["false"] * count,
        },
    )
