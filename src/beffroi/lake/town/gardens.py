"""Shared gardens of the town: their plots, a few of them free, and what the gardeners announce."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.affinity import rotate

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import YEAR, Fabric

PLOT_M = (4.0, 6.0)
MOST_PLOTS = 24
_NAMES = (
    "Jardin des Lilas", "Jardin des Tournesols", "Jardin des Cerises", "Jardin des Moineaux", "Jardin du Grand Puits",
    "Jardin du Vieux Mur", "Jardin des Fèves", "Jardin des Abeilles",
)  # fmt: skip
_ACTIVITIES = ("Troc de plants", "Atelier de taille", "Portes ouvertes", "Chantier collectif")


def write_gardens(city: City, writer: Writer) -> None:
    """Write gardens at the foot of the blocks, or in the suburb: polygons, their plots, their activities."""
    rng = city.rng("gardens")
    homes = np.flatnonzero((city.parcels.fabric == Fabric.ESTATE) & (city.parcels.program == ""))
    if not len(homes):
        homes = np.flatnonzero(city.parcels.fabric == Fabric.SUBURB)
    count = min(len(homes), len(_NAMES), max(2, city.scale.population // 4_000))
    chosen = np.sort(rng.permutation(homes)[:count])
    ground = city.parcels.shape[chosen]
    names = np.array(_NAMES[:count])
    plots, owner = _plots(ground)
    state = rng.choice(["cultivée", "libre", "en repos"], len(plots), p=[0.82, 0.12, 0.06])
    free = np.bincount(owner[state == "libre"], minlength=count)
    rank = np.arange(len(plots)) - np.searchsorted(owner, owner) + 1
    writer.geojson(
        "espaces_verts/jardins_partages.geojson",
        "Jardins partagés et familiaux",
        ground,
        {
            "nom": names,
            "gestionnaire": np.where(np.arange(count) % 2, "Commune", "Association des jardiniers (fictive)"),
            "parcelles": np.bincount(owner, minlength=count),
            "libres": free,
            "surface_m2": np.round(shapely.area(ground)),
            "eau": np.where(np.arange(count) % 3, "Récupérateur", "Robinet"),
            "horaires": np.array(["Mo-Su 08:00-20:00"] * count),
            "voie": city.street_name[city.frontage.street[chosen]],
        },
    )
    writer.geojson(
        "espaces_verts/parcelles_jardins.geojson",
        "Parcelles des jardins partagés",
        plots,
        {
            "jardin": names[owner],
            "numero": rank,
            "surface_m2": np.round(shapely.area(plots)),
            "etat": state,
        },
    )
    held = np.repeat(np.arange(count), 2)
    when = zip(rng.integers(3, 11, len(held)).tolist(), rng.integers(1, 28, len(held)).tolist(), strict=True)
    days = [f"{YEAR}-{month:02d}-{day:02d}" for month, day in when]
    writer.geojson(
        "espaces_verts/activites_jardins.geojson",
        "Activités dans les jardins partagés",
        shapely.point_on_surface(ground[held]),
        {
            "titre": np.array(_ACTIVITIES)[np.arange(len(held)) % len(_ACTIVITIES)],
            "debut": np.array([f"{day}T10:00:00" for day in days]),
            "fin": np.array([f"{day}T12:00:00" for day in days]),
            "jardin": names[held],
            "gratuit": np.array(["oui"] * len(held)),
        },
    )


def _plots(ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the plots laid out along each garden, a metre from its edge, and the garden of each; one at least."""
    found, owner = [], []
    for rank, garden in enumerate(ground):
        corners = shapely.get_coordinates(shapely.oriented_envelope(garden))
        along = corners[1] - corners[0]
        angle, middle = np.degrees(np.arctan2(along[1], along[0])), garden.centroid
        inner = rotate(garden.buffer(-1.0), -angle, origin=middle)
        west, south, east, north = inner.bounds if not inner.is_empty else garden.bounds
        cells = [
            shapely.box(x, y, x + PLOT_M[0] - 1, y + PLOT_M[1] - 1)
            for x in np.arange(west, east, PLOT_M[0])
            for y in np.arange(south, north, PLOT_M[1])
        ]
        whole = [rotate(one, angle, origin=middle) for one in cells if inner.covers(one)][:MOST_PLOTS]
        kept = whole or [garden]
        found += kept
        owner += [rank] * len(kept)
    return np.array(found), np.array(owner)
