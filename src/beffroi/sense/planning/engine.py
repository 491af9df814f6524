"""The engine of planning: which dataset tells each kind of rule that may apply at a point.

[planning]
zones = "zonage-plu"              # parcels, zones, prescriptions, informations, easements, risks, districts

[[example]]
when = { kind = "zones", at = [3.88, 43.61], features = '''{"type":"FeatureCollection","features":[…]}''' }
then = { rules = ["UA"], articles = [] }
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shapely.geometry import shape

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.planning.applying import Place, applying, rule_of
from beffroi.sense.planning.settings import Kind, RulesSettings

ENGINE = "planning"


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=RulesSettings, url_name="portal:rules", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return the names of the rules of one `kind` that apply at a place, of the features an example gives."""
    kind = Kind(str(example.when.get("kind", "zones")))
    lon, lat = (float(value) for value in example.when["at"])
    place = Place(lon, lat, None)
    features = json.loads(str(example.when["features"]))["features"]
    rules = [rule_of(kind, one["properties"], {}) for one in features]
    shapes = [shape(one["geometry"]) for one in features]
    found = [one for one, where in zip(rules, shapes, strict=True) if applying(where, place) is not None]
    return {
        "rules": sorted(one.name for one in found),
        "articles": sorted({article for one in found for article in one.articles}),
        "height_m": max((one.height_m for one in found if one.height_m), default=None),
    }
