"""The engine of every day at an address (see `settings` for the table of a use case).

[[example]]
when = { lon = 3.1, lat = 45.1, from = 2026-12-21, to = 2026-12-27, collection = "…GeoJSON…", menus = "…CSV…" }
then = { bins = ["2026-12-26 Ordures (au lieu du 2026-12-25)"], dishes = ["Potage (céleri)"] }
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.lake import operations
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.serving import Index
from beffroi.lake.store import Lake
from beffroi.sense.places.daily.queries import bins_of, collections, is_holiday_in, meals_of
from beffroi.sense.places.daily.settings import ENGINE, DailySettings

_TOWN = "00000"
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        ENGINE,
        schema=DailySettings,
        url_name="portal:daily",
        example_runner=run_example,
        lacking=lambda one, territory: lake.missing(territory, one.settings[ENGINE].datasets),
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the sectors and the menus of an example; return what is collected and served at its place, by its days."""
    settings: DailySettings = use_case.settings[ENGINE]
    when = example.when
    sectors = _imported(settings.collection, "secteurs-collecte.geojson", str(when["collection"]))
    point = shapely.Point(when["lon"], when["lat"])
    bins = bins_of(row for row in sectors if shapely.from_geojson(json.dumps(row["geometry"])).intersects(point))
    told = collections(bins, when["from"], when["to"], is_holiday=is_holiday_in(_TOWN))
    served = _imported(settings.menus, "menus-collectifs.csv", str(when["menus"])) if "menus" in when else []
    dishes = [dish for meal in meals_of(served) if when["from"] <= meal.day <= when["to"] for dish in meal.dishes]
    return {
        "bins": [
            f"{day.day} {one.flow}" + (f" (au lieu du {day.instead_of})" if day.instead_of else "") for day, one in told
        ],
        "dishes": [f"{dish.name} ({dish.allergens or 'allergènes non dits'})" for dish in dishes],
    }


def _imported(slug: str, name: str, text: str) -> list[dict[str, Any]]:
    """Return the rows of a source as everyone reads them, with their `geometry`."""
    definition = definition_named(slug, "", load_definitions()[0]) or Definition(slug)
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        source, home = Path(folder, name), Lake(Path(folder, "lake"))
        source.write_text(text, encoding="utf-8")
        outcome = operations.import_source(
            source, territory=_TOWN, slug=slug, definition=definition, at=_DAY, lake=home.root, announce=False
        )
        if outcome.version is None:
            raise ValueError(str(outcome.reason))
        index = Index(home.version_folder(outcome.ref, outcome.version) / "serving.public.sqlite")
        try:
            bodies = index.page(bbox=None, limit=1000, after=-1).bodies
        finally:
            index.close()
    read = [json.loads(body) for body in bodies]
    return [{**one["properties"], "geometry": one["geometry"]} for one in read]
