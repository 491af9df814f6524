"""How a service is asked: every answer kept in a file, within the bytes, the pages and the seconds it is given."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from beffroi.lake.fetching import Fetched, NotFetched, Wait, fetch

PAGE_ROWS = 1_000
PAGE_BYTES = 64 << 20
MOST_PAGES = 5_000


class BadService(NotFetched):
    """The service answers, and its answer is not what its protocol says."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the tables that a service gives."""

    name: str
    title: str


class LayerNeeded(BadService):
    """The service gives several tables: one must be named."""

    def __init__(self, layers: Sequence[Layer], *, where: str) -> None:
        super().__init__(
            "ce service donne {n} couches", where=where, remedy="choisissez-en une dans la liste", n=len(layers)
        )
        self.layers = tuple(layers)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one reading may take. `most_rows` is how many rows are wanted, None for all of them."""

    most_bytes: int = 1 << 30
    most_s: float = 900.0
    most_rows: int | None = None
    most_tries: int = 6


@dataclass(slots=True)
class Way:
    """The way to one source: answers are kept in `folder`, asked again only if they changed.

    `wait` and `clock` are given, so that a test does not wait.
    """

    folder: Path
    opener: urllib.request.OpenerDirector
    wait: Wait
    bounds: Bounds = field(default_factory=Bounds)
    mirror: Path | None = None
    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)
    asked: int = field(default=0, init=False)
    received: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    def file(self, url: str, name: str) -> Fetched:
        """Bring a file whole.

        Raises:
            NotFetched: too large, too long, or no whole answer.
        """
        return self._brought(url, self.folder / name, self.bounds.most_bytes)

    def text(self, url: str) -> bytes:
        """Return one answer of a service.

        Raises:
            NotFetched: too large, too long, or no whole answer.
        """
        self.asked += 1
        if self.asked > MOST_PAGES:
            raise BadService("plus de {most} pages", where=url, remedy="restreignez l’adresse", most=MOST_PAGES)
        path = self.folder / "pages" / f"{self.asked:05}"
        return self._brought(url, path, PAGE_BYTES).path.read_bytes()

    def document(self, url: str) -> dict[str, Any]:
        """Return one answer of a service that speaks JSON.

        Raises:
            BadService: it is not JSON; says what the service said instead. NotFetched: as `text`.
        """
        body = self.text(url)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadService(
                "le service ne répond pas en JSON : {said}",
                where=url,
                remedy="vérifiez l’adresse et la couche",
                said=_said(body),
            ) from error
        if not isinstance(found, dict):
            raise BadService("réponse inattendue du service", where=url, remedy="vérifiez l’adresse")
        return found

    def forget_the_rest(self) -> None:
        """Remove the pages that a longer reading left."""
        for path in sorted((self.folder / "pages").glob("*")):
            if path.name[:5].isdigit() and int(path.name[:5]) > self.asked:
                path.unlink()

    def _brought(self, url: str, path: Path, most: int) -> Fetched:
        left = self.bounds.most_bytes - self.received
        if left <= 0:
            raise _too_much(url, self.bounds.most_bytes)
        got = fetch(
            url, path, mirror=self.mirror, wait=self._wait, told=lambda *_said: self._in_time(url), opener=self.opener,
            most_bytes=min(most, left), most_tries=self.bounds.most_tries,
        )  # fmt: skip
        self.received += got.path.stat().st_size
        return got

    def _wait(self, seconds: float) -> None:
        if self.clock() + seconds - self.begun > self.bounds.most_s:
            raise self._too_long("")
        self.wait(seconds)

    def _in_time(self, url: str) -> None:
        if self.clock() - self.begun > self.bounds.most_s:
            raise self._too_long(url)

    def _too_long(self, url: str) -> NotFetched:
        return NotFetched(
            "lecture de plus de {most} secondes", where=url, remedy="réessayez plus tard, ou restreignez l’adresse",
            most=round(self.bounds.most_s),
        )  # fmt: skip


def asked_with(url: str, params: Mapping[str, Any], *, without: Sequence[str] = ()) -> str:
    """Return an address with these parameters over its own; case does not tell names apart.

    >>> asked_with("https://a.example/wfs?MAP=x&Count=3", {"count": 10})
    'https://a.example/wfs?MAP=x&count=10'
    """
    parts = urlsplit(url)
    dropped = {name.lower() for name in (*params, *without)}
    own = [(name, value) for name, value in parse_qsl(parts.query, True) if name.lower() not in dropped]
    return urlunsplit(parts._replace(query=urlencode([*own, *params.items()], safe=":,*/()$"), fragment=""))


def bare(url: str, path: str) -> str:
    """Return an address with another path and no question."""
    return urlunsplit(urlsplit(url)._replace(path=path, query="", fragment=""))


def parameter(url: str, *names: str) -> str:
    """Return the value of a parameter of an address, whatever its case; empty when it has none."""
    found = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    return next((found[name] for name in names if name in found), "")


def xml(body: bytes, url: str) -> Any:
    """Return the root of an XML answer.

    Raises:
        BadService: it is not XML, or it is a trap.
    """
    try:
        return fromstring(body)
    except (SyntaxError, ValueError, DefusedXmlException) as error:
        raise BadService(
            "le service ne répond pas en XML : {said}", where=url, remedy="vérifiez l’adresse", said=_said(body)
        ) from error


def local(tag: object) -> str:
    """Return the name of an XML element without its namespace."""
    return str(tag).rpartition("}")[2]


def rows_in(document: Mapping[str, Any], key: str, url: str) -> list[dict[str, Any]]:
    """Return the list of objects that an answer holds.

    Raises:
        BadService: there is none.
    """
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadService("réponse sans « {key} »", where=url, remedy="vérifiez l’adresse et le type de source", key=key)
    return found


def _said(body: bytes) -> str:
    """Return what a service said instead of an answer: the text of its error, cut."""
    try:
        root = fromstring(body)
    except (SyntaxError, ValueError, DefusedXmlException):
        return " ".join(body[:200].decode("utf-8", "replace").split())[:160] or "rien"
    return " ".join(" ".join(root.itertext()).split())[:160] or "rien"


def _too_much(url: str, most: int) -> NotFetched:
    return NotFetched("plus de {most} Mo en tout", where=url, remedy="restreignez l’adresse", most=most >> 20)
