"""The short way to public features and tiles: a WSGI branch before Django's middleware.

A reader without credentials who asks for features of a public dataset in JSON, or for a tile, needs no session, no
language and no registry. Here she gets the very bytes that the views give (they share `items` and `tiling`), under the
same headers; whatever is not that plain, an error included, goes on to Django. `tests/faces/api/ogc/test_fast_path.py`
compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.api.ogc import items, tiling
from beffroi.faces.api.ogc.answers import VARY, Answer, Parameters, chosen_format, parameters_of, unchanged
from beffroi.faces.shell.middleware import CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, Seen

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_PREFIX = "/ogc/collections/"


def with_fast_path(site: Wsgi) -> Wsgi:
    """Return the site with public features answered before it."""

    def answered(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(_PREFIX) and (answer := _public_answer(environ)) is not None:
            return _sent(answer, environ, start_response)
        return site(environ, start_response)

    return answered


def _public_answer(environ: Environ) -> Answer | None:
    """Return the answer of an address that is plain enough, None for all others."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
        return None
    if settings.SESSION_COOKIE_NAME in environ.get("HTTP_COOKIE", ""):
        return None
    base = _base(environ.get("HTTP_HOST", ""), _is_secure(environ), tuple(settings.ALLOWED_HOSTS))
    name, _, rest = environ["PATH_INFO"][len(_PREFIX) :].partition("/")
    territory, _, slug = name.partition(".")
    kind, _, tail = rest.partition("/")
    if not base or kind not in ("items", "tiles"):
        return None
    try:
        parameters = parameters_of(environ.get("QUERY_STRING", ""))
        formats = items.FORMATS if kind == "items" else tiling.TILE_FORMATS
        if chosen_format(parameters.get("f"), environ.get("HTTP_ACCEPT", ""), formats) != next(iter(formats)):
            return None
        seen = lake.seen_dataset(ANONYMOUS, DatasetRef(territory, slug))
        if kind == "tiles":
            found = _tile(seen, tail, parameters, environ)
        elif tail:
            # WSGI gives the bytes of the path as Latin-1.
            found = items.item(seen, base, tail.encode("latin-1").decode("utf-8", "replace"), parameters)
        else:
            found = items.page(seen, base, parameters)
    except BeffroiError:
        # Django says why, in the reader's language.
        return None
    return None if found is None else unchanged(found, environ.get("HTTP_IF_NONE_MATCH", ""))


def _tile(seen: Seen, tail: str, parameters: Parameters, environ: Environ) -> Answer | None:
    parts = tail.split("/")
    if len(parts) != 4 or parts[0] != tiling.QUAD:
        return None
    gzipped = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    return tiling.tile(seen, parts[1], parts[2], parts[3], parameters, gzipped=gzipped)


def _is_secure(environ: Environ) -> bool:
    if settings.SECURE_PROXY_SSL_HEADER:
        header, wanted = settings.SECURE_PROXY_SSL_HEADER
        said = environ.get(header)
        if said is not None:
            return bool(said.split(",", 1)[0].strip() == wanted)
    return bool(environ.get("wsgi.url_scheme") == "https")


@lru_cache(maxsize=64)
def _base(host: str, secure: bool, allowed: tuple[str, ...]) -> str:
    """Return the scheme and host that links begin with, empty when Django must judge the host itself."""
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, allowed):
        return ""
    return f"{'https' if secure else 'http'}://{host}"


@lru_cache(maxsize=2)
def _protection(secure: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers that Django's middleware puts on every answer."""
    always = (
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
        ("Permissions-Policy", PERMISSIONS_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
        ("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY),
        ("X-Frame-Options", settings.X_FRAME_OPTIONS),
    )
    if secure and settings.SECURE_HSTS_SECONDS:
        return (*always, ("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    return always


_STATUS = {200: "200 OK", 204: "204 No Content", 304: "304 Not Modified"}


def _sent(answer: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    headers = [
        ("Content-Type", answer.media_type),
        ("Content-Length", str(len(answer.body))),
        ("Vary", VARY),
        ("Access-Control-Allow-Origin", "*"),
        *answer.headers.items(),
        *_protection(_is_secure(environ)),
    ]
    start_response(_STATUS[answer.status], headers)
    return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
