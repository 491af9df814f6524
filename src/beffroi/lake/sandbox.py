"""What the lake puts in a sandbox: three small files, made up, around the middle of the commune."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import AGENTS
from beffroi.lake import operations, owners, uploads
from beffroi.lake.crossing import operations as crossings
from beffroi.lake.definitions import ColumnDefinition, Definition

# A place in France for a commune whose middle is not known.
_SOMEWHERE = (2.5, 46.6)
_KINDS = ("Tilleul", "Érable", "Platane", "Micocoulier")
_LATE = timedelta(days=400)

_TREES = Definition(
    "arbres-exemple", theme="espaces_verts", title="Arbres (exemple)", rhythm="annuel", access=AGENTS, fictional=True,
    description="Soixante arbres inventés, pour essayer.", producer="Bac à sable",
    columns={"hauteur_m": ColumnDefinition(title="Hauteur", unit="m")},
)  # fmt: skip
_PLACES = Definition(
    "lieux-exemple", theme="equipements", title="Lieux utiles (exemple)", access=AGENTS, fictional=True,
    description="Quatre lieux inventés, avec leurs horaires.", producer="Bac à sable",
)  # fmt: skip
_MARKETS = Definition(
    "marches-exemple", theme="vie_locale", title="Marchés (exemple, en retard)", rhythm="mensuel", access=AGENTS,
    fictional=True, description="Un tableau sans carte, qui attend d’être remis à jour.", producer="Bac à sable",
)  # fmt: skip


def clear(territory: str) -> None:
    """Remove every dataset and every file deposited in a sandbox, and refuse to touch anything else.

    Raises:
        Refused: the territory is a real one.
    """
    if not is_sandbox(territory):
        raise Refused("« {code} » n’est pas un bac à sable", where="lac", code=territory)
    shutil.rmtree(operations.lake_folder(None) / territory, ignore_errors=True)
    uploads.forget_all(territory)
    crossings.forget_all(territory)
    owners.forget_all(territory)


def fill(commune: CommuneInfo, at: datetime) -> None:
    """Publish the samples; the last one as of long ago, so that there is something late to look at."""
    lon, lat = commune.centre or _SOMEWHERE
    files = (
        (_TREES, _table(("nom", "essence", "hauteur_m", "lon", "lat"), _trees(lon, lat)), at),
        (_PLACES, _table(("nom", "horaires", "lon", "lat"), _places(lon, lat)), at),
        (_MARKETS, _table(("jour", "place", "etals"), _markets()), at - _LATE),
    )
    with tempfile.TemporaryDirectory(prefix="beffroi-bac-") as folder:
        for definition, text, moment in files:
            path = Path(folder) / f"{definition.slug}.csv"
            path.write_text(text, encoding="utf-8")
            operations.import_source(path, territory=commune.code, at=moment, definition=definition)


def _table(header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([header, *rows])
    return out.getvalue()


def _trees(lon: float, lat: float) -> Iterator[tuple[object, ...]]:
    for number in range(60):
        east, north = (number % 12 - 6) * 0.0004, (number // 12 - 2) * 0.0005
        place = (round(lon + east, 6), round(lat + north, 6))
        yield (f"Arbre {number + 1}", _KINDS[number % 4], 4 + number % 17, *place)


def _places(lon: float, lat: float) -> Iterator[tuple[object, ...]]:
    named = (
        ("Mairie d’exemple", "Mo-Fr 08:30-12:00,13:30-17:00; PH off"),
        ("Déchetterie d’exemple", "Mo-Sa 09:00-17:00"),
        ("Médiathèque d’exemple", "We,Sa 10:00-18:00"),
        ("Consigne à vélos d’exemple", "24/7"),
    )
    for number, (name, hours) in enumerate(named):
        yield (name, hours, round(lon + 0.001 * number, 6), round(lat - 0.001, 6))


def _markets() -> Iterator[tuple[object, ...]]:
    yield from (("lundi", "Place Neuve", 12), ("mercredi", "Place du Marché", 31), ("samedi", "Halle", 48))
