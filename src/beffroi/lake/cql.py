"""Conditions on features: the values that `filtering` evaluates, and CQL2 as JSON. CQL2 as text is in `cql_text`.

Knows no Django. A condition is frozen: equal conditions are one key of the cache of answers. Shapes are WKB, in
longitude, latitude (OGC:CRS84).

Source: OGC 21-065r2, Common Query Language (CQL2) 1.0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop

_GRAMMAR = gettext_noop("la grammaire est celle de CQL2 (OGC 21-065r2)")
MAX_TEXT = 8_000
MAX_DEPTH = 40
MAX_VALUES = 1_000


class BadFilter(BeffroiError):
    """A filter that is not CQL2, or asks what this server does not offer; says where and what would do."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "filter",
        remedy: str = _GRAMMAR,
        **values: Any,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy, **values)


@dataclass(frozen=True, slots=True)
class Property:
    """A column by key. `case` and `accent` tell that capital letters or accents do not count."""

    key: str
    case: bool = False
    accent: bool = False


@dataclass(frozen=True, slots=True)
class Instant:
    """A date (``AAAA-MM-JJ``) or a moment (RFC 3339) written in a filter."""

    text: str


Value = str | int | float | bool | Instant
"""What a property is compared with."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`property op value`, `op` being one of ``= <> < <= > >=``."""

    op: str
    property: Property
    value: Value


@dataclass(frozen=True, slots=True)
class Between:
    """The property is between two values, both included."""

    property: Property
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class In:
    """The property is one of `values`."""

    property: Property
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    r"""The property looks like `pattern`: ``%`` any characters, ``_`` one, ``\`` before a literal one."""

    property: Property
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """The property has no value."""

    property: Property


@dataclass(frozen=True, slots=True)
class Spatial:
    """The feature's shape stands in relation `op` (a key of `SPATIAL`) to `wkb`. `flipped`: the literal came first."""

    op: str
    wkb: bytes
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Always:
    """True or false whatever the feature."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary; what is unknown stays unknown."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part at least holds."""

    parts: tuple[Condition, ...]


Condition = Compare | Between | In | Like | IsNull | Spatial | Always | Not | AllOf | AnyOf

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
SPATIAL: dict[str, str] = {
    "s_intersects": "intersects",
    "s_disjoint": "disjoint",
    "s_equals": "equals",
    "s_touches": "touches",
    "s_crosses": "crosses",
    "s_within": "within",
    "s_contains": "contains",
    "s_overlaps": "overlaps",
}
GEOMETRIES = ("geometry", "geom")
"""Names under which a filter may speak of the shape of features."""

Projector = Callable[[BaseGeometry], BaseGeometry]


def compared(op: str, left: Any, right: Any) -> Condition:
    """Return a comparison whose property may stand on either side.

    Raises:
        BadFilter: neither or both sides are a property.
    """
    if isinstance(left, Property) and not isinstance(right, Property):
        return Compare(op, left, value_of(right))
    if isinstance(right, Property) and not isinstance(left, Property):
        return Compare(FLIPPED[op], right, value_of(left))
    raise BadFilter(
        "comparaison « {op} » sans une propriété d'un côté et une valeur de l'autre",
        remedy="écrivez par exemple hauteur >= 10",
        op=op,
    )


def value_of(found: Any) -> Value:
    """Return a literal.

    Raises:
        BadFilter: it is something else.
    """
    if isinstance(found, (str, bool, int, float, Instant)):
        return found
    raise BadFilter("une valeur est attendue, pas {found}", found=str(found)[:80])


def property_of(found: Any) -> Property:
    """Return a property.

    Raises:
        BadFilter: it is something else.
    """
    if isinstance(found, Property):
        return found
    raise BadFilter("un nom de propriété est attendu, pas « {found} »", found=str(found)[:80])


def spatial(op: str, left: Any, right: Any, projected: Projector) -> Condition:
    """Return a spatial predicate; `projected` brings its shape to longitude, latitude.

    Raises:
        BadFilter: not the feature's shape on one side and a shape on the other.
    """
    for mine, other, flipped in ((left, right, False), (right, left, True)):
        if isinstance(mine, Property) and mine.key in GEOMETRIES and isinstance(other, BaseGeometry):
            if other.is_empty or not shapely.is_valid(other):
                raise BadFilter("forme vide ou non valide", remedy="corrigez la géométrie du filtre")
            placed = projected(other)
            if not all(math.isfinite(number) for number in placed.bounds):
                raise BadFilter("forme hors de son système de coordonnées", remedy="vérifiez filter-crs")
            return Spatial(op, shapely.to_wkb(placed), flipped)
    raise BadFilter(
        "« {op} » attend la forme de l'objet (geometry) et une forme écrite",
        remedy="écrivez par exemple S_INTERSECTS(geometry, POINT(3.87 43.61))",
        op=op,
    )


def box(numbers: list[float]) -> BaseGeometry:
    """Return the shape of a BBOX of four or six numbers.

    Raises:
        BadFilter: another count, or a south beyond the north.
    """
    flat = [numbers[0], numbers[1], numbers[3], numbers[4]] if len(numbers) == 6 else numbers
    if len(flat) != 4 or flat[1] > flat[3]:
        raise BadFilter("BBOX attend ouest, sud, est, nord")
    if flat[0] <= flat[2]:
        return shapely.box(*flat)
    return shapely.union_all(
        [shapely.box(flat[0], flat[1], 180, flat[3]), shapely.box(-180, flat[1], flat[2], flat[3])]
    )


def from_json(text: str, projected: Projector = lambda shape: shape) -> Condition:
    """Read a filter in CQL2 JSON.

    Raises:
        BadFilter: not JSON, not CQL2, or beyond what is offered here.

    >>> from_json('{"op": "=", "args": [{"property": "espece"}, "Platane"]}')
    Compare(op='=', property=Property(key='espece', case=False, accent=False), value='Platane')
    """
    if len(text) > MAX_TEXT:
        raise BadFilter("filtre trop long", remedy="{most} caractères au plus", most=MAX_TEXT)
    try:
        payload = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadFilter("ce n'est pas du JSON", remedy="vérifiez les guillemets et les accolades") from error
    return _condition(payload, projected, 0)


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _condition(node: Any, projected: Projector, depth: int) -> Condition:
    if depth > MAX_DEPTH:
        raise BadFilter("filtre trop imbriqué", remedy="{most} niveaux au plus", most=MAX_DEPTH)
    if isinstance(node, bool):
        return Always(node)
    if not isinstance(node, Mapping) or not isinstance(node.get("op"), str):
        raise BadFilter("un objet avec « op » et « args » est attendu")
    op, args = node["op"].lower(), node.get("args")
    if not isinstance(args, list):
        raise BadFilter("« args » de « {op} » n'est pas une liste", op=op[:40])
    if op in ("and", "or"):
        if len(args) < 2:
            raise BadFilter("« {op} » attend deux conditions au moins", op=op)
        parts = tuple(_condition(one, projected, depth + 1) for one in args)
        return AllOf(parts) if op == "and" else AnyOf(parts)
    if op == "not":
        _count(op, args, 1)
        return Not(_condition(args[0], projected, depth + 1))
    return _predicate(op, args, projected)


def _count(op: str, args: list[Any], wanted: int) -> None:
    if len(args) != wanted:
        raise BadFilter("« {op} » attend {count} arguments", op=op, count=wanted)


def _predicate(op: str, args: list[Any], projected: Projector) -> Condition:
    if op in COMPARISONS:
        _count(op, args, 2)
        return compared(op, _operand(args[0]), _operand(args[1]))
    if op == "isnull":
        _count(op, args, 1)
        return IsNull(property_of(_operand(args[0])))
    if op == "like":
        _count(op, args, 2)
        return like(_operand(args[0]), _operand(args[1]))
    if op == "between":
        _count(op, args, 3)
        low, high = (value_of(_operand(one)) for one in args[1:])
        return Between(property_of(_operand(args[0])), low, high)
    if op == "in":
        _count(op, args, 2)
        if not isinstance(args[1], list):
            raise BadFilter("« in » attend une liste de valeurs")
        return one_of(_operand(args[0]), [_operand(one) for one in args[1]])
    if op in SPATIAL:
        _count(op, args, 2)
        return spatial(op, _operand(args[0]), _operand(args[1]), projected)
    raise BadFilter("opérateur « {op} » inconnu", op=op[:40])


def like(found: Any, pattern: Any) -> Condition:
    """Return a LIKE.

    Raises:
        BadFilter: not a property and a text.
    """
    if not isinstance(pattern, str):
        raise BadFilter("« like » attend un texte")
    return Like(property_of(found), pattern)


def one_of(found: Any, values: list[Any]) -> Condition:
    """Return an IN.

    Raises:
        BadFilter: not a property, no value, or too many.
    """
    if not 0 < len(values) <= MAX_VALUES:
        raise BadFilter("« in » attend de 1 à {most} valeurs", most=MAX_VALUES)
    return In(property_of(found), tuple(value_of(one) for one in values))


def folded(name: str, inner: Any) -> Any:
    """Return what CASEI or ACCENTI makes of a property or of a text; the text is folded when it is compared.

    Raises:
        BadFilter: neither.
    """
    if isinstance(inner, Property):
        return Property(inner.key, inner.case or name == "casei", inner.accent or name == "accenti")
    if isinstance(inner, str):
        return inner
    raise BadFilter("{name} attend une propriété ou un texte", name=name.upper())


def _operand(node: Any) -> Any:
    if isinstance(node, (str, bool, int, float)):
        return node
    if not isinstance(node, Mapping):
        raise BadFilter("valeur illisible")
    if isinstance(node.get("property"), str):
        return Property(node["property"])
    for name in ("date", "timestamp"):
        if isinstance(node.get(name), str):
            return Instant(node[name])
    if isinstance(node.get("bbox"), list) and all(isinstance(one, (int, float)) for one in node["bbox"]):
        return box([float(one) for one in node["bbox"]])
    if isinstance(node.get("op"), str) and node["op"].lower() in ("casei", "accenti"):
        args = node.get("args")
        if isinstance(args, list) and len(args) == 1:
            return folded(node["op"].lower(), _operand(args[0]))
    if isinstance(node.get("type"), str):
        try:
            return shapely.from_geojson(json.dumps(node))
        except (shapely.errors.ShapelyError, ValueError) as error:
            raise BadFilter("géométrie GeoJSON illisible") from error
    raise BadFilter("valeur illisible : {found}", found=json.dumps(node)[:80])
