"""Read a ZIP that holds tables, perhaps beside shapes, documents and other archives."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.vector_archive import unpacked
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Unreadable

DEEPEST = 2
"""Archives within archives are opened this deep."""

# Among several formats of the same name, the one that loses least: geometry first, then types, then text.
_PREFERRED = (
    ".gpkg", ".geojson", ".shp", ".fgb", ".parquet", ".topojson", ".gml", ".kml", ".kmz", ".gpx", ".dxf", ".xlsx",
    ".ods", ".csv", ".tsv", ".xls", ".json", ".ndjson", ".xml", ".txt", ".zip",
)  # fmt: skip
_COMPANIONS = (
    ".dbf",
    ".shx",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".qix",
    ".fix",
    ".qpj",
    ".shp.xml",
    ".qml",
    ".sld",
    ".lyr",
)


def read(path: Path, options: ReadOptions, con: duck.Connection, depth: int = 0) -> list[Reading]:
    """Read the best format of each dataset of the archive; what is left out is told.

    Raises:
        Unreadable: the archive is damaged, encrypted, a bomb, nested too deep, or holds nothing that can be read.
    """
    if depth >= DEEPEST:
        raise Unreadable(
            "archive dans une archive dans une archive", where=path.name, remedy="publiez les fichiers eux-mêmes"
        )
    readings: list[Reading] = []
    told: list[Evidence] = []
    with unpacked(path, options.work_dir) as folder:
        groups = _groups(folder, options.layer)
        for stem, files in groups.items():
            readings += _group(stem, files, folder, options, con, depth, told, alone=len(groups) == 1)
    if not readings:
        reasons = " ; ".join(str(evidence.why) for evidence in told[:5])
        raise Unreadable(
            "rien de lisible dans cette archive ({reasons})",
            where=path.name,
            remedy="publiez la donnée en CSV, GeoJSON, XLSX ou ODS",
            reasons=reasons or "elle est vide",
        )
    readings[0].evidences += told
    return readings


def _groups(folder: Path, layer: str | None) -> dict[str, list[Path]]:
    """Gather the members that bear the same name in several formats, best first."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.name.lower().endswith(_COMPANIONS) or file.name.lower().startswith("readme"):
            continue
        stem = str(file.relative_to(folder).with_suffix(""))
        if layer in (None, stem, file.name, file.stem, str(file.relative_to(folder))):
            groups[stem].append(file)
    return {stem: sorted(files, key=_rank) for stem, files in groups.items()}


def _rank(file: Path) -> int:
    suffix = file.suffix.lower()
    return _PREFERRED.index(suffix) if suffix in _PREFERRED else len(_PREFERRED)


def _group(
    stem: str,
    files: list[Path],
    folder: Path,
    options: ReadOptions,
    con: duck.Connection,
    depth: int,
    told: list[Evidence],
    *,
    alone: bool,
) -> list[Reading]:
    """Read the first file of a group that can be read."""
    from beffroi.lake.connectors import registry

    for file in files:
        name = str(file.relative_to(folder))
        try:
            inner = replace(options, layer=None, format=None)
            if file.suffix.lower() == ".zip" and registry.format_of(file) == "archive":
                readings = read(file, inner, con, depth + 1)
            else:
                readings = registry.read(file, inner, con)
        except Unreadable as error:
            told.append(
                Evidence("member", name, Sentence("« {name} » n’est pas lu : {why}", {"name": name, "why": str(error)}))
            )
            continue
        left = [other.suffix for other in files if other is not file]
        why = Sentence("lu dans l’archive : « {name} »", {"name": name})
        if left:
            why = Sentence(
                "lu dans l’archive : « {name} », préféré aux formats {others} du même nom",
                {"name": name, "others": ", ".join(left)},
            )
        for reading in readings:
            reading.evidences.insert(0, Evidence("member", name, why))
            if not alone:
                base = Path(stem).name
                reading.title = base if len(readings) == 1 else f"{base} — {reading.title}"
        return readings
    return []
