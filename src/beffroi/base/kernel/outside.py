"""Addresses of the outside world, found in data one did not write: never a way into the inside one."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from beffroi.base.kernel.errors import BeffroiError

PORTS = {"http": 80, "https": 443}


class InsideAddress(BeffroiError):
    """An address that does not lead to the public internet."""


def check_public(url: str) -> None:
    """Let through an address of the web whose every host address is public; the name is resolved.

    Raises:
        InsideAddress: another scheme, a user, a strange port, a host that is inside or has no address.
    """
    try:
        parts = urlsplit(url)
        port = PORTS[parts.scheme]
        fair = bool(parts.hostname) and not parts.username and parts.port in (None, port)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM) if fair else []
    except (ValueError, KeyError, OSError):
        found = []
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    inner = [getattr(one, "ipv4_mapped", None) or one for one in addresses]
    if not inner or not all(one.is_global and not one.is_multicast for one in inner):
        raise InsideAddress(
            "« {url} » ne mène pas à un site public",
            where="url",
            remedy="donnez une adresse http ou https, sans identifiant, au port habituel",
            url=url[:120],
        )
