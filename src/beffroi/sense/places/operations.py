"""Keep the indexes at the state of the lake."""

from __future__ import annotations

from collections import defaultdict

from beffroi.base.territory import queries as territories
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.places import store
from beffroi.sense.places.gathering import gather, reader
from beffroi.sense.places.index import Gathered, Source


def index_territory(territory: str) -> list[str]:
    """Bring the indexes of a territory to the state of the lake; return the datasets read again, by slug.

    Only what was published, or whose rights moved, is read again; the rest is taken from the index in service. Done
    twice, or interrupted at any point, it only completes.
    """
    with store.indexing(territory):
        wanted = _wanted(territory)
        read: set[str] = set()
        for class_name in sorted({*wanted, *store.classes(territory)}):
            read |= _index_class(territory, class_name, wanted.get(class_name, []))
    return sorted(read)


def index_everything() -> dict[str, list[str]]:
    """Do so for every territory that has data or an index; return what was read again, by territory."""
    known = {ref.territory for ref in lake.all_datasets()} | set(store.territories())
    return {territory: index_territory(territory) for territory in sorted(known)}


def _wanted(territory: str) -> dict[str, list[Source]]:
    """Return what the index of each class must hold: each dataset in the class of every sort of its readers."""
    wanted: dict[str, list[Source]] = defaultdict(list)
    for ref in lake.all_datasets(territory):
        try:
            classes = lake.reading_classes(ref)
        except DatasetNotFound:
            # Removed meanwhile.
            continue
        for class_name in classes:
            seen = lake.what_is_seen(reader(territory, class_name), ref)
            if seen is not None and seen[0] == class_name:
                wanted[class_name].append(Source(ref.slug, version=seen[2], mark=seen[1]))
    return wanted


def _index_class(territory: str, class_name: str, wanted: list[Source]) -> set[str]:
    current = store.index_of(territory, class_name)
    if current is not None and list(current.sources) == wanted:
        return set()
    known = {source.slug: source for source in current.sources} if current else {}
    city = _name(territory)
    gathered: list[Gathered] = []
    read: set[str] = set()
    for source in wanted:
        kept = current.of_dataset(source.slug) if current and known.get(source.slug) == source else None
        if kept is None:
            read.add(source.slug)
            try:
                kept = gather(DatasetRef(territory, source.slug), class_name, source, city=city)
            except DatasetNotFound:
                continue
        gathered.append(kept)
    store.replace_index(territory, class_name, gathered)
    return read


def _name(territory: str) -> str:
    try:
        return territories.territory(territory).name
    except territories.UnknownTerritory:
        # Data imported before the commune was added.
        return ""
