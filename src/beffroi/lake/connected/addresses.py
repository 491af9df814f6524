"""What an agent may type as the address of a source, and the guarded way out to it, with its secret."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from beffroi.base.kernel import outside
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.outside import InsideAddress
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.services.reading import KINDS, kind_of
from beffroi.lake.services.way import asked_with

ACCEPTED = "application/geo+json, application/json;q=0.9, text/csv;q=0.8, */*;q=0.5"
CREDENTIALS = ("", "bearer", "basic", "header", "query")
_SECRET_NAMES = frozenset(
    ("key", "apikey", "api_key", "api-key", "token", "access_token", "password", "secret", "x-api-key")
)
_HOLES = re.compile(r"\{(?!commune\}|department\})|(?<!\{commune)(?<!\{department)\}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,80}")
_RESERVED = frozenset(("host", "content-length", "transfer-encoding", "connection", "range", "if-range", "cookie"))


class BadSource(BeffroiError):
    """What was typed of a source cannot be kept."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who asks: `kind` is one of `CREDENTIALS`; `name` that of the header, the parameter or the user."""

    kind: str = ""
    name: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Credential({self.kind!r})"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a source is and how it is read."""

    url: str
    kind: str
    layer: str = ""


def checked_address(url: str, kind: str, layer: str) -> Address:
    """Return the address of a source as it is kept; the kind is recognised when it is not said.

    The name is not resolved here: each connection checks what it reaches.

    Raises:
        BadSource: not an address of the web, an inside one, one that bears a secret, an unknown kind.
    """
    url, layer = url.strip(), layer.strip()
    try:
        parts = outside.split(url)
        port = parts.port or outside.PORTS[parts.scheme]
        _check_port(parts.hostname or "", port)
    except (InsideAddress, ValueError) as error:
        raise _no_address(url) from error
    if len(url) > 2_000 or len(layer) > 200 or _HOLES.search(url):
        raise BadSource(
            "adresse trop longue, ou accolades inconnues", where="url",
            remedy="seuls {{commune}} et {{department}} se remplacent",
        )  # fmt: skip
    for name, _value in parse_qsl(parts.query):
        if name.lower() in _SECRET_NAMES:
            raise BadSource(
                "l’adresse porte une clé (« {name} »), que tous les agents liraient", where="url",
                remedy="retirez-la de l’adresse et donnez-la dans « Clé d’accès »", name=name[:40],
            )  # fmt: skip
    if kind and kind not in KINDS:
        raise BadSource("type de source inconnu", where="kind", remedy="choisissez-le dans la liste")
    return Address(url, kind or kind_of(url), layer)


def checked_credential(given: Credential) -> Credential:
    """Return a credential that can be sent.

    Raises:
        BadSource: incomplete, or a header that is not one's own.
    """
    if given.kind not in CREDENTIALS:
        raise BadSource("type de clé inconnu", where="credential", remedy="choisissez-le dans la liste")
    if not given.kind:
        return Credential()
    bad = any(ord(letter) < 32 or ord(letter) == 127 for letter in given.secret + given.name)
    if not given.secret or len(given.secret) > 4_000 or bad:
        raise BadSource("clé d’accès vide ou illisible", where="secret", remedy="collez-la telle qu’elle fut donnée")
    if given.kind in ("header", "query") and (
        not _HEADER.fullmatch(given.name.replace("_", "-")) or given.name.lower() in _RESERVED
    ):
        raise BadSource(
            "nom de l’en-tête ou du paramètre à donner", where="credential_name", remedy="par exemple : X-API-Key"
        )
    if given.kind == "basic" and (not given.name or ":" in given.name):
        raise BadSource("nom d’utilisateur à donner", where="credential_name", remedy="sans « : »")
    return given


def way_out(address: Address, credential: Credential) -> urllib.request.OpenerDirector:
    """Return the guarded way to a source: its secret is told to its origin alone, and to no redirection elsewhere."""
    signed = partial(_signed, credential) if credential.kind else None
    way = outside.opener(
        allowed=outside.public_or(settings.INNER_HOSTS), signed=signed, home=address.url, secret=credential.secret
    )
    way.addheaders = [("Accept", ACCEPTED)]
    return way


def is_inner(url: str) -> bool:
    """Tell whether an address is one of the inner servers that the installation allows."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return bool({host, f"{host}:{parts.port or outside.PORTS.get(parts.scheme)}"} & {*settings.INNER_HOSTS})


def without(secret: str, said: Sentence) -> dict[str, Any]:
    """Return a sentence as it is kept, without a secret that a server may have said back."""
    told = json.dumps(said.as_json(), ensure_ascii=False, default=str)
    if len(secret) >= 4:
        told = told.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "•••")
    payload: dict[str, Any] = json.loads(told)
    return payload


def _signed(credential: Credential, request: urllib.request.Request) -> urllib.request.Request:
    if credential.kind == "query":
        request.full_url = asked_with(request.full_url, {credential.name: credential.secret})
        return request
    headers = {
        "bearer": ("Authorization", f"Bearer {credential.secret}"),
        "basic": ("Authorization", f"Basic {_basic(credential)}"),
        "header": (credential.name, credential.secret),
    }
    # Unredirected: a redirection within the same origin is signed again, another never is.
    request.add_unredirected_header(*headers[credential.kind])
    return request


def _basic(credential: Credential) -> str:
    return base64.b64encode(f"{credential.name}:{credential.secret}".encode()).decode()


def _check_port(host: str, port: int) -> None:
    if port not in (80, 443) and port < 1024 and not is_inner(f"http://{host}:{port}"):
        raise ValueError("a port of another service")


def _no_address(url: str) -> BadSource:
    return BadSource(
        "« {url} » n’est pas une adresse que l’on peut lire", where="url",
        remedy="donnez une adresse http ou https, sans identifiant", url=url[:120],
    )  # fmt: skip
