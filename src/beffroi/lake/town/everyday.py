"""What one asks every day: what the canteen serves, and which bin goes out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.council import TOWN_SIRET
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import district_names
from beffroi.lake.town.plan import INSEE, NAME, YEAR
from beffroi.lake.town.society import school_sites

# Of each course: its dishes, the allergens of each, its official sign of quality.
_COURSES = (
    ("entrée", (("Carottes râpées", "moutarde", ""),
                ("Betteraves vinaigrette", "moutarde", "agriculture biologique"),
                ("Potage de légumes", "céleri", ""), ("Taboulé", "gluten", ""),
                ("Salade verte", "moutarde", "agriculture biologique"),
                ("Céleri rémoulade", "céleri,moutarde,œufs", ""))),
    ("plat principal", (("Poulet rôti", "", "label rouge"), ("Poisson meunière", "poissons,gluten,lait", ""),
                        ("Dahl de lentilles", "", "agriculture biologique"), ("Omelette aux herbes", "œufs", ""),
                        ("Bœuf aux carottes", "céleri", ""), ("Gratin de courge", "lait", ""),
                        ("Chili végétal", "soja", "agriculture biologique"))),
    ("garniture", (("Purée", "lait", ""), ("Haricots verts", "", ""), ("Riz", "", ""),
                   ("Pâtes complètes", "gluten", "agriculture biologique"), ("Ratatouille", "", ""),
                   ("Semoule", "gluten", ""))),
    ("dessert", (("Pomme", "", "agriculture biologique"), ("Yaourt nature", "lait", ""), ("Compote", "", ""),
                 ("Fromage et poire", "lait", "appellation d’origine protégée"), ("Riz au lait", "lait", ""),
                 ("Clémentines", "sulfites", ""))),
)  # fmt: skip
_SCHOOL_DAYS = (0, 1, 3, 4)
_FIRST_DAY, _LAST_DAY = (9, 1), (7, 2)

_FLOWS = (
    ("Ordures ménagères", "Couvercle gris", (("Mo,Th", ""), ("Tu,Fr", ""), ("We,Sa", "")), "semaine"),
    ("Emballages et papiers", "Couvercle jaune", (("We", ""), ("Th", ""), ("Fr", "")), "semaine"),
    ("Déchets alimentaires", "Couvercle brun", (("Tu", ""), ("We", ""), ("Th", "")), "semaine"),
    ("Verre", "Couvercle vert", (("Fr", "paires"), ("Fr", "impaires"), ("Mo", "paires")), "lendemain"),
    ("Végétaux", "Fagots et sacs en papier", (("Sa", "impaires"), ("Sa", "paires"), ("Mo", "impaires")), "supprimee"),
)


def write_menus(city: City, writer: Writer) -> None:
    """Write two school years of canteen menus by the SCDL schema, a dish a line; one kitchen serves every school."""
    rng = city.rng("menus")
    days = [
        day
        for year in (YEAR - 1, YEAR)
        for step in range((date(year + 1, *_LAST_DAY) - date(year, *_FIRST_DAY)).days)
        if (day := date(year, *_FIRST_DAY) + timedelta(days=step)).weekday() in _SCHOOL_DAYS
    ]
    rows = [
        (day.isoformat(), course, *dishes[int(rng.integers(0, len(dishes)))])
        for day in days
        for course, dishes in _COURSES
    ]
    _sites, names = school_sites(city)
    kitchen = f"Restaurant scolaire, {names[0]}" if names else "Restaurant scolaire"
    count = len(rows)
    writer.workbook(
        "education/menus-collectifs_00001.xlsx",
        "Menus de la restauration collective",
        "Menus",
        {
            "collectiviteNom": [NAME] * count,
            "collectiviteSiret": [TOWN_SIRET] * count,
            "etablissementSiret": [TOWN_SIRET] * count,
            "restaurantId": ["1"] * count,
            "restaurantNom": [kitchen] * count,
            "restaurantType": ["restauration scolaire"] * count,
            "restaurantConvive": ["maternelle et élémentaire"] * count,
            "menuDate": [row[0] for row in rows],
            "menuTypeRepas": ["déjeuner"] * count,
            "menuTypePlat": [row[1] for row in rows],
            "menuNomPlat": [row[2] for row in rows],
            "menuSiqoPlat": [row[4] for row in rows],
            "menuAllergenePlat": [row[3] for row in rows],
        },
    )


def write_collection(city: City, writer: Writer) -> None:
    """Write the sectors of collection: each district has one of three calendars, a line for each sort of waste."""
    count = len(city.districts.shape)
    turn = np.arange(count) % 3
    names = district_names(city)
    index = [(zone, flow) for zone in range(count) for flow in range(len(_FLOWS))]
    writer.geojson(
        "dechets/secteurs_collecte.geojson",
        "Secteurs de collecte",
        city.districts.shape[[zone for zone, _flow in index]],
        {
            "id": [f"{INSEE}-SC-{zone + 1:02d}-{flow + 1}" for zone, flow in index],
            "secteur": [names[zone] for zone, _flow in index],
            "flux": [_FLOWS[flow][0] for _zone, flow in index],
            "bac": [_FLOWS[flow][1] for _zone, flow in index],
            "jours": [_FLOWS[flow][2][int(turn[zone])][0] for zone, flow in index],
            "semaines": [_FLOWS[flow][2][int(turn[zone])][1] for zone, flow in index],
            "sortie": ["La veille, après 19 h"] * len(index),
            "feries": [_FLOWS[flow][3] for _zone, flow in index],
            "exceptions": [""] * len(index),
        },
    )
