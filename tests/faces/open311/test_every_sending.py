"""Every sending that a description of a report's doors allows, and those it forbids: taken, or refused in words.

GeoReport v2 has no OpenAPI description: this one says what its text says, and adds the doors of the portal. A few
examples of each here; ``SENDING_SECONDS=300`` before the command goes on with others for so long, the time shared out
among the doors, and tells what was answered (docs/benchmarks.md keeps the last verdict).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from serve_makers import make_open_town
from territory_makers import TOWN, make_key

MANY, SECONDS = 6, float(os.environ.get("SENDING_SECONDS", "0"))
# By the dozen, so that the time given is kept.
AT_ONCE = 12
TRYING = settings(
    max_examples=AT_ONCE if SECONDS else MANY,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FORM, JSON, MULTIPART = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"
TEXT, DATE = {"type": "string"}, {"type": "string", "format": "date-time"}
CODES = {"type": "string", "enum": ["depot-sauvage", "voiture-ventouse", "squat"]}
DEGREES = {"type": "number", "minimum": -180, "maximum": 180}


def _parameters(where: str, **schemas: Any) -> list[dict[str, Any]]:
    return [{"name": name, "in": where, "required": where == "path", "schema": one} for name, one in schemas.items()]


def _operation(parameters: list[dict[str, Any]], *bodies: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    done: dict[str, Any] = {"parameters": parameters, "responses": {"default": {"description": "…"}}}
    if bodies:
        schema = {"type": "object", "properties": fields, "required": list(fields or ())[:3]}
        done["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in bodies}}
    return done


def _texts(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), TEXT)


REPORT = {"service_code": CODES, "lat": DEGREES, "long": DEGREES} | _texts(
    "address_string address_id email description device_id first_name phone media_url account_id jurisdiction_id "
    "attribute[jours] attribute[plaque]"
)
ASKED = _parameters(
    "query",
    **_texts("service_request_id service_code jurisdiction_id q"),
    start_date=DATE,
    end_date=DATE,
    updated_after=DATE,
    updated_before=DATE,
    page={"type": "integer"},
    page_size={"type": "integer"},
    extensions={"type": "boolean"},
    lat=DEGREES,
    long=DEGREES,
    radius={"type": "number"},
    status={"enum": ["open", "closed"]},
)
SENT = {"category": CODES, "lat": DEGREES, "lon": DEGREES} | _texts(
    "address zone place_object email description d_jours d_plaque key lasting expires_on same held pour named name "
    "phone proof q go"
)
PATHS: dict[str, dict[str, Any]] = {
    "/open311/v2/services.{form}": {"get": _operation(_parameters("path", form={"enum": ["json", "xml"]}))},
    "/open311/v2/services/{code}.{form}": {
        "get": _operation(_parameters("path", code=TEXT, form={"enum": ["json", "xml"]}))
    },
    "/open311/v2/requests.{form}": {
        "get": _operation([*_parameters("path", form={"enum": ["json", "xml"]}), *ASKED]),
        "post": _operation(_parameters("path", form={"enum": ["json", "xml"]}), FORM, JSON, MULTIPART, fields=REPORT),
    },
    "/open311/v2/requests/{id}.{form}": {
        "get": _operation(_parameters("path", id=TEXT, form={"enum": ["json", "xml"]}))
    },
    "/open311/v2/tokens/{id}.{form}": {"get": _operation(_parameters("path", id=TEXT, form={"enum": ["json", "xml"]}))},
    "/signaler/envoi/": {"post": _operation([], FORM, MULTIPART, fields=SENT)},
    "/signaler/": {
        "post": _operation(
            [], FORM, MULTIPART, fields=SENT | {"step": {"enum": ["where", "what", "details", "check", "x"]}}
        )
    },
}
DOCUMENT = {"openapi": "3.0.3", "info": {"title": "Signaler", "version": "2"}, "paths": PATHS}


@pytest.fixture
def doors(db: None, settings: Any, tmp_path: Any, connection_kept: None) -> Any:
    """The description, and the site it is about: over WSGI, with the mark that pages ask of a form."""
    settings.DEFAULT_COMMUNE, settings.DATA_DIR = TOWN, tmp_path
    make_open_town()
    return schemathesis.openapi.from_dict(DOCUMENT)


def _said(answer: Any) -> str:
    """Return what a refusal says, in whatever form it says it."""
    kind = answer.headers["content-type"][0]
    text = answer.content.decode("utf-8", "replace")
    if kind.startswith(("application/json", "application/problem+json")):
        told = json.loads(text)
        return str(told[0]["description"] if isinstance(told, list) else told["title"])
    if kind.startswith("text/xml"):
        return text.split("<description>")[1].split("</description>")[0] if "<description>" in text else ""
    # A page says it in its alert, beside a field, or as its title.
    return text if 'role="alert"' in text or "errorlist" in text or "<h1" in text else ""


def _try(cases: Any, call: Callable[[Any], None], seconds: float) -> None:
    """Send a few of them, always the same, then others as long as `seconds` are not over."""
    end, turn = time.monotonic() + seconds, 0
    while turn == 0 or time.monotonic() < end:
        seed(turn)(TRYING(given(case=cases)(lambda case: call(case))))()
        turn += 1


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda one: one.value)
def test_whatever_is_sent_is_taken_or_refused_in_words(
    doors: Any, mode: GenerationMode, capsys: pytest.CaptureFixture[str]
) -> None:
    site, page = get_wsgi_application(), Client()
    token = page.get("/signaler/jeton/").json()["token"]
    cookie = "; ".join(f"{name}={one.value}" for name, one in page.cookies.items())
    headers = {
        "X-CSRFToken": token,
        "Authorization": f"Bearer {make_key('reports:write')}",
        "Accept-Encoding": "identity",
    }

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return site(environ | {"HTTP_COOKIE": cookie}, start_response)

    statuses: dict[int, int] = {}
    wrong: list[object] = []

    def call(case: Any) -> None:
        accept = {"Accept": JSON} if case.path == "/signaler/envoi/" else {}
        answer = case.call(app=application, headers=headers | accept, base_url="http://testserver")
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if answer.status_code >= 500 or (answer.status_code >= 400 and len(_said(answer)) < 12):
            wrong.append((answer.status_code, case.method, case.path, case.query, case.body, answer.content[:200]))

    tried = [
        one
        for one in (known.ok() for known in doors.get_all_operations())
        if mode is GenerationMode.POSITIVE or one.method == "post" or one.path.endswith("requests.{form}")
    ]
    for operation in tried:
        _try(operation.as_strategy(generation_mode=mode), call, SECONDS / len(tried))
    many = sum(statuses.values())
    if SECONDS:
        with capsys.disabled():
            told = f"{mode.value}: {many} sendings, {dict(sorted(statuses.items()))}, {len(wrong)} wrong"
            print(f"\n{told}")  # noqa: T201 - the verdict is what one asked for
    assert wrong == []
    assert many >= 4 * MANY, statuses
    assert statuses.get(403, 0) < max(MANY, many // 20), statuses
    assert sum(many for status, many in statuses.items() if status >= 400) >= 2 * MANY, statuses
