"""Answer what a SensorThings address asks: a collection, an entity, a property, links opened in as few questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from urllib.parse import quote

from django.db.models import F, Q, QuerySet

from beffroi.base.territory.viewer import Viewer
from beffroi.sense.live.intake import may_send
from beffroi.sense.live.models import ObservedProperty, Sensor
from beffroi.sense.live.queries import readable
from beffroi.sense.live.sta.asked import Asked, BadAsk, NothingThere, Step, steps_of
from beffroi.sense.live.sta.entities import ENTITIES, Entity, Link
from beffroi.sense.live.sta.filters import compared, is_crossing, ordered

OBSERVATIONS = "Observations"
# What is opened within a page: one question a parent, for readings alone.
MOST_PARENTS = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, of which town, and the address (without a slash at its end) that links begin with."""

    viewer: Viewer
    territory: str
    root: str


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a path has led: an entity set cut to what is asked, by its parent if it has one."""

    entity: Entity
    rows: QuerySet[Any]
    single: bool
    # Every row is of one series: what is unique to it sorts it.
    one_series: bool = False


def answer(reader: Reader, path: str, asked: Asked) -> Any:
    """Return the JSON of a path: a dict, or the bare value of a ``$value``.

    Raises:
        NothingThere: no such entity, property or link, or not for this reader.
        BadAsk: an option cannot be read.
    """
    steps = steps_of(path)
    here = _start(reader, steps[0])
    for place, step in enumerate(steps[1:], start=1):
        if step.name not in here.entity.links:
            return _within(reader, here, steps[place:], asked, path)
        here = _followed(reader, here, step)
    if not here.single:
        return _collection(reader, here, asked, path)
    found = _one(here, path)
    (shown,) = _shown(reader, here.entity, [found], asked)
    return shown


def found_entity(reader: Reader, name: str, number: int) -> Any:
    """Return the row of an entity this reader may read.

    Raises:
        NothingThere: no such entity, or not for this reader.
    """
    return _one(_start(reader, Step(name, number)), f"{name}({number})")


def link_to(reader: Reader, entity: str, key: int) -> str:
    """Return the address of an entity."""
    return f"{reader.root}/{entity}({key})"


def _start(reader: Reader, step: Step) -> _Here:
    entity = ENTITIES.get(step.name)
    if entity is None:
        raise NothingThere(
            "aucune entité ne s’appelle « {name} »", where=step.name[:60], remedy="entités : {known}",
            name=step.name[:60], known=", ".join(ENTITIES),
        )  # fmt: skip
    rows = _visible(reader, entity)
    if step.number is None:
        return _Here(entity, rows, single=False)
    return _Here(entity, rows.filter(pk=step.number), single=True)


def _visible(reader: Reader, entity: Entity) -> QuerySet[Any]:
    """Return the rows of an entity that this reader may read, in her town."""
    through = entity.to_thing
    seen = Q(**{f"{through}territory": reader.territory}) & readable(reader.viewer, through=through)
    rows = entity.model._default_manager.select_related(*entity.related)
    if entity.model not in (Sensor, ObservedProperty):
        return rows.filter(seen)
    if may_send(reader.viewer, reader.territory):
        # Who describes sensors sees those that have no series yet.
        return rows.filter(territory=reader.territory)
    return rows.filter(pk__in=entity.model._default_manager.filter(seen).order_by().values("pk"))


def _followed(reader: Reader, here: _Here, step: Step) -> _Here:
    link = here.entity.links[step.name]
    if not here.single:
        raise NothingThere(
            "« {name} » part d’une seule entité", where=step.name, name=step.name,
            remedy="donnez son numéro, par exemple Datastreams(3)/Observations",
        )  # fmt: skip
    parent = _one(here, step.name)
    rows = _linked(ENTITIES[link.entity], link, [attrgetter(link.ours)(parent)])
    if not _is_within_reach(here.entity):
        rows = rows.filter(pk__in=_visible(reader, ENTITIES[link.entity]).order_by().values("pk"))
    if step.number is not None:
        rows = rows.filter(pk=step.number)
    single = not link.many or step.number is not None
    return _Here(ENTITIES[link.entity], rows, single, one_series=link.theirs == "datastream_id")


def _linked(entity: Entity, link: Link, keys: Iterable[Any]) -> QuerySet[Any]:
    rows = entity.model._default_manager.select_related(*entity.related)
    wanted = sorted(set(keys))
    return rows.filter(**({link.theirs: wanted[0]} if len(wanted) == 1 else {f"{link.theirs}__in": wanted}))


def _is_within_reach(entity: Entity) -> bool:
    """Tell whether who may read one side may read the other: all but from a sensor or a property to its series."""
    return entity.model not in (Sensor, ObservedProperty)


def _one(here: _Here, where: str) -> Any:
    found = here.rows.order_by("pk").first()
    if found is None:
        raise NothingThere(
            "rien de tel, ou pas pour vous", where=where[:200], remedy="la liste est à l’adresse de la collection"
        )
    return found


def _within(reader: Reader, here: _Here, rest: Sequence[Step], asked: Asked, path: str) -> Any:
    """Return a property of an entity, its bare value, or the addresses of a collection."""
    names = [one.name for one in rest]
    if names == ["$ref"] and not here.single:
        rows = _kept(here, asked)[asked.skip : asked.skip + asked.top]
        return {"value": [{"@iot.selfLink": link_to(reader, here.entity.name, row.pk)} for row in rows]}
    if here.single and len(names) <= 2 and names[1:] in ([], ["$value"]):
        shown = here.entity.shown(_one(here, path))
        if names[0] in shown:
            return shown[names[0]] if names[1:] else {names[0]: shown[names[0]]}
    raise NothingThere(
        "« {name} » n’existe pas ici", where=path[:200], name=names[0][:60],
        remedy="liens : {known}", known=", ".join(here.entity.links),
    )  # fmt: skip


def _kept(here: _Here, asked: Asked) -> QuerySet[Any]:
    rows = here.rows
    if asked.filter:
        rows = rows.filter(compared(here.entity, asked.filter))
        if is_crossing(here.entity, asked.filter):
            rows = rows.distinct()
    if asked.orderby:
        return rows.order_by(*ordered(here.entity, asked.orderby))
    # One index both keeps the readings of a series and sorts them.
    return rows.order_by("at_ms" if here.one_series else "pk")


def _collection(reader: Reader, here: _Here, asked: Asked, path: str) -> dict[str, Any]:
    rows = _kept(here, asked)
    told: dict[str, Any] = {"@iot.count": rows.count()} if asked.count else {}
    page = list(rows[asked.skip : asked.skip + asked.top + 1])
    more, page = len(page) > asked.top, page[: asked.top]
    if more and asked.top:
        told["@iot.nextLink"] = _next(reader, here, asked, path, page[-1])
    if asked.data_array:
        if here.entity.name != OBSERVATIONS:
            raise BadAsk("dataArray ne vaut que pour des Observations", where="$resultFormat", remedy="retirez-le")
        return told | {"value": _arrays(reader, page)}
    return told | {"value": _shown(reader, here.entity, page, asked)}


def _next(reader: Reader, here: _Here, asked: Asked, path: str, last: Any) -> str:
    """Return the address of the page that follows; for a series, from its last instant: far pages cost the same."""
    options = {"$top": str(asked.top)} if asked.bounded else {}
    if asked.orderby:
        options["$orderby"] = asked.orderby
    if asked.count:
        options["$count"] = "true"
    if asked.select:
        options["$select"] = ",".join(asked.select)
    if asked.expand:
        options["$expand"] = _spelled(asked.expand)
    if asked.data_array:
        options["$resultFormat"] = "dataArray"
    if here.one_series and not asked.orderby and not asked.count:
        after = f"phenomenonTime gt {here.entity.shown(last)['phenomenonTime']}"
        options["$filter"] = f"({asked.filter}) and {after}" if asked.filter else after
    else:
        if asked.filter:
            options["$filter"] = asked.filter
        options["$skip"] = str(asked.skip + asked.top)
    spelled = "&".join(f"{name}={quote(value, safe='(),;:/$=@ ')}" for name, value in options.items())
    return f"{reader.root}/{path.strip('/')}?{spelled.replace(' ', '%20')}"


def _spelled(expand: Any) -> str:
    parts = []
    for name, asked in expand.items():
        inner = [f"$top={asked.top}"] if asked.bounded else []
        inner += [f"$skip={asked.skip}"] if asked.skip else []
        inner += [f"$filter={asked.filter}"] if asked.filter else []
        inner += [f"$orderby={asked.orderby}"] if asked.orderby else []
        inner += [f"$select={','.join(asked.select)}"] if asked.select else []
        inner += [f"$expand={_spelled(asked.expand)}"] if asked.expand else []
        parts.append(f"{name}({';'.join(inner)})" if inner else name)
    return ",".join(parts)


def _arrays(reader: Reader, page: Sequence[Any]) -> list[dict[str, Any]]:
    grouped: dict[int, list[list[Any]]] = defaultdict(list)
    for row in page:
        shown = ENTITIES[OBSERVATIONS].shown(row)
        grouped[row.datastream_id].append([row.pk, shown["phenomenonTime"], row.result])
    return [
        {
            "Datastream@iot.navigationLink": link_to(reader, "Datastreams", key),
            "components": ["id", "phenomenonTime", "result"],
            "dataArray@iot.count": len(rows),
            "dataArray": rows,
        }
        for key, rows in grouped.items()
    ]


def _shown(reader: Reader, entity: Entity, rows: Sequence[Any], asked: Asked) -> list[dict[str, Any]]:
    unknown = set(asked.expand) - set(entity.links)
    if unknown:
        raise BadAsk(
            "« {name} » n’est pas un lien de {entity}", where="$expand", remedy="liens : {known}",
            name=min(unknown), entity=entity.name, known=", ".join(entity.links),
        )  # fmt: skip
    opened = {name: _opened(reader, entity, name, rows, wanted) for name, wanted in asked.expand.items()}
    return [_entity(reader, entity, row, asked, opened) for row in rows]


def _entity(
    reader: Reader, entity: Entity, row: Any, asked: Asked, opened: dict[str, dict[Any, Any]]
) -> dict[str, Any]:
    address = link_to(reader, entity.name, row.pk)
    whole: dict[str, Any] = {"@iot.id": row.pk, "@iot.selfLink": address, **entity.shown(row)}
    links = {name: f"{address}/{name}" for name in entity.links}
    if asked.select:
        names = ["@iot.id" if one in ("id", "@iot.id") else one for one in asked.select]
        unknown = [one for one in names if one not in whole and one not in links and one != "resultQuality"]
        if unknown:
            raise BadAsk(
                "« {name} » n’est pas une propriété de {entity}", where="$select", remedy="propriétés : {known}",
                name=unknown[0][:60], entity=entity.name, known=", ".join(entity.shown(row)),
            )  # fmt: skip
        whole = {one: whole[one] for one in names if one in whole}
        links = {name: link for name, link in links.items() if name in names}
    for name, link in links.items():
        if name not in opened:
            whole[f"{name}@iot.navigationLink"] = link
    for name, by_key in opened.items():
        empty: Any = [] if entity.links[name].many else None
        whole[name] = by_key.get(attrgetter(entity.links[name].ours)(row), empty)
    return whole


def _opened(reader: Reader, entity: Entity, name: str, rows: Sequence[Any], asked: Asked) -> dict[Any, Any]:
    """Return what a link leads to, by the key of this side: one question for all parents, but for their readings."""
    link = entity.links[name]
    other = ENTITIES[link.entity]
    keys = sorted({attrgetter(link.ours)(row) for row in rows})
    if not keys:
        return {}
    if link.entity == OBSERVATIONS and not _is_last(asked, link):
        return _readings(reader, link, keys, asked)
    found = _linked(other, link, keys)
    if not _is_within_reach(entity):
        found = found.filter(pk__in=_visible(reader, other).order_by().values("pk"))
    if link.entity == OBSERVATIONS:
        found, asked = found.filter(at_ms=F("datastream__last_ms")), Asked(select=asked.select, expand=asked.expand)
    kept = list(_kept(_Here(other, found, single=False), asked)[: MOST_PARENTS * 50])
    shown = _shown(reader, other, kept, asked)
    if not link.many:
        return {row.pk: one for row, one in zip(kept, shown, strict=True)}
    theirs = attrgetter(link.theirs.replace("__", "."))
    by_key: dict[Any, list[Any]] = defaultdict(list)
    for row, one in zip(kept, shown, strict=True):
        by_key[theirs(row)].append(one)
    return {key: found[asked.skip : asked.skip + asked.top] for key, found in by_key.items()}


def _is_last(asked: Asked, link: Link) -> bool:
    """Tell whether only the last reading of each series is wanted: it is known without looking for it."""
    words = asked.orderby.split()
    wanted = asked.top == 1 and not (asked.skip or asked.filter) and words == ["phenomenonTime", "desc"]
    return wanted and link.theirs == "datastream_id"


def _readings(reader: Reader, link: Link, keys: Sequence[Any], asked: Asked) -> dict[Any, Any]:
    if len(keys) > MOST_PARENTS:
        raise BadAsk(
            "trop de séries dont on ouvre les mesures", where="$expand", remedy="demandez-en {most} à la fois ($top)",
            most=MOST_PARENTS,
        )  # fmt: skip
    other, found = ENTITIES[OBSERVATIONS], {}
    for key in keys:
        here = _Here(other, _linked(other, link, [key]), False, one_series=link.theirs == "datastream_id")
        page = list(_kept(here, asked)[asked.skip : asked.skip + asked.top])
        found[key] = _shown(reader, other, page, asked)
    return found
