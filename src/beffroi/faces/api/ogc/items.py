"""Features: the questions an address may ask, and their answers in GeoJSON; `views` and `fast` carry them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.time import now
from beffroi.faces.api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    Answer,
    BadParameter,
    Parameters,
    address,
    link,
    refuse_others,
    with_query,
)
from beffroi.lake import queries as lake
from beffroi.lake.cql import AllOf, Condition, Projector, Spatial, from_json
from beffroi.lake.cql_text import from_text
from beffroi.lake.filter_values import equal_to
from beffroi.lake.projecting import CRS84, box_in_crs84, known, offered, reprojected, to_crs84
from beffroi.lake.queries import FoundFeatures, Seen
from beffroi.lake.rights import signature

FORMATS = {"json": GEOJSON, "html": HTML}
DEFAULT_LIMIT = 1_000
"""Large on purpose: programs that follow `next` links take a dataset in few requests."""

MAX_LIMIT = 10_000
READ = (
    "f", "limit", "after", "bbox", "bbox-crs", "crs", "datetime", "version", "filter", "filter-lang", "filter-crs",
)  # fmt: skip
_EMPTY = FoundFeatures(b"", 0, 0, None)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, read: `seen` is the dataset at the version that answers, None when there was none yet."""

    seen: Seen | None
    crs: str
    limit: int
    after: int
    bbox: BBox | None
    where: Condition | None


def page(current: Seen, base: str, parameters: Parameters) -> Answer:
    """Return a page of features, `current` being the version in force.

    Raises:
        BeffroiError: a parameter that cannot be read; says which, and what would do.
    """
    asked = read(current, parameters)
    found = answer_to(asked)
    joined = reprojected(found.joined, asked.crs)
    head: dict[str, Any] = {
        "type": "FeatureCollection",
        "numberMatched": found.matched,
        "numberReturned": found.returned,
        "links": page_links(current, asked, found, base, parameters),
    }
    body = json.dumps(head, ensure_ascii=False).encode()[:-1] + b',"features":[' + joined + b"]}"
    return Answer(body, GEOJSON, headers=_headers(asked.seen or current, asked.crs))


def answer_to(asked: Asked) -> FoundFeatures:
    """Return the features that answer a question."""
    if asked.seen is None:
        return _EMPTY
    return lake.found_features(asked.seen, where=asked.where, bbox=asked.bbox, limit=asked.limit, after=asked.after)


def page_links(
    current: Seen, asked: Asked, found: FoundFeatures, base: str, parameters: Parameters
) -> list[dict[str, Any]]:
    """Return the links of a page; the next one names the version, so that a walk never mixes two."""
    home = address(base, current.ref)
    items = f"{home}/items"
    links = [
        link(with_query(items, parameters), "self", GEOJSON),
        link(with_query(items, parameters | {"f": "html"}), "alternate", HTML),
        link(home, "collection", JSON),
    ]
    if found.last is not None and asked.seen is not None:
        following = {name: value for name, value in parameters.items() if name != "datetime"}
        following |= {"after": str(found.last), "version": asked.seen.manifest.version}
        if asked.after >= 0 and "limit" in parameters and parameters.get("f") != "html":
            # Who follows a second link walks the whole: GDAL asks for ten at a time and would come back 450 times for
            # 4,500 features. Its third page has ten times as many, and so on to a plain page.
            following["limit"] = str(max(asked.limit, min(10 * asked.limit, DEFAULT_LIMIT)))
        links.append(link(with_query(items, following), "next", GEOJSON))
    return links


def item(current: Seen, base: str, feature_id: str, parameters: Parameters) -> Answer:
    """Return one feature.

    Raises:
        BeffroiError: there is none of that id, or a parameter cannot be read.
    """
    refuse_others(parameters, ("f", "crs", "datetime", "version"))
    seen = at_version(current, parameters)
    crs = _crs(current, parameters, "crs")
    if seen is None:
        raise lake.DatasetNotFound(
            "aucune version à cette date", where="datetime", remedy="prenez une date plus récente"
        )
    body = reprojected(lake.found_item(seen, feature_id), crs)
    links = json.dumps(item_links(current, base, feature_id, parameters), ensure_ascii=False).encode()
    return Answer(body[:-1] + b',"links":' + links + b"}", GEOJSON, headers=_headers(seen, crs))


def item_links(current: Seen, base: str, feature_id: str, parameters: Parameters) -> list[dict[str, Any]]:
    """Return the links of one feature."""
    home = address(base, current.ref)
    own = f"{home}/items/{quote(feature_id, safe='')}"
    return [
        link(with_query(own, parameters), "self", GEOJSON),
        link(with_query(own, parameters | {"f": "html"}), "alternate", HTML),
        link(home, "collection", JSON),
    ]


def mark_of(seen: Seen) -> str:
    """Return the ETag of what a viewer sees of a version: new data, edits or rights change it."""
    edits = "" if seen.edits is None else f"-{seen.edits.name.rpartition('.')[2]}"
    return f'W/"{seen.manifest.version[-12:]}-{signature(seen.class_columns)}{edits}"'


def _headers(seen: Seen, crs: str) -> dict[str, str]:
    # Kept, but asked again each time.
    return {"Content-Crs": f"<{crs}>", "ETag": mark_of(seen), "Cache-Control": "no-cache"}


def read(current: Seen, parameters: Parameters) -> Asked:
    """Read the parameters of a page.

    Raises:
        BeffroiError: one cannot be read, or nobody reads it.
    """
    columns = {column.key: column for column in current.class_columns if column.key not in READ}
    refuse_others(parameters, (*READ, *columns))
    where = [equal_to(columns[name], value) for name, value in parameters.items() if name in columns]
    if (written := _filter(current, parameters)) is not None:
        where.append(written)
    bbox, area = _box(current, parameters)
    where += [area] if area is not None else []
    return Asked(
        seen=at_version(current, parameters),
        crs=_crs(current, parameters, "crs"),
        limit=limit_of(parameters),
        after=after_of(parameters),
        bbox=bbox,
        where=where[0] if len(where) == 1 else AllOf(tuple(where)) if where else None,
    )


def limit_of(parameters: Parameters) -> int:
    """Return how many are asked for.

    Raises:
        BadParameter: not a whole number beyond zero.
    """
    text = parameters.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    number = whole_number(text, digits=12)
    if not number:
        raise BadParameter(
            "« {value} » n'est pas un nombre d'objets",
            where="limit",
            remedy="de 1 à {most}",
            value=text[:40],
            most=MAX_LIMIT,
        )
    # The standard: a limit beyond the most is answered with the most.
    return min(number, MAX_LIMIT)


def after_of(parameters: Parameters) -> int:
    """Return the mark of the page before, −1 for the first.

    Raises:
        BadParameter: a mark that is not ours.
    """
    text = parameters.get("after", "")
    if not text:
        return -1
    number = whole_number(text, digits=12)
    if number is None:
        raise BadParameter(
            "repère de page « {value} » inconnu", where="after", remedy="suivez le lien « next »", value=text[:40]
        )
    return number


def _crs(current: Seen, parameters: Parameters, name: str) -> str:
    text = parameters.get(name)
    if text is None:
        return CRS84
    return known(text, offered(current.manifest.bbox), where=name)


def _box(current: Seen, parameters: Parameters) -> tuple[BBox | None, Condition | None]:
    """Return the box asked for, or the area it covers when it is written in another system."""
    crs = _crs(current, parameters, "bbox-crs")
    text = parameters.get("bbox")
    if text is None:
        return None, None
    if crs == CRS84:
        return BBox.parsed(text), None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    low_first = len(numbers) == 4 and numbers[0] <= numbers[2] and numbers[1] <= numbers[3]
    if not low_first or not all(math.isfinite(number) for number in numbers):
        raise BadParameter(
            "emprise « {text} » illisible",
            where="bbox",
            remedy="donnez quatre nombres dans l'ordre des axes de bbox-crs : minimums, puis maximums",
            text=text[:80],
        )
    area = box_in_crs84((numbers[0], numbers[1], numbers[2], numbers[3]), crs)
    if not all(math.isfinite(number) for number in area.bounds):
        raise BadParameter("emprise hors de son système de coordonnées", where="bbox", remedy="vérifiez bbox-crs")
    return None, Spatial("s_intersects", area.wkb)


def _filter(current: Seen, parameters: Parameters) -> Condition | None:
    language = parameters.get("filter-lang", "cql2-text")
    readers: dict[str, Callable[[str, Projector], Condition]] = {"cql2-text": from_text, "cql2-json": from_json}
    if language not in readers:
        raise BadParameter(
            "langage de filtre « {language} » non proposé",
            where="filter-lang",
            remedy="cql2-text ou cql2-json",
            language=language[:40],
        )
    crs = _crs(current, parameters, "filter-crs")
    text = parameters.get("filter")
    return None if text is None else readers[language](text, lambda shape: to_crs84(shape, crs))


def at_version(current: Seen, parameters: Parameters) -> Seen | None:
    """Return the dataset at the `version` or the `datetime` asked for, None when there was none yet.

    Raises:
        BadParameter: a date that cannot be read.
        DatasetNotFound: no such version.
    """
    version = parameters.get("version")
    if version is None and "datetime" in parameters:
        until = period_of(parameters["datetime"])[1]
        version = lake.version_valid(current, until=until)
        if version is None:
            return None
        if until is not None and until < now():
            # What has been corrected since was not yet.
            current = replace(current, edits=None)
    if version is None or version == current.manifest.version:
        return current
    return current.at(version)


def period_of(text: str, *, where: str = "datetime") -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment of an instant, a day or an interval; None where it has no bound.

    Raises:
        BadParameter: not RFC 3339, or an interval that ends before it begins.
    """
    first, slash, last = text.partition("/")
    try:
        start = None if first in ("", "..") and slash else _moment(first)[0]
        end = None if last in ("", "..") and slash else _moment(last if slash else first)[1]
    except (ValueError, OverflowError):
        start, end = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    if start is not None and end is not None and start > end:
        raise BadParameter(
            "date ou période « {text} » illisible",
            where=where,
            remedy="écrivez 2026-11-25, 2026-11-25T10:00:00Z ou 2026-01-01/2026-06-30 (.. : sans borne)",
            text=text[:80],
        )
    return start, end


def _moment(text: str) -> tuple[datetime, datetime]:
    found = datetime.fromisoformat(text)
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    whole_day = len(text) == 10
    # A version bears its second: what is published within it holds from its beginning.
    return aware, aware + _DAY - timedelta(microseconds=1) if whole_day else aware


def differences(current: Seen, base: str, parameters: Parameters) -> Answer:
    """Return what changed between `from` and `to`, with the exact counts; since the last version when none is told.

    Raises:
        BeffroiError: a parameter that cannot be read, or a question too costly.
    """
    refuse_others(parameters, ("f", "from", "to", "limit", "after"))
    limit, after = min(limit_of(parameters), lake.MAX_CHANGES), after_of(parameters)
    before, now = (_when(current, parameters, name) for name in ("from", "to"))
    found = lake.differences_between(before, now, limit=limit, offset=after + 1)
    url = f"{address(base, current.ref)}/differences"
    links = [link(with_query(url, parameters), "self", GEOJSON), link(address(base, current.ref), "collection", JSON)]
    if after + 1 + len(found.page) < found.total:
        following = parameters | {"after": str(after + len(found.page))}
        links.append(link(with_query(url, following), "next", GEOJSON))
    head: dict[str, Any] = {
        "type": "FeatureCollection",
        "from": None if before is None else before.manifest.version,
        "to": None if now is None else now.manifest.version,
        "numberAdded": found.added,
        "numberRemoved": found.removed,
        "numberChanged": found.changed,
        "numberMatched": found.total,
        "numberReturned": len(found.page),
        "links": links,
    }
    told = [
        f'{one.body[:-1]},"change":"{one.kind}","changedProperties":{json.dumps(one.columns)}}}' for one in found.page
    ]
    body = json.dumps(head, ensure_ascii=False)[:-1] + ',"features":[' + ",".join(told) + "]}"
    return Answer(body.encode(), GEOJSON, headers={"Cache-Control": "no-cache"})


def _when(current: Seen, parameters: Parameters, name: str) -> Seen | None:
    """Return the dataset at a date; without one, the version in force (`to`) or the one before it (`from`)."""
    if name in parameters:
        until = period_of(parameters[name], where=name)[1]
    elif name == "to":
        return current
    else:
        until = current.manifest.created_at - timedelta(seconds=1)
    version = lake.version_valid(current, until=until)
    if version is None:
        return None
    return current if version == current.manifest.version else current.at(version)
