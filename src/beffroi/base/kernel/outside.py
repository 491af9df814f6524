"""Addresses of the outside world, given by those one does not know: never a way into the inside one.

One guard for all that is asked or told outside. The name is resolved once, every address it has must be allowed, and
the connection goes to one that was checked: a name that changes its mind in between leads nowhere. A redirection is a
new connection, checked as the first.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from beffroi.base.kernel.errors import BeffroiError

PORTS = {"http": 80, "https": 443}
MOST_REDIRECTIONS = 5

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Allowed = Callable[[str, int, Address], bool]
"""Tells whether one may go to this host, at this port, at this address of it."""

# What clouds answer their machines with at an address that looks public.
_CLOUD = frozenset({ipaddress.ip_address("168.63.129.16")})
# Set apart for protocols (RFC 6890, RFC 7526): some versions of Python take them for public.
_APART = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class InsideAddress(BeffroiError):
    """An address that does not lead to the public internet."""


def is_public(address: Address) -> bool:
    """Tell whether an address is of the public internet, and so is every other one that it wraps.

    >>> is_public(ipaddress.ip_address("1.1.1.1")), is_public(ipaddress.ip_address("64:ff9b::169.254.169.254"))
    (True, False)
    """
    return all(
        one.is_global
        and not one.is_multicast
        and one not in _CLOUD
        and not any(one in net for net in _APART if one.version == 4)
        for one in _wrapped(address)
    )


def public_only(_host: str, _port: int, address: Address) -> bool:
    """Let through what is public."""
    return is_public(address)


def public_or(inner: Sequence[str]) -> Allowed:
    """Let through what is public, and these hosts of the inside (``name`` or ``name:port``).

    A name of the inside never leads to a link-local address: the metadata of a cloud are there.
    """
    known = {name.strip().lower() for name in inner if name.strip()}

    def allowed(host: str, port: int, address: Address) -> bool:
        if is_public(address):
            return True
        named = {host.lower(), f"{host.lower()}:{port}", f"[{host.lower()}]:{port}"} & known
        local = any(one.is_link_local or one.is_multicast or one.is_unspecified or one in _CLOUD
                    for one in _wrapped(address))  # fmt: skip
        return bool(named) and not local

    return allowed


def _wrapped(address: Address) -> Iterator[Address]:
    """Yield an address, then those that it stands for: mapped, translated (NAT64) or tunnelled (6to4, Teredo)."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif any(address in net for net in _EMBEDDING):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo


def check_public(url: str) -> None:
    """Let through an address of the web whose every host address is public; the name is resolved.

    Raises:
        InsideAddress: another scheme, a user, a strange port, a host that is inside or has no address.
    """
    try:
        parts = urlsplit(url)
        port = PORTS[parts.scheme]
        fair = bool(parts.hostname) and not parts.username and parts.port in (None, port)
        if not fair:
            raise ValueError
        checked_addresses(parts.hostname or "", port, allowed=public_only)
    except (ValueError, KeyError, OSError, InsideAddress) as error:
        raise _inside(url) from error


def checked_addresses(host: str, port: int, *, allowed: Allowed) -> list[str]:
    """Return the addresses of a host once all of them are allowed.

    Raises:
        InsideAddress: one of them is not. OSError: the name has none.
    """
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:
        raise OSError("no such name") from error
    if not found or not all(allowed(host, port, ipaddress.ip_address(one.partition("%")[0])) for one in found):
        raise _inside(host)
    return found


def reached(host: str, port: int, *, allowed: Allowed, timeout_s: float) -> socket.socket:
    """Return a connection to an address of a host that was checked; the next one when the first is deaf.

    Raises:
        InsideAddress: the host leads inside. OSError: nobody answers.
    """
    fault: OSError | None = None
    for address in checked_addresses(host, port, allowed=allowed)[:4]:
        try:
            return socket.create_connection((address, port), timeout=timeout_s)
        except OSError as error:
            fault = error
    raise fault or OSError("no address")


def secured(raw: socket.socket, host: str) -> socket.socket:
    """Return a connection that is encrypted, to a host that proves its name."""
    return ssl.create_default_context().wrap_socket(raw, server_hostname=host)


def origin(url: str) -> tuple[str, str, int]:
    """Return what a secret may be told to: scheme, host and port.

    >>> origin("https://A.example/x"), origin("http://a.example:8080")
    (('https', 'a.example', 443), ('http', 'a.example', 8080))
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)


Signed = Callable[[urllib.request.Request], urllib.request.Request]
"""Adds to a request what proves who asks."""


def opener(
    *, allowed: Allowed = public_only, signed: Signed | None = None, home: str = "", secret: str = ""
) -> urllib.request.OpenerDirector:
    """Return what opens addresses of the web under guard: http and https alone, no proxy, five redirections.

    `signed` is applied to what is asked of the origin of `home`, and of no other; a redirection elsewhere that bears
    the `secret` is not followed.
    """
    director = urllib.request.OpenerDirector()
    for handler in (
        _Web(allowed), _Redirections(home, secret), _Signing(home, signed),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), urllib.request.UnknownHandler(),
    ):  # fmt: skip
        director.add_handler(handler)
    return director


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, *, allowed: Allowed, **options: Any) -> None:
        super().__init__(host, **options)
        self._allowed = allowed

    def connect(self) -> None:
        self.sock = reached(self.host, self.port, allowed=self._allowed, timeout_s=float(self.timeout or 30))


class _Secure(http.client.HTTPSConnection):
    def __init__(self, host: str, *, allowed: Allowed, **options: Any) -> None:
        super().__init__(host, **options)
        self._allowed = allowed

    def connect(self) -> None:
        raw = reached(self.host, self.port, allowed=self._allowed, timeout_s=float(self.timeout or 30))
        self.sock = secured(raw, self.host)


class _Web(urllib.request.AbstractHTTPHandler):
    """Opens http and https addresses by connections that are checked."""

    def __init__(self, allowed: Allowed) -> None:
        super().__init__()
        self._allowed = allowed

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Plain, allowed=self._allowed), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Secure, allowed=self._allowed), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


class _Redirections(urllib.request.HTTPRedirectHandler):
    max_redirections = MOST_REDIRECTIONS

    def __init__(self, home: str, secret: str) -> None:
        self._home, self._secret = home, secret

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        parts = urlsplit(newurl)
        leaks = bool(self._secret) and self._secret in newurl and origin(newurl) != origin(self._home)
        if parts.scheme not in PORTS or parts.username or leaks:
            fp.close()
            raise _inside(parts.hostname or newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Signing(urllib.request.BaseHandler):
    # Before `do_request_`, which writes the headers down.
    handler_order = 400

    def __init__(self, home: str, signed: Signed | None) -> None:
        self._home, self._signed = home, signed

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        if self._signed is None or origin(request.full_url) != origin(self._home):
            return request
        return self._signed(request)

    https_request = http_request


def split(url: str) -> SplitResult:
    """Return the parts of an address of the web that bears no user.

    Raises:
        InsideAddress: it cannot be read, is of another scheme, or bears a user.
    """
    try:
        parts = urlsplit(url.strip())
        fair = parts.scheme in PORTS and parts.hostname and not parts.username and (parts.port is None or parts.port)
    except ValueError:
        fair = False
    if not fair:
        raise _inside(url)
    return parts


def _inside(url: str) -> InsideAddress:
    return InsideAddress(
        "« {url} » ne mène pas à un site public",
        where="url",
        remedy="donnez une adresse http ou https, sans identifiant, au port habituel",
        url=url[:120],
    )
