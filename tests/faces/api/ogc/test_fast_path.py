"""The short way gives the very answers of the site, to readers without credentials, and leaves it all the rest."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from beffroi.faces.api.ogc.fast import with_fast_path
from faces.api.ogc.standard import COLLECTION

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town", "connection_kept")]

SAME = ("Content-Type", "Vary", "ETag", "Cache-Control", "Content-Crs", "Access-Control-Allow-Origin",
        "Content-Security-Policy", "Permissions-Policy", "X-Content-Type-Options", "Referrer-Policy",
        "Cross-Origin-Opener-Policy", "X-Frame-Options", "Strict-Transport-Security")  # fmt: skip
TILES = f"{COLLECTION}/tiles/WebMercatorQuad"
TILE = f"{TILES}/10/373/522"
PLAIN = (
    f"{COLLECTION}/items",
    f"{COLLECTION}/items?limit=3&bbox=3.80,43.56,3.85,43.60",
    f"{COLLECTION}/items?filter=hauteur_m%20%3E%2010&crs=http://www.opengis.net/def/crs/EPSG/0/2154",
    f"{COLLECTION}/items?datetime=2020-01-01",
    f"{COLLECTION}/items/7",
    f"{COLLECTION}/items/7?f=json",
    TILE,
    f"{TILES}/13/0/0?datetime=2020-01-01",
)


class Called(Exception):
    """The site was asked."""


def unasked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise Called


def answer(application: Any, path: str, method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
    environ = RequestFactory().generic(method, path, **({"HTTP_HOST": "testserver"} | headers)).environ
    told: list[Any] = []
    body = application(environ, lambda status, headers, *_: told.extend([status, dict(headers)]))
    whole = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return told[0], told[1], whole


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_both_ways_give_the_same_answer(path: str, secure: bool, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"HTTP_X_FORWARDED_PROTO": "https"} if secure else {}
    fast = answer(with_fast_path(unasked), path, **headers)
    slow = answer(WSGIHandler(), path, **headers)
    assert (fast[0], fast[2]) == (slow[0], slow[2])
    assert {name: fast[1].get(name) for name in SAME} == {name: slow[1].get(name) for name in SAME}
    assert fast[1]["Content-Length"] == str(len(fast[2]))


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_links_begin_as_the_reader_came(secure: bool, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"HTTP_X_FORWARDED_PROTO": "https"} if secure else {}
    fast = answer(with_fast_path(unasked), PLAIN[0], **headers)
    assert (b"https://testserver/ogc/" if secure else b"http://testserver/ogc/") in fast[2]


def test_what_is_already_held_is_not_sent_again() -> None:
    fast = with_fast_path(unasked)
    etag = answer(fast, PLAIN[0])[1]["ETag"]
    for application in (fast, WSGIHandler()):
        status, headers, body = answer(application, PLAIN[0], HTTP_IF_NONE_MATCH=etag)
        assert (status, headers["ETag"], body) == ("304 Not Modified", etag, b"")


def test_a_tile_is_gzipped_for_those_who_take_it_so() -> None:
    plain = answer(with_fast_path(unasked), TILE)
    for application in (with_fast_path(unasked), WSGIHandler()):
        packed = answer(application, TILE, HTTP_ACCEPT_ENCODING="gzip, br")
        assert packed[1]["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed[2]) == plain[2]
    assert "Content-Encoding" not in plain[1]


def test_head_has_no_body() -> None:
    status, headers, body = answer(with_fast_path(unasked), PLAIN[0], "HEAD")
    assert (status, body) == ("200 OK", b"")
    assert int(headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        (PLAIN[0], "POST", {}),
        (PLAIN[0], "GET", {"HTTP_AUTHORIZATION": "Bearer x"}),
        (PLAIN[0], "GET", {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}=x"}),
        (PLAIN[0], "GET", {"HTTP_ACCEPT": "text/html"}),
        (PLAIN[0], "GET", {"HTTP_HOST": "evil.example"}),
        (PLAIN[0] + "?f=html", "GET", {}),
        (PLAIN[0] + "?inconnu=1", "GET", {}),
        (PLAIN[0] + "/999", "GET", {}),
        ("/ogc/collections/34172.ruches/items", "GET", {}),
        ("/ogc/collections/../etc/items", "GET", {}),
        ("/ogc/collections/34172.arbres", "GET", {}),
        (TILES, "GET", {}),
        (f"{TILES}/10/0/0", "GET", {}),
        (f"{TILES}/10/0/x", "GET", {}),
        ("/ogc/collections/", "GET", {}),
    ],
)
def test_the_rest_goes_to_the_site(path: str, method: str, headers: dict[str, str], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    with pytest.raises(Called):
        answer(with_fast_path(unasked), path, method, **headers)
