"""What an OGC address answers, before any transport: bytes, a media type, headers. And the links between answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from beffroi.base.kernel.errors import BeffroiError
from beffroi.lake.queries import DatasetRef

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
PROBLEM = "application/problem+json"

ROOT = "/ogc/"
VARY = "Accept, Accept-Encoding, Cookie, Authorization, Accept-Language"
Link = dict[str, Any]
Parameters = dict[str, str]


class BadParameter(BeffroiError):
    """A parameter of the query that cannot be read, or that nobody reads."""


class NotAcceptable(BeffroiError):
    """None of the formats asked for is offered."""

    http_status = 406


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whatever carries it."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(payload: Any, media_type: str = JSON) -> Answer:
    """Return a JSON answer."""
    return Answer(json.dumps(payload, ensure_ascii=False).encode(), media_type)


def unchanged(answer: Answer, if_none_match: str) -> Answer:
    """Return the answer, or 304 when its reader already holds it."""
    etag = answer.headers.get("ETag", "")
    if etag and etag.removeprefix("W/") in if_none_match:
        return Answer(b"", answer.media_type, 304, answer.headers)
    return answer


def link(href: str, rel: str, media_type: str, title: str = "", **more: Any) -> Link:
    """Return a link."""
    return {"href": href, "rel": rel, "type": media_type} | ({"title": title} if title else {}) | more


def address(base: str, ref: DatasetRef, tail: str = "") -> str:
    """Return the absolute address of a collection, `base` being the scheme and the host."""
    return f"{base}{ROOT}collections/{ref.territory}.{ref.slug}{tail}"


def with_query(url: str, parameters: Mapping[str, Any]) -> str:
    """Return an address with parameters, those that are None left out."""
    told = [(name, value) for name, value in parameters.items() if value is not None]
    return f"{url}?{urlencode(told, quote_via=quote, safe=':/,')}" if told else url


def parameters_of(query: str) -> Parameters:
    """Return the parameters of a query string.

    Raises:
        BadParameter: one is given twice, or there are too many.
    """
    found: Parameters = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=60)
    except ValueError as error:
        raise BadParameter("trop de paramètres", remedy="soixante au plus") from error
    for name, value in pairs:
        if name in found:
            raise BadParameter("paramètre donné deux fois", where=name[:60], remedy="gardez-en un")
        found[name] = value
    return found


def refuse_others(parameters: Parameters, known: Sequence[str]) -> None:
    """Refuse a parameter that the address does not read: nothing is ignored in silence.

    Raises:
        BadParameter: one is not among `known`.
    """
    for name in parameters:
        if name not in known:
            raise BadParameter(
                "paramètre inconnu", where=name[:60], remedy="paramètres lus ici : {known}", known=", ".join(known)
            )


_WILD = ("*/*", "application/*")


def chosen_format(f: str | None, accept: str, offered: Mapping[str, str]) -> str:
    """Return the name of the format to answer in, of `offered` (name → media type; the first one is the default).

    `f` wins over the Accept header. Browsers ask for text/html first, programs for anything.

    Raises:
        BadParameter: `f` names a format that is not offered.
        NotAcceptable: nothing that is accepted is offered.
    """
    if f is not None:
        if f in offered:
            return f
        raise BadParameter(
            "format « {format} » non proposé",
            where="f",
            remedy="formats : {offered}",
            format=f[:20],
            offered=", ".join(offered),
        )
    default = next(iter(offered))
    if not accept or accept == "*/*":
        return default
    media = {kind.partition(";")[0]: name for name, kind in reversed(list(offered.items()))}
    # A program that takes JSON takes what is a kind of JSON.
    media.setdefault(JSON, default)
    for kind in _by_preference(accept):
        if kind in media:
            return media[kind]
        if kind in _WILD:
            return default
    raise NotAcceptable(
        "aucun format accepté n'est proposé", where="Accept", remedy="formats : {offered}", offered=", ".join(media)
    )


def _by_preference(accept: str) -> list[str]:
    ranked = []
    for part in accept[:1_000].split(","):
        kind, *options = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    weight = float(option[2:])
                except ValueError:
                    weight = 0.0
        if weight > 0:
            ranked.append((-weight, kind.lower()))
    return [kind for _, kind in sorted(ranked, key=lambda item: item[0])]
