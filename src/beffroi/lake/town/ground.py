"""The reference layers, as their publishers shape them: limits, cadastre, buildings, addresses, roads, plan, relief."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import DISTRICTS
from beffroi.lake.town.plan import DEPARTMENT, INSEE, NAME, NEIGHBOURS, POSTCODE, YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way
from beffroi.lake.town.terrain import STEP_M, contour_lines


def siren_of(stem: str) -> str:
    """Return the nine-digit SIREN that starts with the eight digits of `stem`: its last digit is the Luhn key.

    >>> siren_of("00000001")
    '000000018'
    """
    total = sum(sum(divmod(int(digit) * (1 + rank % 2), 10)) for rank, digit in enumerate(stem))
    return stem + str(-total % 10)


GROUPING_SIREN = siren_of("00000001")


def write_limits(city: City, writer: Writer) -> None:
    """Write communes, districts, IRIS and polling stations."""
    small = [max(300, city.scale.population // 12), max(250, city.scale.population // 20)]
    codes = [INSEE, *(code for code, _ in NEIGHBOURS)]
    shapes = np.array([city.network.boundary, *city.network.neighbours], dtype=object)
    writer.geojson(
        "referentiels/communes.geojson",
        "Communes",
        shapes,
        {
            "INSEE_COM": codes,
            "NOM": [NAME, *(name for _, name in NEIGHBOURS)],
            "POPULATION": np.array([city.scale.population, *small]),
            "INSEE_DEP": [DEPARTMENT] * 3,
            "SIREN_EPCI": [GROUPING_SIREN] * 3,
            "SURFACE_HA": np.round(shapely.area(shapes) / 1e4, 1),
        },
    )
    count = len(city.districts.shape)
    writer.geojson(
        "referentiels/quartiers.geojson",
        "Quartiers",
        city.districts.shape,
        {
            "code": np.arange(1, count + 1),
            "nom": district_names(city),
            "population": people_of(city, city.districts.of_cell, count),
        },
    )
    count = len(city.iris.shape)
    writer.geopackage(
        "referentiels/iris.gpkg",
        "IRIS",
        city.iris.shape,
        {
            "code_iris": iris_codes(city),
            "iris": np.char.zfill(np.arange(101, 101 + count).astype(str), 4),
            "nom_iris": np.char.add("Îlot ", np.arange(1, count + 1).astype(str)),
            "insee_com": [INSEE] * count,
            "nom_com": [NAME] * count,
            "typ_iris": ["H"] * count,
        },
    )
    count = len(city.polling.shape)
    writer.geojson(
        "referentiels/bureaux_vote.geojson",
        "Périmètres des bureaux de vote",
        city.polling.shape,
        {
            "codeBureauVote": [f"{INSEE}_{index + 1:04d}" for index in range(count)],
            "numeroBureauVote": np.char.zfill(np.arange(1, count + 1).astype(str), 4),
            "codeCommune": [INSEE] * count,
            "nomCommune": [NAME] * count,
        },
    )


def district_names(city: City) -> list[str]:
    """Name the districts; the one of the town centre is "Centre-Beffroi"."""
    count = len(city.districts.shape)
    centre = int(np.argmin(shapely.distance(city.districts.shape, shapely.Point(0, 0))))
    rest = iter(DISTRICTS[1:])
    return [DISTRICTS[0] if index == centre else next(rest) for index in range(count)]


def iris_codes(city: City) -> Array:
    """Return nine-character IRIS codes."""
    count = len(city.iris.shape)
    return np.char.add(INSEE, np.char.zfill(np.arange(101, 101 + count).astype(str), 4))


def people_of(city: City, of_cell: Array, count: int) -> Array:
    """Return the inhabitants of each zone of a division; their sum is the population."""
    zone = of_cell[city.cell_of_parcel[city.buildings.parcel]]
    return np.bincount(zone, weights=city.buildings.people, minlength=count).astype(int)


def write_cadastre(city: City, writer: Writer) -> None:
    """Write parcels and buildings with the field names of the Etalab cadastre."""
    parcels, ids = city.parcels, city.parcel_id
    count = len(ids)
    rng = city.rng("cadastre")
    created = [
        f"{year}-{month:02d}-{day:02d}"
        for year, month, day in zip(
            rng.integers(2005, 2024, count).tolist(),
            rng.integers(1, 13, count).tolist(),
            rng.integers(1, 29, count).tolist(),
            strict=True,
        )
    ]
    writer.geojson(
        "cadastre/cadastre-00001-parcelles.json",
        "Parcelles cadastrales",
        parcels.shape,
        {
            "id": ids,
            "commune": [INSEE] * count,
            "prefixe": ["000"] * count,
            "section": [text[8:10] for text in ids.tolist()],
            "numero": [str(int(text[10:])) for text in ids.tolist()],
            "contenance": np.round(shapely.area(parcels.shape)).astype(int),
            "arpente": rng.random(count) < 0.4,
            "created": created,
            "updated": [f"{YEAR - 1}-06-30"] * count,
        },
    )
    buildings = city.buildings
    writer.geojson(
        "cadastre/cadastre-00001-batiments.json",
        "Bâtiments du cadastre",
        buildings.shape,
        {
            "type": np.where(buildings.main, "01", "02"),
            "nom": np.where(buildings.program == "eglise", "Église", ""),
            "commune": [INSEE] * len(buildings.shape),
            "created": [f"{max(1990, year)}-01-01" for year in buildings.year.tolist()],
            "updated": [f"{YEAR - 1}-06-30"] * len(buildings.shape),
        },
    )


def cleabs(kind: str, count: int) -> Array:
    """Return BD TOPO identifiers: 24 characters, in a range (9…) that IGN does not use."""
    return np.char.add(
        f"{kind:_<8}".replace("_", "0"), np.char.zfill((9_000_000_000 + np.arange(count)).astype(str), 16)
    )


def write_buildings(city: City, writer: Writer) -> None:
    """Write buildings as BD TOPO (shapefile) and RNB (CSV) do."""
    buildings = city.buildings
    count = len(buildings.shape)
    ids = cleabs("BATIMENT", count)
    use1 = np.where(buildings.use == "Annexe", "Annexe", buildings.use)
    kind = np.select(
        [buildings.program == "eglise", buildings.use == "Industriel"],
        ["Eglise", "Industriel, agricole ou commercial"],
        "Indifférenciée",
    )
    writer.shapefile(
        "batiments/BDTOPO_BATIMENT_00001.zip",
        "Bâtiments (BD TOPO)",
        "BATIMENT",
        buildings.shape,
        {
            "ID": ids,
            "NATURE": kind,
            "USAGE1": use1,
            "LEGER": np.where(buildings.main, "Non", "Oui"),
            "ETAT": ["En service"] * count,
            "DATE_APP": np.char.add(buildings.year.astype(str), "-01-01"),
            "NB_LOGTS": buildings.dwellings.astype(np.int32),
            "NB_ETAGES": buildings.floors.astype(np.int32),
            "MAT_MURS": buildings.walls,
            "MAT_TOITS": buildings.roof,
            "HAUTEUR": buildings.height_m,
            "Z_MIN_SOL": buildings.ground_m,
            "Z_MAX_SOL": np.round(buildings.ground_m + 0.3, 1),
            "Z_MAX_TOIT": np.round(buildings.ground_m + buildings.height_m, 1),
            "ID_RNB": city.building_id,
        },
    )
    points = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(buildings.shape)))
    of_building = city.addresses.of_building
    keys = np.where(of_building >= 0, city.addresses.key[of_building], "")
    writer.table(
        "batiments/RNB_00001.csv",
        "Référentiel national des bâtiments",
        {
            "rnb_id": city.building_id,
            "point": [f"POINT({lon:.7f} {lat:.7f})" for lon, lat in points.tolist()],
            "status": ["constructed"] * count,
            "bdtopo_id": ids,
            "addresses": keys,
            "plots": city.parcel_id[buildings.parcel],
        },
        separator=";",
    )


def write_addresses(city: City, writer: Writer) -> None:
    """Write addresses as the Base Adresse Nationale does."""
    addresses = city.addresses
    count = len(addresses.key)
    metres, degrees = writer.origin.lambert(addresses.point), writer.origin.degrees(addresses.point)
    names = city.street_name[addresses.street]
    writer.table(
        "adresses/adresses-00001.csv",
        "Adresses (Base Adresse Nationale)",
        {
            "id": addresses.key,
            "id_fantoir": np.char.add(f"{INSEE}_", city.street_code[addresses.street]),
            "numero": addresses.number,
            "rep": [""] * count,
            "nom_voie": names,
            "code_postal": [POSTCODE] * count,
            "code_insee": [INSEE] * count,
            "nom_commune": [NAME] * count,
            "code_insee_ancienne_commune": [""] * count,
            "nom_ancienne_commune": [""] * count,
            "x": metres[:, 0],
            "y": metres[:, 1],
            "lon": degrees[:, 0],
            "lat": degrees[:, 1],
            "type_position": ["entrée"] * count,
            "alias": [""] * count,
            "nom_ld": [""] * count,
            "libelle_acheminement": [NAME.upper().replace("È", "E")] * count,
            "nom_afnor": np.char.upper(names),
            "source_position": ["commune"] * count,
            "source_nom_voie": ["commune"] * count,
            "certification_commune": [1] * count,
            "cad_parcelles": city.parcel_id[addresses.parcel],
        },
        separator=";",
    )


_NATURE = np.array(
    [
        "Route à 2 chaussées",
        "Route à 1 chaussée",
        "Route à 1 chaussée",
        "Route à 1 chaussée",
        "Route à 1 chaussée",
        "Route à 1 chaussée",
        "Chemin",
    ]
)
_RANK = np.array(["2", "2", "4", "3", "5", "6", "6"])
_SPEED = np.array([50, 50, 30, 50, 30, 20, 30])


def in_town(city: City) -> Array:
    """Tell the segments of streets that are in the built-up part of the town."""
    middles = shapely.get_coordinates(shapely.line_interpolate_point(city.network.segments, 0.5, normalized=True))
    found: Array = city.network.shape.depth(middles, city.scale.urban_m) < 1.1
    return found


def is_stairs(city: City) -> Array:
    """Tell the short lanes of the old centre that are flights of stairs."""
    network = city.network
    street = network.street_of_segment
    lanes = (network.fabric_of_street[street] == Fabric.CORE) & (network.way[street] == Way.STREET)
    found: Array = lanes & (street % 7 == 1) & (shapely.length(network.segments) < 60)
    return found


def write_roads(city: City, writer: Writer) -> None:
    """Write the roads, cut at crossings, as BD TOPO does, and the list of streets."""
    network = city.network
    street = network.street_of_segment
    way = network.way[street]
    count = len(street)
    town = in_town(city)
    speed = np.where(town, _SPEED[way], np.where(way == Way.ROAD, 80, 50))
    core = network.fabric_of_street[street] == Fabric.CORE
    writer.shapefile(
        "voirie/BDTOPO_TRONCON_DE_ROUTE_00001.zip",
        "Tronçons de route (BD TOPO)",
        "TRONCON_DE_ROUTE",
        network.segments,
        {
            "ID": cleabs("TRONROUT", count),
            "NATURE": np.select(
                [is_stairs(city), core & (way == Way.STREET) & (street % 5 == 0)],
                ["Escalier", "Rue piétonne"],
                _NATURE[way],
            ),
            "NOM_VOIE": city.street_name[street],
            "IMPORTANCE": _RANK[way],
            "LARGEUR": np.round(network.width_m[street] * 0.62, 1),
            "NB_VOIES": np.where(way == Way.BOULEVARD, 4, np.where(core, 1, 2)).astype(np.int32),
            "SENS": np.where(core & (street % 3 == 0), "Sens direct", "Double sens"),
            "VIT_MOY_VL": np.where(core, 20, speed).astype(np.int32),
            "URBAIN": np.where(town, "Oui", "Non"),
            "INSEECOM": [INSEE] * count,
            "ID_VOIE": np.char.add(f"{INSEE}_", city.street_code[street]),
        },
    )
    # A bridge is where a street crosses the water.
    wet = shapely.intersects(network.segments, network.river)
    writer.geojson(
        "voirie/ponts.geojson",
        "Ponts",
        shapely.intersection(network.segments[wet], shapely.buffer(network.river, 4)),
        {
            "voie": city.street_name[street[wet]],
            "largeur_m": network.width_m[street[wet]],
        },
    )


def write_nature(city: City, writer: Writer) -> None:
    """Write relief (ESRI grid, contours), water and vegetation."""
    heights, west, south = city.terrain.grid(city.network.boundary.bounds)
    head = (
        f"ncols {heights.shape[1]}\nnrows {heights.shape[0]}\nxllcorner {west + writer.origin.x:.0f}\n"
        f"yllcorner {south + writer.origin.y:.0f}\ncellsize {STEP_M:.0f}\nNODATA_value -9999\n"
    )
    writer.text(
        "relief/mnt_25m.asc",
        "Modèle numérique de terrain au pas de 25 m",
        head + "\n".join(" ".join(f"{height:.1f}" for height in row) for row in heights.tolist()) + "\n",
        rows=heights.size,
    )
    lines, levels = contour_lines(heights, west, south, every_m=5.0)
    inside = shapely.intersects(lines, city.network.boundary)
    lines = shapely.intersection(lines[inside], city.network.boundary)
    parts, index = shapely.get_parts(lines, return_index=True)
    good = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 20)
    writer.geojson(
        "relief/courbes_niveau.geojson",
        "Courbes de niveau (5 m)",
        parts[good],
        {"altitude_m": levels[inside][index[good]]},
    )
    river = shapely.get_parts(np.array([city.network.river], dtype=object))
    water = np.concatenate([river, city.ponds])
    writer.geojson(
        "hydrographie/surfaces_en_eau.geojson",
        "Cours d'eau et plans d'eau",
        water,
        {
            "nature": ["Écoulement naturel"] * len(river) + ["Plan d'eau"] * len(city.ponds),
            "toponyme": ["L'Onde"] * len(river) + [f"Étang n° {rank + 1}" for rank in range(len(city.ponds))],
            "surface_m2": np.round(shapely.area(water)),
        },
    )
    green = np.flatnonzero(
        np.isin(city.parcels.fabric, (Fabric.PARK, Fabric.WOOD))
        | np.isin(city.parcels.program, ("square", "cimetiere", "stade"))
    )
    nature = np.select(
        [city.parcels.fabric[green] == Fabric.WOOD, city.parcels.fabric[green] == Fabric.PARK],
        ["Bois", "Parc"],
        np.char.capitalize(city.parcels.program[green]),
    )
    writer.geojson(
        "espaces_verts/espaces_verts.geojson",
        "Parcs, squares et bois",
        city.parcels.shape[green],
        {
            "nature": nature,
            "surface_m2": np.round(shapely.area(city.parcels.shape[green])),
            "parcelle": city.parcel_id[green],
            "ouvert_public": nature != "Stade",
        },
    )
    writer_fields(city, writer)


def writer_fields(city: City, writer: Writer) -> None:
    """Write what the fields grow, as the Registre parcellaire graphique does."""
    fields = np.flatnonzero(city.parcels.fabric == Fabric.FIELD)
    crops = (
        ("BTH", "Blé tendre d'hiver"),
        ("MIS", "Maïs"),
        ("PPH", "Prairie permanente"),
        ("CZH", "Colza d'hiver"),
        ("VRC", "Vigne"),
    )
    draw = city.rng("crops").choice(5, len(fields), p=[0.3, 0.2, 0.3, 0.12, 0.08])
    writer.geojson(
        "agriculture/parcelles_agricoles.geojson",
        "Parcelles agricoles (RPG)",
        city.parcels.shape[fields],
        {
            "id_parcel": city.parcel_id[fields],
            "surf_parc": np.round(shapely.area(city.parcels.shape[fields]) / 1e4, 2),
            "code_cultu": [crops[index][0] for index in draw.tolist()],
            "culture": [crops[index][1] for index in draw.tolist()],
        },
    )
