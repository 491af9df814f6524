"""A town of one street, small enough to be imported and baked in a few seconds; used by every face's tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.lake import operations, tasks
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.queries import DatasetRef
from beffroi.lake.store import Lake

CODE = "00001"
NAME = "Bourg-l’Essai"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEST, SOUTH = 3.0000, 45.0000
BBOX = (WEST, SOUTH, WEST + 0.02, SOUTH + 0.02)
TREES = 120


def _square(lon: float, lat: float, size: float) -> dict[str, Any]:
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def _line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(point) for point in points]}


def _point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def _features(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "properties": values, "geometry": shape} for shape, values in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


def _buildings() -> str:
    places = [(WEST + 0.0075 + 0.0006 * i, SOUTH + 0.0085 + 0.0006 * j) for i in range(8) for j in range(6)]
    return _features(
        [(_square(lon, lat, 0.0004), {"hauteur": 5 + (i * 7) % 23}) for i, (lon, lat) in enumerate(places)]
    )


def _streets() -> str:
    middle, end = (WEST + 0.01, SOUTH + 0.01), (WEST + 0.019, SOUTH + 0.0105)
    rows = [
        (_line((WEST + 0.001, SOUTH + 0.009), middle, end), {"nom": "Grande Rue"}),
        (_line((WEST + 0.01, SOUTH + 0.001), middle, (WEST + 0.0105, SOUTH + 0.019)), {"nom": "Rue du Beffroi"}),
    ]
    return _features(rows)


def _trees() -> str:
    rows = []
    for i in range(TREES):
        place = _point(WEST + 0.002 + 0.00013 * i, SOUTH + 0.0092 + 0.0001 * (i % 3))
        kind = ("Tilleul", "Érable", "Platane")[i % 3]
        rows.append(
            (place, {"nom": f"Arbre {i:03}", "essence": kind, "hauteur": 4 + i % 17, "releve_par": "L. Martin"})
        )
    return _features(rows)


def _addresses() -> str:
    """Addresses as the national base writes them, along the two streets and a third that no road file knows."""
    lines = ["cle_interop;numero;rep;nom_voie;code_postal;code_insee;nom_commune;lon;lat"]
    for street, (name, lon, lat) in enumerate(
        (("Grande Rue", 3.002, 45.0088), ("Rue du Beffroi", 3.010, 45.002), ("Rue de l’Église", 3.004, 45.012))
    ):
        for number, suffix in ((1, ""), (2, ""), (3, ""), (12, ""), (12, "bis")):
            key = f"00001_{street:04}_{number:05}{suffix}"
            east, north = lon + number * 1e-4, lat + number * 1e-5 + len(suffix) * 1e-6
            lines.append(f"{key};{number};{suffix};{name};00100;{CODE};{NAME};{east:.6f};{north:.6f}")
    return "\n".join(lines) + "\n"


SOURCES: tuple[tuple[Definition, str, str], ...] = (
    (Definition("batiments", theme="batiments", title="Bâtiments"), "batiments.geojson", _buildings()),
    (Definition("rues", theme="voirie", title="Rues"), "rues.geojson", _streets()),
    (
        Definition("parcs", theme="espaces_verts", title="Parcs"),
        "parcs.geojson",
        _features([(_square(WEST + 0.013, SOUTH + 0.004, 0.003), {"nom": "Parc des Essais"})]),
    ),
    (
        Definition("quartiers", theme="referentiels", title="Quartiers"),
        "quartiers.geojson",
        _features(
            [
                (_square(WEST, SOUTH, 0.01), {"nom": "Le Bas"}),
                (_square(WEST + 0.01, SOUTH + 0.01, 0.01), {"nom": "Le Haut"}),
            ]
        ),
    ),
    (
        Definition(
            "arbres",
            theme="espaces_verts",
            title="Arbres",
            description="Arbres d’alignement, avec leur essence et leur hauteur.",
            producer="Service des espaces verts",
            licence="Licence Ouverte 2.0",
            rhythm="annuel",
            columns={
                "hauteur": ColumnDefinition(title="Hauteur", unit="m"),
                "releve_par": ColumnDefinition(title="Relevé par", access="agents"),
            },
        ),
        "arbres.geojson",
        _trees(),
    ),
    (
        Definition(
            "lieux-utiles",
            theme="services",
            title="Lieux utiles",
            producer="Commune de Bourg-l’Essai",
            columns={"equip_type": ColumnDefinition(title="Genre de lieu")},
        ),
        "lieux_utiles.csv",
        "EQUIP_UID;EQUIP_TYPE;EQUIP_NOM;ADR_NUMERO;ADR_NOMVOIE;EQUIP_LAT;EQUIP_LONG;EQUIP_OUVERTURE\n"
        "LU-1;Fourrière automobile;Fourrière du Bas;12;Rue du Lavoir;45.0090;3.0040;"
        '"Mo-Fr 08:30-12:00,13:30-17:00; PH off"\n'
        "LU-2;Consigne;Consigne à vélos;3;Grande Rue;45.0095;3.0080;24/7\n"
        "LU-3;Objets trouvés;Bureau des objets trouvés;1;Rue du Beffroi;45.0100;3.0100;sur rendez-vous\n",
    ),
    (
        Definition("adresses", theme="adresses", title="Adresses", id="cle_interop"),
        "adresses.csv",
        _addresses(),
    ),
    (
        Definition("marches", theme="vie_locale", title="Marchés"),
        "marches.csv",
        "jour;place;etals\nlundi;Place Neuve;12\nmercredi;Place du Beffroi;31\nsamedi;Halle;48\n",
    ),
    (
        Definition("astreintes", theme="vie_municipale", title="Astreintes", access="agents"),
        "astreintes.csv",
        "semaine;agent\n1;A. Bernard\n2;C. Dubois\n",
    ),
)


def import_small_town(lake: Path, sources: Path) -> None:
    """Write the sources under `sources`, publish them in `lake` and bake their tiles; says nothing to the journal."""
    for definition, filename, content in SOURCES:
        path = sources / filename
        path.write_text(content, encoding="utf-8")
        outcome = operations.import_source(
            path, territory=CODE, at=AT, definition=definition, lake=lake, announce=False
        )
        assert outcome.version is not None, f"{filename}: {outcome.reason}"
        tasks.bake_missing_tiles(Lake(lake), DatasetRef(CODE, definition.slug), outcome.version)
