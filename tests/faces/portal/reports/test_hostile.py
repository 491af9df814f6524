"""What is sent to break things: only 4xx, each with a sentence; nothing of it is kept."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from beffroi.config.bench.reports.hostile import Good, fault_of, send, sendings
from beffroi.serve.reports import queries
from faces.portal.small_town import CODE
from serve_makers import photo
from territory_makers import make_key

pytestmark = pytest.mark.django_db

GOOD = {"lat": "45.0092", "lon": "3.0045", "category": "depot-sauvage"}
JSON = {"accept": "application/json"}


def file(content: bytes, name: str = "x.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/jpeg")


WRONG: dict[str, dict[str, Any]] = {
    "null bytes": {"description": "a\0b"},
    "null bytes in the address": {"address": "rue\0"},
    "null category": {"category": "depot\0"},
    "html": {"description": "<script>alert(1)</script>"},
    "lone surrogate": {"description": "\ufffe\x08"},
    "too long": {"description": "x" * 5000},
    "far away": {"lat": "48.85", "lon": "2.35"},
    "not a number": {"lat": "NaN", "lon": "inf"},
    "no place": {"lat": "", "lon": ""},
    "a zone of two corners": {"zone": "45 3\n45 4", "lat": ""},
    "object unknown": {"category": "corbeille-pleine", "place_object": "corbeilles/absente"},
    "a report that does not exist": {"same": "AAA-AAAA"},
    "same of another world": {"same": "' OR 1=1 --"},
    "key with spaces": {"key": "a b c d e f g h"},
    "held forged": {"held": "abc:def:ghi"},
    "not a picture": {"photo": lambda: file(b"GIF89a" + b"\0" * 400)},
    "a picture cut": {"photo": lambda: file(photo(size=(800, 600)).content[:900])},
    "empty": {"photo": lambda: file(b"\xff\xd8\xff")},
    "an svg": {"photo": lambda: file(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "x.svg")},
    "too heavy": {"photo": lambda: file(b"\xff\xd8\xff" + b"\0" * (16 * 1024 * 1024))},
    "six photos": {"photo": lambda: [file(photo().content) for _ in range(6)]},
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_with_a_sentence(name: str, reporting_town: str, client: Client) -> None:
    answer = client.post("/signaler/envoi/", GOOD | {"key": "k" * 32} | of(name), headers=JSON)
    assert 400 <= answer.status_code < 500, answer.content[:300]
    assert len(answer.json()["title"]) > 10
    page = client.post("/signaler/", GOOD | {"step": "check", "go": "send"} | of(name))
    assert 400 <= page.status_code < 500, name
    assert 'role="alert"' in page.content.decode() or "errorlist" in page.content.decode()
    assert queries.public_reports(CODE, at=_now()).total == 0


def of(name: str) -> dict[str, Any]:
    """The wrong values of that name, their files anew: a file is read once."""
    return {field: value() if callable(value) else value for field, value in WRONG[name].items()}


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


@pytest.mark.parametrize(
    "address",
    [
        "/signalements/AAA-AAAA/",
        "/signalements/%00/",
        "/signalements/’–é/",
        "/suivi/1.abc/",
        "/suivi/%00/",
        "/suivi/999999999999999999999.00/",
        "/suivi/1.abc/recu/",
        "/signalements/photo/999999/",
        "/signalements/photo/99999999999999999999999/",
        "/suivi/1.abc/photo/1/",
        "/objet/arbres/absent/",
        "/objet/absent/1/",
        "/objet/arbres/%00/",
        "/signaler/9-99/",
        "/signalements/?etat=licorne",
        "/signalements/?age=0x10",
        "/signalements/?q=%00",
        "/signalements/carte.geojson?bbox=1,2,3",
        "/signalements/carte.geojson?bbox=a,b,c,d",
        "/signaler/semblables/?lon=a&lat=b",
        "/signaler/semblables/?lon=3&lat=45&category=licorne",
    ],
)
def test_strange_addresses_are_refused_in_words(address: str, reporting_town: str, client: Client) -> None:
    answer = client.get(address)
    assert 400 <= answer.status_code < 500, answer.status_code
    assert len(answer.content) > 40


def test_noise_never_breaks_the_form(reporting_town: str, client: Client) -> None:
    """Sixty forms filled in with rubbish; the seed makes a failure repeatable."""
    rng = random.Random(4)
    names = ["step", "go", "lat", "lon", "zone", "address", "category", "description", "d_jours", "lasting", "email"]
    names += ["expires_on", "place_object", "held", "key", "same", "proof", "q"]
    rubbish = [
        "",
        "\0",
        "x" * 300,
        "<b>",
        "-1",
        "1e999",
        "squat",
        "depot-sauvage",
        "check",
        "details",
        "send",
        "45",
        "3",
    ]
    rubbish += ["🦊", "voiture-ventouse", "٣", "2026-02-31", "' --", "what", "a/b", "::"]
    for _ in range(60):
        data = {name: rng.choice(rubbish) for name in rng.sample(names, rng.randint(1, len(names)))}
        for address in ("/signaler/", "/signaler/envoi/"):
            answer = client.post(address, data, headers=JSON if "envoi" in address else {})
            assert answer.status_code < 500, (address, data)


def test_hundreds_of_malformed_sendings_are_refused_in_words_on_every_door(reporting_town: str) -> None:
    """The same as `beffroi bench reports hostile`, which sends ten thousand."""
    # Given once: a key for each sending would be counted with them.
    good = Good(3.0045, 45.0092, "depot-sauvage", make_key("reports:write", territory=CODE))
    wrong = []
    for sending in sendings(good, 240, seed=26):
        # A client without a past: no cookie, so the answer is what a stranger gets.
        fault = fault_of(sending, send(Client(raise_request_exception=False), sending))
        wrong += [(fault, sending.door.path, sending.what, sending.content_type, sending.body[:200])] if fault else []
    assert wrong == []
