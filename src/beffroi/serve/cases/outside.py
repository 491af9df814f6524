"""The only way out of this room: a POST to an address of the outside world, never to the inside one.

The name is resolved once, every address it has must be public, and the connection goes to the address that was checked:
a name that changes its mind in between leads nowhere. No redirection is followed; ten seconds, and little is read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

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


def _check_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address, url: str) -> None:
    inner = getattr(address, "ipv4_mapped", None) or address
    if not (inner.is_global and not inner.is_multicast) and not settings.WEBHOOK_PRIVATE:
        raise BadCase(
            "« {url} » mène à une adresse intérieure",
            where="url",
            remedy="donnez une adresse joignable depuis l’internet",
            url=url[:120],
        )


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Send `body` and return the status answered and what went wrong; status 0 when nobody answered."""
    try:
        parts = check_url(url)
        address = _resolved(parts, url)
        connection = _connection(parts, address)
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


def _resolved(parts: SplitResult, url: str) -> str:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        _check_address(ipaddress.ip_address(address.partition("%")[0]), url)
    return addresses[0]


def _connection(parts: SplitResult, address: str) -> http.client.HTTPConnection:
    """Return a connection to the checked address, which still speaks to the host by its name."""
    host = parts.hostname or ""
    if parts.scheme == "http":
        plain = http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT_S)
        plain.sock = socket.create_connection((address, parts.port or 80), timeout=TIMEOUT_S)
        return plain
    secure = http.client.HTTPSConnection(host, parts.port or 443, timeout=TIMEOUT_S)
    raw = socket.create_connection((address, parts.port or 443), timeout=TIMEOUT_S)
    secure.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    return secure
