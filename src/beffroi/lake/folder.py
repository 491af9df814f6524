"""What a folder of open data holds: its datasets, the best of the formats each is published in, and their notices."""

from __future__ import annotations

import difflib
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.definitions import Definition
from beffroi.lake.readme import Notice, is_notice, notice_in

_HIDDEN = re.compile(r"^[.~_]|^Thumbs\.db$|~$", re.IGNORECASE)
# Companions of another file, read with it.
_COMPANIONS = {
    ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".fix", ".qpj", ".qml", ".sld", ".lyr", ".gfs",
    ".map", ".id", ".dat", ".mid", ".ind",
}  # fmt: skip
# Papers about the data, that hold none.
_PAPERS = {".md", ".rst", ".licence", ".license", ".toml", ".sha256", ".py"}
_FORMAT_TAIL = re.compile(
    r"[ ._-](kml|kmz|shp|shape|csv|geojson|json|xlsx?|ods|gpkg|gml|xml|wgs84|l93)$", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d{2}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a format brings: its usual name, and the order of preference (lower is better)."""

    name: str
    rank: int
    has_geometry: bool = False


KINDS: dict[str, Kind] = {
    "gpkg": Kind("GeoPackage", 0, True),
    "fgb": Kind("FlatGeobuf", 1, True),
    "shp": Kind("shapefile", 2, True),
    "tab": Kind("MapInfo", 3, True),
    "geojson": Kind("GeoJSON", 4, True),
    "shp-bare": Kind("shapefile sans .prj", 5, True),
    "gml": Kind("GML", 6, True),
    "topojson": Kind("TopoJSON", 7, True),
    "kml": Kind("KML", 8, True),
    "kmz": Kind("KMZ", 9, True),
    "gpx": Kind("GPX", 10, True),
    "dxf": Kind("DXF", 11, True),
    "mif": Kind("MapInfo", 12, True),
    "parquet": Kind("Parquet", 20),
    "xlsx": Kind("XLSX", 21),
    "ods": Kind("ODS", 22),
    "xls": Kind("XLS", 23),
    "csv": Kind("CSV", 24),
    "tsv": Kind("TSV", 25),
    "json": Kind("JSON", 26),
    "xml": Kind("XML", 27),
    "txt": Kind("texte", 28),
    "zip": Kind("archive", 30),
}
_OTHER = Kind("autre", 40)


@dataclass(frozen=True, slots=True)
class Twin:
    """Another publication of the same dataset, and why it was not the one taken."""

    path: Path
    why: Sentence


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """One dataset of a folder: the file taken and why, its twins, its notice. `slug` is unique within the plan.

    `definition` is its dataset file where the source holds several datasets (see `importing.several`).
    """

    slug: str
    title: str
    theme: str
    path: Path
    kind: Kind
    why: Sentence
    twins: tuple[Twin, ...] = ()
    notice: Notice | None = field(default=None, compare=False)
    definition: Definition | None = field(default=None, compare=False)


@dataclass(slots=True)
class _File:
    path: Path
    kind: Kind
    stem: str


def plan(folder: Path) -> list[SourceGroup]:
    """Return the datasets found under `folder`, in the order of their paths.

    Files of one folder whose names differ only by their format are one dataset, of which one is taken: with geometry
    before without, a CRS declared before not, typed before text, and the one with the most objects when they differ
    by more than 2 %. The nearest notice above a file applies to it.
    """
    folder = folder.resolve()
    files: dict[Path, list[_File]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _is_source(path, folder):
            files[path.parent].append(_File(path, kind_of(path), _stem(path)))
    groups = [
        _group(members, parent, folder) for parent, found in sorted(files.items()) for members in _same_dataset(found)
    ]
    return sorted(_with_unique_slugs(_with_titles(groups), folder), key=lambda group: str(group.path))


def kind_of(path: Path) -> Kind:
    """Return what a file brings, by its name and, for an archive or a JSON, by a look inside."""
    suffix = path.suffix.lower().lstrip(".")
    if suffix == "zip":
        return _kind_of_zip(path)
    if suffix == "json":
        with path.open("rb") as handle:
            head = handle.read(4096)
        return KINDS["geojson"] if b'"FeatureCollection"' in head else KINDS["json"]
    if suffix == "shp":
        return KINDS["shp" if path.with_suffix(".prj").exists() else "shp-bare"]
    return KINDS.get(suffix, _OTHER)


def _kind_of_zip(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            suffixes = Counter(Path(name).suffix.lower().lstrip(".") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return KINDS["zip"]
    suffixes = Counter({suffix: count for suffix, count in suffixes.items() if suffix in KINDS and suffix != "xml"})
    if suffixes.keys() == {"shp"}:
        with zipfile.ZipFile(path) as archive:
            declared = any(name.lower().endswith(".prj") for name in archive.namelist())
        return KINDS["shp" if declared else "shp-bare"]
    return KINDS[next(iter(suffixes))] if len(suffixes) == 1 else KINDS["zip"]


def _is_source(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts
    suffix = path.suffix.lower()
    if any(_HIDDEN.search(part) for part in inside) or is_notice(path) or suffix in _PAPERS:
        return False
    if suffix == ".dbf":
        return not any(path.with_suffix(other).exists() for other in (".shp", ".SHP", ".tab", ".TAB"))
    if suffix == ".xml" and (path.with_suffix("").suffix.lower() == ".shp" or path.with_suffix(".shp").exists()):
        return False
    return suffix not in _COMPANIONS


def _stem(path: Path) -> str:
    """Return the name of a dataset: that of the file without what only tells its format."""
    stem = unicodedata.normalize("NFC", path.stem)
    while (shorter := _FORMAT_TAIL.sub("", stem)) != stem:
        stem = shorter
    return stem


def _same_dataset(files: Sequence[_File]) -> list[list[_File]]:
    """Put together the files of one folder that are one dataset in several formats."""
    groups: dict[str, list[_File]] = {}
    for file in files:
        key = file.stem.lower()
        key = next((other for other in groups if _nearly(key, other) and _complete(file, groups[other])), key)
        groups.setdefault(key, []).append(file)
    return list(groups.values())


def _nearly(one: str, other: str) -> bool:
    """Tell the same name from a typing mistake of it; other figures make another dataset (a year, a district)."""
    if one == other:
        return True
    if re.findall(r"\d+", one) != re.findall(r"\d+", other) or min(len(one), len(other)) < 12:
        return False
    return difflib.SequenceMatcher(None, one, other).ratio() > 0.96


def _complete(file: _File, group: Iterable[_File]) -> bool:
    """Tell whether a file adds a format to a group: two files of one format are two datasets, unless namesakes."""
    return all(file.stem.lower() == other.stem.lower() or file.kind != other.kind for other in group)


def _group(files: list[_File], parent: Path, folder: Path) -> SourceGroup:
    taken, why = _best(files)
    twins = tuple(Twin(file.path, _why_not(file, taken)) for file in files if file is not taken)
    notice = _nearest_notice(parent, folder)
    return SourceGroup(
        slug=_slug([taken.stem]),
        title=notice.title if notice else "",
        theme=_theme(parent, folder, notice),
        path=taken.path,
        kind=taken.kind,
        why=why,
        twins=twins,
        notice=notice,
    )


def _theme(parent: Path, folder: Path, notice: Notice | None) -> str:
    """Return the theme of a dataset: the first folder, or the one imported when that first is the dataset's own."""
    inside = parent.relative_to(folder).parts
    own = len(inside) == 1 and notice is not None and notice.path.parent == parent
    return _slug([folder.name if own else inside[0]]) if inside else ""


def _best(files: list[_File]) -> tuple[_File, Sentence]:
    best = min(files, key=lambda file: (file.kind.rank, str(file.path)))
    if len(files) == 1:
        return best, Sentence("seul format publié ({kind})", {"kind": best.kind.name})
    if best.kind.has_geometry:
        counts = {id(file): objects_in(file.path) for file in files if file.kind.has_geometry}
        known = {key: count for key, count in counts.items() if count is not None}
        most = max((file for file in files if id(file) in known), key=lambda file: known[id(file)], default=best)
        if id(best) in known and known[id(most)] > 1.02 * known[id(best)]:
            why = Sentence(
                "{kind} : {count} objets, contre {other} en {other_kind}",
                {
                    "kind": most.kind.name,
                    "count": known[id(most)],
                    "other": known[id(best)],
                    "other_kind": best.kind.name,
                },
            )
            return most, why
        return best, Sentence(
            "{kind} : géométrie et types, le mieux décrit des formats publiés", {"kind": best.kind.name}
        )
    return best, Sentence("{kind} : le mieux typé des formats publiés, tous sans géométrie", {"kind": best.kind.name})


def _why_not(file: _File, taken: _File) -> Sentence:
    values = {"kind": file.kind.name, "taken": taken.kind.name}
    if taken.kind.has_geometry and not file.kind.has_geometry:
        return Sentence("même jeu en {kind}, sans géométrie", values)
    if file.kind == taken.kind:
        return Sentence("même jeu, autre fichier {kind}", values)
    return Sentence("même jeu en {kind}, moins bien décrit que {taken}", values)


_FEATURE = re.compile(rb'"type"\s*:\s*"Feature"')


def objects_in(path: Path) -> int | None:
    """Return how many objects a GeoJSON, a KML or a shapefile holds, zipped or not, without reading them; else None."""
    try:
        if path.suffix.lower() == ".zip":
            return _objects_in_zip(path)
        if path.suffix.lower() == ".shp":
            return _dbf_count(path.with_suffix(".dbf").read_bytes()[:8])
        if path.suffix.lower() in {".geojson", ".json"} and path.stat().st_size < 256 * 1024**2:
            return len(_FEATURE.findall(path.read_bytes()))
        if path.suffix.lower() == ".kml" and path.stat().st_size < 256 * 1024**2:
            return path.read_bytes().count(b"<Placemark")
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        return None
    return None


def _objects_in_zip(path: Path) -> int | None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        tables = [name for name in names if name.lower().endswith(".dbf")]
        if len(tables) == 1:
            with archive.open(tables[0]) as handle:
                return _dbf_count(handle.read(8))
        placemarks = [name for name in names if name.lower().endswith(".kml")]
        if len(placemarks) == 1 and archive.getinfo(placemarks[0]).file_size < 256 * 1024**2:
            return archive.read(placemarks[0]).count(b"<Placemark")
    return None


def _dbf_count(head: bytes) -> int | None:
    return int.from_bytes(head[4:8], "little") if len(head) == 8 else None


def _nearest_notice(parent: Path, folder: Path) -> Notice | None:
    for place in (parent, *parent.parents):
        notice = notice_in(place)
        if notice or place == folder:
            return notice
    return None


def _with_titles(groups: list[SourceGroup]) -> list[SourceGroup]:
    """Tell apart the datasets that share a notice by what their names have of their own."""
    shared: dict[Path, list[SourceGroup]] = defaultdict(list)
    for group in groups:
        if group.notice:
            shared[group.notice.path].append(group)
    titled = []
    for group in groups:
        same = shared[group.notice.path] if group.notice else []
        words = _own_words(group, same) if len(same) > 1 else ""
        title = f"{group.title} — {words}" if group.title and words else group.title or _words(_stem(group.path))
        titled.append(replace(group, title=title))
    return titled


def _own_words(group: SourceGroup, same: Sequence[SourceGroup]) -> str:
    stems = [_parts(_stem(other.path)) for other in same]
    mine = _parts(_stem(group.path))
    common = 0
    while all(len(stem) > common and len(mine) > common and stem[common] == mine[common] for stem in stems):
        common += 1
    return " ".join(mine[common:])


def _words(stem: str) -> str:
    return " ".join(_parts(stem)) or stem


# A publisher's own name at the beginning of every file: « VilleMTP_MTP_ », « AggloMTP_ ».
_PUBLISHER = re.compile(r"^(ville|agglo|metropole)[a-z]{2,5}$", re.IGNORECASE)
_ACRONYM = re.compile(r"^[A-Z]{2,4}$")


def _parts(stem: str) -> list[str]:
    """Return the words of a name, without the publisher's acronyms at its beginning.

    >>> _parts("VilleMTP_MTP_EclairagePublic"), _parts("OSM_MTP_Recyclage"), _parts("AccERP_2013")
    (['Eclairage', 'Public'], ['OSM', 'Recyclage'], ['Acc', 'ERP', '2013'])
    """
    pieces = [piece for piece in re.split(r"[\s_.+=-]+", stem) if piece]
    kept = pieces[:1] if pieces and not _PUBLISHER.match(pieces[0]) else []
    rest = pieces[1:]
    if any(char.isalpha() for piece in rest[1:] for char in piece) and _ACRONYM.match(rest[0]):
        rest = rest[1:]
    words = [re.sub(r"(?<=[a-zéèêç])(?=[A-Z]\w)", " ", piece).split() for piece in [*kept, *rest]]
    return [word for group in words for word in group]


def _slug(names: Sequence[str]) -> str:
    words = [word for name in names for word in _parts(name)]
    text = unicodedata.normalize("NFKD", "-".join(words).replace("œ", "oe")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80].strip("-") or "jeu"


def _with_unique_slugs(groups: list[SourceGroup], folder: Path) -> list[SourceGroup]:
    """Give each dataset a slug of its theme and its name; namesakes take the name of their folder, then a number."""
    slugs = [_prefixed(group.theme, group.slug) for group in groups]
    for naming in (_with_folder, _with_suffix):
        counts = Counter(slugs)
        slugs = [
            slug if counts[slug] == 1 else naming(group, folder) for slug, group in zip(slugs, groups, strict=True)
        ]
    taken: Counter[str] = Counter()
    unique = []
    for group, slug in zip(groups, slugs, strict=True):
        taken[slug] += 1
        unique.append(replace(group, slug=slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"))
    return unique


def _prefixed(theme: str, slug: str) -> str:
    return slug if not theme or slug == theme or slug.startswith(f"{theme}-") else f"{theme}-{slug}"


def _with_folder(group: SourceGroup, folder: Path) -> str:
    inside = group.path.parent.relative_to(folder).parts[1:]
    return _prefixed(group.theme, "-".join([*(_slug([part]) for part in inside), group.slug]))


def _with_suffix(group: SourceGroup, folder: Path) -> str:
    return f"{_with_folder(group, folder)}-{_slug([group.path.suffix.lstrip('.')])}"
