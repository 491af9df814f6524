"""The only way out of this room: a POST to an address of the outside world, never to the inside one.

The guard is that of the house (`kernel.outside`): what was checked is what is reached. No redirection is followed; ten
seconds, and little is read.
"""

from __future__ import annotations

import http.client
import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from beffroi.base.kernel.outside import PORTS, Address, InsideAddress, is_public, reached, secured
from beffroi.serve.cases.definition import BadCase

TIMEOUT_S = 10
MOST_READ = 4096


def check_url(url: str) -> SplitResult:
    """Return the parts of an address of the outside world.

    Raises:
        BadCase: not https, with a user or a strange port, or a host that is an inside address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    schemes = ("https", "http") if settings.WEBHOOK_PRIVATE else ("https",)
    fair = parts.scheme in schemes and parts.hostname and not parts.username and not parts.fragment
    if not fair or (port not in (None, 443) and not settings.WEBHOOK_PRIVATE):
        raise BadCase(
            "adresse « {url} » impossible à joindre",
            where="url",
            remedy="donnez une adresse https sans identifiant, au port habituel",
            url=url[:120],
        )
    try:
        literal = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return parts
    _check_address(literal, url)
    return parts


def _check_address(address: Address, url: str) -> None:
    if not _allowed("", 0, address):
        raise _inside(url)


def _allowed(_host: str, _port: int, address: Address) -> bool:
    return is_public(address) or bool(settings.WEBHOOK_PRIVATE)


def _inside(url: str) -> BadCase:
    return BadCase(
        "« {url} » mène à une adresse intérieure",
        where="url",
        remedy="donnez une adresse joignable depuis l’internet",
        url=url[:120],
    )


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Send `body` and return the status answered and what went wrong; status 0 when nobody answered."""
    try:
        parts = check_url(url)
        connection = _connection(parts)
    except InsideAddress:
        return 0, str(_inside(url))
    except BadCase as error:
        return 0, str(error)
    except OSError as error:
        return 0, f"{type(error).__name__}: {error}"
    try:
        path = parts.path or "/"
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(MOST_READ)
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return answer.status, "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    """Return a connection to an address that was checked, which still speaks to the host by its name."""
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    raw = reached(host, port, allowed=_allowed, timeout_s=TIMEOUT_S)
    if parts.scheme == "http":
        plain = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        plain.sock = raw
        return plain
    secure = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S)
    secure.sock = secured(raw, host)
    return secure
