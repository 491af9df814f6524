"""Draw a town and write it: the one door of this package."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from beffroi import __version__
from beffroi.base.kernel.files import written_whole
from beffroi.lake.town.accounts import write_accounts
from beffroi.lake.town.airs import write_airs
from beffroi.lake.town.associations import write_associations
from beffroi.lake.town.cameras import write_cameras
from beffroi.lake.town.city import City, Progress, draw_city
from beffroi.lake.town.council import write_agenda, write_deliberations, write_restricted
from beffroi.lake.town.digital import write_digital
from beffroi.lake.town.everyday import write_collection, write_menus
from beffroi.lake.town.files import Origin, Sheet, Writer
from beffroi.lake.town.floods import write_floods
from beffroi.lake.town.flows import write_flows
from beffroi.lake.town.footing import write_footing
from beffroi.lake.town.freight import write_freight
from beffroi.lake.town.furniture import write_lamps, write_mobility, write_small_things, write_trees
from beffroi.lake.town.gardens import write_gardens
from beffroi.lake.town.ground import (
    GROUPING_SIREN,
    district_names,
    write_addresses,
    write_buildings,
    write_cadastre,
    write_limits,
    write_nature,
    write_roads,
)
from beffroi.lake.town.guide import write_guide
from beffroi.lake.town.landmarks import write_landmarks
from beffroi.lake.town.meters import write_meters
from beffroi.lake.town.owners import write_owners
from beffroi.lake.town.plan import GROUPING_NAME, INSEE, LICENCE, NAME, NEIGHBOURS, WARNING, YEAR, Scale
from beffroi.lake.town.planning import write_plan
from beffroi.lake.town.practitioners import write_practitioners
from beffroi.lake.town.premises import write_premises
from beffroi.lake.town.rescue import write_rescue
from beffroi.lake.town.reuse import write_reuse
from beffroi.lake.town.roadside import write_roadside
from beffroi.lake.town.roadtoll import write_accidents
from beffroi.lake.town.shops import write_shop_services
from beffroi.lake.town.society import (
    write_census,
    write_companies,
    write_energy,
    write_facilities,
    write_offences,
    write_sales,
    write_schools,
)
from beffroi.lake.town.solidarity import write_solidarity
from beffroi.lake.town.tallies import write_offence_series
from beffroi.lake.town.transit import write_transit
from beffroi.lake.town.underground import write_underground
from beffroi.lake.town.unfit import write_unfit
from beffroi.lake.town.useful import write_useful_places
from beffroi.lake.town.venues import write_venues

_MARK = "town.toml"


@dataclass(frozen=True, slots=True)
class TownFile:
    """One file of the town: its path under the folder, its title and its number of records."""

    path: str
    title: str
    rows: int


@dataclass(frozen=True, slots=True)
class Town:
    """A town written in `folder`. Shapes are GeoJSON texts, OGC:CRS84."""

    folder: Path
    name: str
    insee: str
    population: int
    seed: int
    bbox: tuple[float, float, float, float]
    grouping: tuple[str, str]
    neighbours: tuple[tuple[str, str, int], ...]
    files: tuple[TownFile, ...]

    def shapes(self, path: str) -> list[dict[str, Any]]:
        """Return the features of one of the town's GeoJSON files (``referentiels/quartiers.geojson``)."""
        features: list[dict[str, Any]] = json.loads((self.folder / path).read_text(encoding="utf-8"))["features"]
        return features


# What is written, in order; the share is the part of the writing time it takes at 10,000 inhabitants.
_STEPS: tuple[tuple[str, Callable[[City, Writer], None]], ...] = (
    ("Limites et quartiers", write_limits),
    ("Cadastre", write_cadastre),
    ("Bâtiments", write_buildings),
    ("Monuments", write_landmarks),
    ("Adresses", write_addresses),
    ("Voirie", write_roads),
    ("Cheminements", write_footing),
    ("Plan local d'urbanisme", write_plan),
    ("Relief, eau et végétation", write_nature),
    ("Inondations", write_floods),
    ("Éclairage", write_lamps),
    ("Sous-sol", write_underground),
    ("Bruit, ondes et air", write_airs),
    ("Arbres", write_trees),
    ("Mobilier urbain", write_small_things),
    ("Mobilités", write_mobility),
    ("Équipements de la voirie", write_roadside),
    ("Bus", write_transit),
    ("Population", write_census),
    ("Établissements", write_companies),
    ("Locaux", write_premises),
    ("Comptes et annonces", write_accounts),
    ("Propriétaires", write_owners),
    ("Écoles", write_schools),
    ("Équipements", write_facilities),
    ("Lieux utiles", write_useful_places),
    ("Réemploi et recyclage", write_reuse),
    ("Accessibilité des lieux publics", write_venues),
    ("Secours", write_rescue),
    ("Guide", write_guide),
    ("Praticiens", write_practitioners),
    ("Lieux solidaires", write_solidarity),
    ("Services en boutique", write_shop_services),
    ("Vidéoprotection", write_cameras),
    ("Numérique", write_digital),
    ("Ventes", write_sales),
    ("Énergie", write_energy),
    ("Compteurs", write_meters),
    ("Associations", write_associations),
    ("Accidents", write_accidents),
    ("Flux par mode", write_flows),
    ("Fleuve et rail", write_freight),
    ("Infractions", write_offences),
    ("Délinquance enregistrée", write_offence_series),
    ("Délibérations", write_deliberations),
    ("Menus", write_menus),
    ("Collecte", write_collection),
    ("Agenda", write_agenda),
    ("Jardins", write_gardens),
    ("Données réservées", write_restricted),
    ("Habitat indigne", write_unfit),
)

_THEMES = {
    "adresses": "Adresses",
    "agriculture": "Agriculture",
    "batiments": "Bâtiments",
    "cadastre": "Cadastre",
    "dechets": "Déchets",
    "eclairage": "Éclairage public",
    "economie": "Économie",
    "education": "Éducation",
    "energie": "Énergie",
    "environnement": "Environnement",
    "equipements": "Équipements",
    "espaces_verts": "Espaces verts",
    "foncier": "Foncier",
    "habitat": "Habitat",
    "hydrographie": "Hydrographie",
    "immobilier": "Immobilier",
    "mobilier": "Mobilier urbain",
    "mobilites": "Mobilités",
    "numerique": "Numérique",
    "population": "Population",
    "referentiels": "Référentiels",
    "relief": "Relief",
    "sante": "Santé",
    "securite": "Sécurité",
    "services": "Services",
    "sous_sol": "Sous-sol",
    "transports": "Transports",
    "urbanisme": "Urbanisme",
    "vie_locale": "Vie locale",
    "vie_municipale": "Vie municipale",
    "voirie": "Voirie",
}


def write_town(folder: Path, *, population: int, seed: int = 1, progress: Progress | None = None) -> Town:
    """Draw a town of `population` inhabitants and write its files under `folder`.

    The town appears whole: its mark, ``town.toml``, is written last; a folder without it is drawn again from nothing.
    A folder that holds the town asked for is left as it is.

    Raises:
        BadPopulation: fewer than 2,000 or more than 1,000,000.
    """
    tell = progress or (lambda what, share: None)
    Scale.of(population)
    known = _kept(folder, population, seed)
    if known is not None:
        tell("Ville déjà bâtie", 1.0)
        return known
    _clear(folder)
    city = draw_city(population, seed, tell)
    writer = Writer(folder, Origin.at_sea())
    for rank, (what, step) in enumerate(_STEPS):
        tell(what, 0.32 + 0.66 * rank / len(_STEPS))
        step(city, writer)
    for place, theme in _THEMES.items():
        writer.readme(place, theme)
    _mark(folder, city, writer)
    tell("Ville bâtie", 1.0)
    return read_town(folder)


def read_town(folder: Path) -> Town:
    """Return the town written in `folder`.

    Raises:
        FileNotFoundError: no town there, or one whose writing was interrupted.
    """
    mark = tomllib.loads((folder / _MARK).read_text(encoding="utf-8"))
    return Town(
        folder=folder,
        name=mark["name"],
        insee=mark["insee"],
        population=mark["population"],
        seed=mark["seed"],
        bbox=tuple(mark["bbox"]),
        grouping=(mark["grouping"]["siren"], mark["grouping"]["name"]),
        neighbours=tuple((item["insee"], item["name"], item["population"]) for item in mark["neighbour"]),
        files=tuple(TownFile(item["path"], item["title"], item["rows"]) for item in mark["file"]),
    )


def _kept(folder: Path, population: int, seed: int) -> Town | None:
    try:
        mark = tomllib.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        return None
    same = (mark.get("population"), mark.get("seed"), mark.get("beffroi")) == (population, seed, __version__)
    return read_town(folder) if same else None


def _clear(folder: Path) -> None:
    """Remove what an interrupted or another town left: its known folders only, never what someone else put there."""
    (folder / _MARK).unlink(missing_ok=True)
    for name in _THEMES:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
    folder.mkdir(parents=True, exist_ok=True)


def _mark(folder: Path, city: City, writer: Writer) -> None:
    outline = shapely.get_coordinates(city.network.boundary)
    degrees = writer.origin.degrees(outline)
    low, high = np.floor(degrees.min(axis=0) * 1e4) / 1e4, np.ceil(degrees.max(axis=0) * 1e4) / 1e4
    lines = [
        f"# {WARNING}",
        f"name = {_quoted(NAME)}",
        f"insee = {_quoted(INSEE)}",
        "fictional = true",
        f"warning = {_quoted(WARNING)}",
        f"licence = {_quoted(LICENCE)}",
        f"population = {city.scale.population}",
        f"seed = {city.seed}",
        f"year = {YEAR}",
        f"beffroi = {_quoted(__version__)}",
        f"bbox = [{low[0]:.4f}, {low[1]:.4f}, {high[0]:.4f}, {high[1]:.4f}]",
        f"districts = [{', '.join(_quoted(name) for name in district_names(city))}]",
        "",
        "[grouping]",
        f"siren = {_quoted(GROUPING_SIREN)}",
        f"name = {_quoted(GROUPING_NAME)}",
    ]
    people = (max(300, city.scale.population // 12), max(250, city.scale.population // 20))
    for (code, name), count in zip(NEIGHBOURS, people, strict=True):
        lines += ["", "[[neighbour]]", f"insee = {_quoted(code)}", f"name = {_quoted(name)}", f"population = {count}"]
    for sheet in writer.sheets:
        lines += _sheet_lines(sheet)
    with written_whole(folder / _MARK, "w", encoding="utf-8") as handle:
        handle.write("\n".join(lines) + "\n")


def _sheet_lines(sheet: Sheet) -> list[str]:
    return [
        "",
        "[[file]]",
        f"path = {_quoted(sheet.path)}",
        f"title = {_quoted(sheet.title + ' (ville fictive)')}",
        f"rows = {sheet.rows}",
    ]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
