"""A town whose lake holds the first example of each directory, and what its pages need besides: doors and addresses."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.catalogue import queries
from beffroi.base.kernel.geo import BBox
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.town.acts import act_of, write_act
from beffroi.sense.places.operations import index_territory
from registries import made_for_each
from territory_makers import make_town

CODE = "00000"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IDS = ("1-16", "4-03", "6-02", "6-14", "6-24", "10-04", "10-11", "12-11")
BESIDE = {
    "adresses": """id,numero,rep,nom_voie,code_postal,code_insee,nom_commune,lon,lat
1,12,,Rue du Lavoir,00000,00000,Bourg,3.8710,43.6010
2,1,,Rue Haute,00000,00000,Bourg,3.8790,43.6090
3,3,,Place Neuve,00000,00000,Bourg,3.8800,43.6100
""",
    "acceslibre": "id,name,numero,voie,code_insee,longitude,latitude,entree_plain_pied,entree_marches,"
    """entree_marches_rampe,entree_largeur_mini,sanitaires_adaptes
E1,Cabinet du Lavoir,12,rue du Lavoir,00000,3.8710,43.6010,false,3,aucune,80,
E2,Centre hospitalier,1,Rue Haute,00000,3.8790,43.6090,true,,,120,true
""",
    "contacts-associations": "id,courriel\nW341000001,contact@chorale.example\n",
}
"""Other sources of the town, by dataset."""


@pytest.fixture(scope="session")
def directories_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the source of the first example of each directory; beside it, a folder of signed acts."""
    return made_for_each(tmp_path_factory, "directories", _import_examples) / "lake"


def _import_examples(folder: Path) -> None:
    definitions, _faults = load_definitions()
    sources: dict[str, Any] = dict(BESIDE)
    files: dict[str, str] = {}
    for one in IDS:
        use_case = queries.catalogue().use_cases[one]
        example = use_case.examples[0]
        slug = str(example.when.get("dataset", use_case.settings["directory"].datasets[0]))
        sources[slug] = example.when["source"]
        files |= {slug: str(example.when["file"])} if "file" in example.when else {}
    for slug, text in sources.items():
        path = folder / files.get(slug, f"{slug}.csv")
        path.write_text(str(text), encoding="utf-8")
        outcome = import_source(
            path, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=definition_named(slug, "", definitions) or Definition(slug),
        )  # fmt: skip
        assert outcome.version is not None, f"{slug}: {outcome.reason}"
    write_act(folder / "signed" / "2.pdf", act_of("Dénomination d'une voie nouvelle", date(2025, 2, 10), (20, 5, 2)))
    (folder / "signed" / "3.pdf").write_text("<html>La page a changé d’adresse</html>")


@pytest.fixture
def directories_town(db: None, directories_lake: Path, tmp_path: Path, settings: Any) -> str:
    """The town, in the registry and in a lake of its own."""
    home = tmp_path / "data"
    shutil.copytree(directories_lake.parent, home)
    settings.LAKE_DIR = home / "lake"
    code = make_town(CODE, "Bourg-les-Fiches", population=812, fictional=True, bbox=BBox(3.86, 43.59, 3.90, 43.62))
    index_territory(code)
    return code


@pytest.fixture
def signed_acts(directories_town: str, settings: Any) -> Path:
    """The folder of signed acts: one document, and a page that is none."""
    return Path(settings.LAKE_DIR).parent / "signed"
