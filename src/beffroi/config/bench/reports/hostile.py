"""Sendings that no honest client makes, on the three doors of a report: Open311, the form, the outbox of a phone.

Each is made of a good one in which something is wrong: a text, a number, a place, a category, a contact, a photo, the
body itself. The same seed makes the same sendings. What is answered is judged here too: a refusal in words, or the
acceptance of what harms nobody; never an error of ours.
"""

from __future__ import annotations

import io
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from urllib.parse import quote_from_bytes

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=couture"


@dataclass(frozen=True, slots=True)
class Door:
    """Where reports are sent, and what it calls the fields."""

    path: str
    names: Mapping[str, str]
    fixed: Mapping[str, str] = field(default_factory=dict)
    takes_json: bool = False
    answers_page: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """One request. `harmful`: it must be refused."""

    door: Door
    what: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    harmful: bool = True


@dataclass(frozen=True, slots=True)
class Good:
    """A report that is taken: degrees, a category that asks nothing, a key of the town that may send."""

    lon: float
    lat: float
    category: str
    key: str


def doors(good: Good) -> tuple[Door, ...]:
    """Return the three doors."""
    same = {name: name for name in ("lat", "lon", "category", "description", "email")}
    words = {"lat": "lat", "lon": "long", "category": "service_code", "description": "description", "email": "email"}
    return (
        Door("/open311/v2/requests.json", words, {"api_key": good.key}, takes_json=True),
        Door("/signaler/envoi/", same),
        Door("/signaler/", same, {"step": "check", "go": "send"}, answers_page=True),
    )


def sendings(good: Good, count: int, *, seed: int = 311) -> Iterator[Sending]:
    """Return that many sendings, always the same for a seed."""
    rng, open_doors = random.Random(seed), doors(good)  # noqa: S311 - nothing secret
    for place in range(count):
        door = open_doors[place % len(open_doors)]
        made = rng.choice(_KINDS)(rng, door, _fields(good, rng))
        yield replace(
            made, headers={**made.headers, "REMOTE_ADDR": f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}"}
        )


def _fields(good: Good, rng: random.Random) -> dict[str, Any]:
    return {
        "lat": str(good.lat), "lon": str(good.lon), "category": good.category,
        "description": f"Un matelas {rng.randrange(10**9)}", "key": f"{rng.getrandbits(128):032x}",
    }  # fmt: skip


# --- What is wrong ----------------------------------------------------------------------------------------------------

_TEXTS = (
    "<script>alert(1)</script>", "a\0b", "x" * 5000, "<!--", "\x1b[31m", "<b>" * 900, "a\x7f", "<img src=x>",
    "é" * 4001, "<a href='javascript:x'>", "\x08", "</textarea><script>",
)  # fmt: skip
_NUMBERS = (
    "nan", "inf", "-inf", "1e999", "-91", "181", "abc", "٤٣", "0x2b", "4" * 400, "None", "[]", "1_0", "43.6\0", "+",
    "--1", "43°36'", "1e-400x", "½",
)  # fmt: skip
_PLACES = (("48.8566", "2.3522"), ("3.8767", "43.6108"), ("0", "0"), ("-90", "0"), ("90", "180"), ("-43.6", "-3.8"))
_CATEGORIES = ("licorne", "x" * 300, "../..", "\0", "' OR 1=1 --", "DEPOT-SAUVAGE", "depot sauvage", "🦊")
_EMAILS = ("pas une adresse", "@", "a@b", "\0@exemple.fr", "x" * 500 + "@exemple.fr", "a@exemple.fr\nBcc: b@x.fr")
# In a form, half a character is read as the mark of an unreadable one: nothing is hidden in it.
_HARMLESS = ("Ça brûle 🦊", "x", "a\tb\r\nc", "\u202edroite", "' OR 1=1 --", "{{ 7*7 }}", "%00 %s %d", "1 < 2 & 3 > 2")
_HALVES = ("\ud800", "\udfff\ud83d")


def _text(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    return _sent(rng, door, "texte", values | {"description": rng.choice(_TEXTS)})


def _half(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    made = _sent(rng, door, "moitié de caractère", values | {"description": rng.choice(_HALVES)})
    return replace(made, harmful=made.content_type == JSON)


def _number(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    return _sent(rng, door, "nombre", values | {rng.choice(("lat", "lon")): rng.choice(_NUMBERS)})


def _elsewhere(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    lat, lon = rng.choice(_PLACES)
    return _sent(rng, door, "autre commune", values | {"lat": lat, "lon": lon})


def _category(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    # A squat is reported by neighbours, never by another town's software.
    code = rng.choice((*_CATEGORIES, "squat") if door.takes_json else _CATEGORIES)
    return _sent(rng, door, "catégorie", values | {"category": code})


def _email(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    return _sent(rng, door, "adresse", values | {"email": rng.choice(_EMAILS)})


def _key(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    return _sent(
        rng, door, "clé d'envoi", values | {"key": rng.choice(("court", "a b c d e f g h", "é" * 20, "k" * 65))}
    )


def _missing(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    left = dict(values)
    del left[rng.choice(("lat", "lon", "category"))]
    return _sent(rng, door, "manque", left)


def _harmless(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    made = _sent(rng, door, "inoffensif", values | {"description": rng.choice(_HARMLESS), "inconnu": "1"})
    return replace(made, harmful=False)


def _photo(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    content = rng.choice(_PICTURES)(rng)
    return _sent(rng, door, "photo", values, files=[content])


def _photos(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    return _sent(rng, door, "six photos", values, files=[_tiny_png()] * 6)


def _heavy(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    # Fifty megabytes now and then: one in thirty of this kind, thirty kilobytes of noise otherwise.
    size = 50 * 1024 * 1024 if rng.randrange(30) == 0 else 30_000
    return _sent(rng, door, "photo trop lourde", values, files=[b"\xff\xd8\xff\xe0" + b"\0" * size])


def _fields_without_end(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    made = _sent(rng, door, "mille champs", values | {f"c{place}": "1" for place in range(1500)})
    return replace(made, harmful=made.content_type != JSON)


def _body(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    body, content_type = rng.choice(_BODIES)
    return Sending(door, "corps", body, content_type, _headers(door, ""))


def _cut(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    whole = _multipart(_named(door, values), [_tiny_png()], door)
    # Before the place and the category are whole: what is left says nothing that could be taken.
    return Sending(door, "formulaire coupé", whole[: rng.randrange(1, 120)], MULTIPART, _headers(door, ""))


def _noise(rng: random.Random, door: Door, values: dict[str, Any]) -> Sending:
    kind = rng.choice(
        (FORM, JSON, MULTIPART, "text/plain", "image/jpeg", "multipart/form-data", "", "é/x; charset=utf-99")
    )
    return Sending(door, "bruit", rng.randbytes(rng.randrange(400)), kind, _headers(door, ""))


_PART = b'--couture\r\nContent-Disposition: form-data; name="lat"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n'
_ENTITY = b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"
_BODIES = (
    (b"", JSON), (b"{", JSON), (b"[]", JSON), (b"null", JSON), (b"\xff\xfe\x00", JSON), (b"[" * 100_000, JSON),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, JSON), (b'{"lat": {"a": 1}}', JSON), (b'{"attribute": []}', JSON),
    (b'{"lat": 1e999999, "long": NaN}', JSON), (b'{"lat": 4' + b"4" * 5_000 + b"}", JSON),
    (b"\0" * 100, FORM), (b"&" * 5_000, FORM), (b"=" * 500, FORM), (b"%" * 99, FORM), (b"%ED%A0%80=%ED%A0%80", FORM),
    (b"\x1f\x8b\x08junk", "application/gzip"), (_ENTITY, "text/xml"), (b"--couture\r\n\r\n", MULTIPART),
    (b"--autre--", MULTIPART), (_PART + b"--couture--\r\n", MULTIPART), (b"x", "multipart/form-data"),
    (b"x", "multipart/form-data; boundary="),
)  # fmt: skip


# --- Pictures that are none -------------------------------------------------------------------------------------------


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def _png(width: int, height: int, pixels: bytes) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _tiny_png() -> bytes:
    return _png(8, 8, b"\0" * 72)


_PICTURES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: b"\xff\xd8\xff\xe0" + rng.randbytes(200),
    lambda rng: b"\x89PNG\r\n\x1a\n" + rng.randbytes(200),
    lambda rng: b"GIF89a" + rng.randbytes(50),
    lambda rng: b"RIFF0000WEBP" + rng.randbytes(80),
    lambda rng: b"PK\x03\x04" + rng.randbytes(60),
    lambda _rng: b"%PDF-1.7\n%%EOF",
    lambda _rng: b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
    # A few bytes that claim nine hundred million points.
    lambda _rng: _png(30_000, 30_000, b"\0" * 1000),
    lambda _rng: _png(0, 0, b""),
    lambda rng: _png(8, 8, b"\0" * 72)[: rng.randrange(1, 45)],
    lambda _rng: b"\0\0\0\x1cftypheic" + b"\0" * 40,
)


# --- How it is written ------------------------------------------------------------------------------------------------


def _headers(door: Door, key: str) -> dict[str, str]:
    headers = {} if door.answers_page else {"HTTP_ACCEPT": JSON}
    if key and door.takes_json:
        headers["HTTP_IDEMPOTENCY_KEY"] = key.encode().decode("latin-1")
    return headers


def _named(door: Door, values: Mapping[str, Any]) -> dict[str, str]:
    named = {door.names.get(name, name): str(value) for name, value in values.items()}
    if door.takes_json:
        named.pop("key", None)
    return {**door.fixed, **named}


def _sent(
    rng: random.Random, door: Door, what: str, values: Mapping[str, Any], *, files: list[bytes] | None = None
) -> Sending:
    named, headers = _named(door, values), _headers(door, str(values.get("key", "")))
    if files:
        return Sending(door, what, _multipart(named, files, door), MULTIPART, headers)
    if door.takes_json and rng.randrange(2):
        return Sending(door, what, json.dumps(named).encode(), JSON, headers)
    parts = [b"=".join(quote_from_bytes(_bytes(one)).encode() for one in pair) for pair in named.items()]
    return Sending(door, what, b"&".join(parts), FORM, headers)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _multipart(named: Mapping[str, str], files: list[bytes], door: Door) -> bytes:
    made = io.BytesIO()
    for content in files:
        name = "media" if door.takes_json else "photo"
        made.write(f'--couture\r\nContent-Disposition: form-data; name="{name}"; filename="p.jpg"\r\n'.encode())
        made.write(b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n")
    for key, value in named.items():
        made.write(
            f'--couture\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'.encode() + _bytes(value) + b"\r\n"
        )
    made.write(b"--couture--\r\n")
    return made.getvalue()


_KINDS = (
    _text, _text, _half, _number, _number, _elsewhere, _category, _email, _key, _missing, _harmless, _photo, _photo,
    _photos, _heavy, _fields_without_end, _body, _body, _cut, _noise,
)  # fmt: skip


# --- What is answered -------------------------------------------------------------------------------------------------


def send(client: Any, sending: Sending) -> Any:
    """Send it by a Django test client and return the answer."""
    kind = sending.content_type
    return client.generic("POST", sending.door.path, sending.body, content_type=kind, **sending.headers)


def fault_of(sending: Sending, answer: Any) -> str:
    """Return what is wrong with an answer, "" when it is as it should be."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code < 400:
        return "pris" if sending.harmful else ""
    return "" if _sentence(sending.door, answer) else f"{answer.status_code} sans phrase"


def _sentence(door: Door, answer: Any) -> bool:
    text = answer.content.decode("utf-8", "replace")
    if not answer["Content-Type"].startswith(("application/json", "application/problem+json")):
        return door.answers_page and ('role="alert"' in text or "errorlist" in text or "<h1" in text)
    told = json.loads(text)
    found = told[0]["description"] if isinstance(told, list) else told["title"]
    return len(found) > 10


def send_hostile_reports(*, key: str, count: int, share: int = 0, shares: int = 1) -> dict[str, Any]:
    """Send one share of them in this process and count what was answered; the first wrong answers are quoted."""
    from beffroi.config.bench.reports.inside import LAT, LON
    from beffroi.config.cli import start_django

    start_django()
    import logging

    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    logging.disable(logging.CRITICAL)
    client, wrong, refused, taken = Client(raise_request_exception=False), [], 0, 0
    start = time.process_time()
    for sending in islice(sendings(Good(LON, LAT, "depot-sauvage", key), count), share, None, shares):
        client.cookies.clear()
        answer = send(client, sending)
        if fault := fault_of(sending, answer):
            wrong.append((fault, sending.door.path, sending.what, sending.content_type, repr(sending.body[:160])))
        elif answer.status_code < 400:
            taken += 1
        else:
            refused += 1
    cpu_s = time.process_time() - start
    return {"refused": refused, "taken": taken, "wrong": len(wrong), "samples": wrong[:60], "cpu_s": cpu_s}
