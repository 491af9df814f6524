"""What a SensorThings address asks: its path and its ``$`` options, nested ones included. Knows no Django."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from beffroi.base.kernel.errors import BeffroiError, NotFound

DEFAULT_TOP, MOST_TOP = 100, 1_000
MOST_EXPANDED, MOST_TEXT = 4, 2_000
OPTIONS = ("$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$resultFormat")


class BadAsk(BeffroiError):
    """An option cannot be read, or is not answered here."""


class NothingThere(NotFound):
    """No entity of that name, that number or that link."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one collection or entity. `expand` is by the name of the link."""

    filter: str = ""
    orderby: str = ""
    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] = ()
    expand: Mapping[str, Asked] = field(default_factory=dict)
    data_array: bool = False
    # Whether `top` was asked for, and is not the page's own size.
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a path: a name, and the number between brackets if there is one."""

    name: str
    number: int | None = None


_STEP = re.compile(r"(\$?[A-Za-z]+)(?:\((\d{1,18})\))?")


def steps_of(path: str) -> list[Step]:
    """Return the parts of a path.

    >>> steps_of("Datastreams(3)/Observations")
    [Step(name='Datastreams', number=3), Step(name='Observations', number=None)]

    Raises:
        NothingThere: a part is not written as the standard writes them.
    """
    steps = []
    for part in path.strip("/").split("/"):
        match = _STEP.fullmatch(part)
        if match is None:
            raise NothingThere(
                "« {part} » n’est pas une entité",
                where=path[:200],
                remedy="écrivez par exemple Datastreams(3)/Observations ; la liste est à la racine",
                part=part[:60],
            )
        steps.append(Step(match[1], int(match[2]) if match[2] else None))
    return steps


def asked_of(options: Mapping[str, str], *, depth: int = 0) -> Asked:
    """Return what options ask.

    Raises:
        BadAsk: one of them is unknown, or its value cannot be read.
    """
    asked = Asked()
    for name, value in options.items():
        if name not in OPTIONS:
            raise BadAsk(
                "paramètre inconnu", where=name[:60], remedy="paramètres lus ici : {known}", known=", ".join(OPTIONS)
            )
        if len(value) > MOST_TEXT:
            raise BadAsk("texte trop long", where=name, remedy="donnez au plus {most} caractères", most=MOST_TEXT)
        asked = _with(asked, name, value.strip(), depth)
    return asked


def _with(asked: Asked, name: str, value: str, depth: int) -> Asked:
    match name:
        case "$filter":
            return replace(asked, filter=value)
        case "$orderby":
            return replace(asked, orderby=value)
        case "$top":
            return replace(asked, top=min(MOST_TOP, _whole(name, value)), bounded=True)
        case "$skip":
            return replace(asked, skip=_whole(name, value))
        case "$count":
            if value not in ("true", "false"):
                raise BadAsk("répondez par true ou false", where=name, remedy="écrivez $count=true")
            return replace(asked, count=value == "true")
        case "$select":
            return replace(asked, select=tuple(part.strip() for part in value.split(",") if part.strip()))
        case "$expand":
            return replace(asked, expand=_expanded(value, depth))
    if value != "dataArray":
        raise BadAsk("format inconnu", where=name, remedy="seul dataArray est offert, pour des Observations")
    return replace(asked, data_array=True)


def _whole(name: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value):
        raise BadAsk("ce n’est pas un nombre entier", where=name, remedy="écrivez par exemple $top=50")
    return int(value)


def _expanded(text: str, depth: int) -> dict[str, Asked]:
    if depth >= MOST_EXPANDED:
        raise BadAsk(
            "trop de liens ouverts l’un dans l’autre", where="$expand", remedy="au plus {most}", most=MOST_EXPANDED
        )
    found: dict[str, Asked] = {}
    for part in _split(text, ","):
        match = re.fullmatch(r"([A-Za-z]+)(?:/([^(]+(?:\(.*\))?))?(?:\((.*)\))?", part.strip(), re.DOTALL)
        if match is None:
            raise BadAsk(
                "« {part} » ne se lit pas", where="$expand", part=part[:60],
                remedy="écrivez par exemple $expand=Observations($top=1;$orderby=phenomenonTime desc)",
            )  # fmt: skip
        name, further, inner = match.groups()
        options = dict(_option(one) for one in _split(inner or "", ";") if one.strip())
        if further:
            # Datastreams/Sensor is short for Datastreams($expand=Sensor).
            options["$expand"] = ",".join(filter(None, (options.get("$expand", ""), further)))
        before = found.get(name)
        asked = asked_of(options, depth=depth + 1)
        found[name] = replace(asked, expand={**before.expand, **asked.expand}) if before else asked
    return found


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals:
        raise BadAsk("« {part} » ne se lit pas", where="$expand", remedy="écrivez $top=1", part=text[:60])
    return name.strip(), value


def _split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts of a text, those within brackets and quotes left whole."""
    depth, quoted, start = 0, False, 0
    for place, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == separator and depth == 0:
                yield text[start:place]
                start = place + 1
    if depth or quoted:
        raise BadAsk("une parenthèse ou une apostrophe n’est pas fermée", where="$expand", remedy="fermez-la")
    if text:
        yield text[start:]
