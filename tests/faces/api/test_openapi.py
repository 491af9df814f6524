"""The OpenAPI document says what the API does: schemathesis reads it and tries everything it allows, and more."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from beffroi.base.territory.operations import create_api_key

# Whatever was drawn for a table or an archive is sent as it is: what cannot be read must be refused.
schemathesis.serializer.alias("text/csv", "text/plain")
schemathesis.serializer.alias("application/zip", "application/octet-stream")

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture
def document(client: Client, town: Path) -> dict[str, Any]:
    """The OpenAPI document as served."""
    answer: dict[str, Any] = client.get("/api/openapi.json").json()
    return answer


@pytest.fixture
def api_schema(town: Path, connection_kept: None) -> Any:
    """The API as schemathesis sees it, over WSGI."""
    application = get_wsgi_application()

    def closed(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        # As a server does, and as schemathesis does not: read the whole answer, then close it.
        with closing(application(environ, start_response)) as answer:
            return [b"".join(answer)]

    return schemathesis.openapi.from_wsgi("/api/openapi.json", closed)


@pytest.fixture
def key(town: Path) -> str:
    """A key that opens every operation."""
    return create_api_key(
        territory="34172",
        name="essai",
        scopes=["catalogue:write", "data:agents", "stock", "stock:552046484"],
        expires_at=datetime.now(UTC) + timedelta(days=1),
        by=None,
        at=AT,
    )


TRYING = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _tried(api_schema: Any, key: str, known: dict[str, str]) -> int:
    """Call every operation with what its schema allows; `known` path parameters are put in. Return how many calls."""
    calls = 0

    def call(case: Any) -> None:
        nonlocal calls
        calls += 1
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {key}"})

    for operation in api_schema.get_all_operations():
        TRYING(given(case=operation.ok().as_strategy())(call))()
    return calls


@pytest.mark.slow
@pytest.mark.django_db
def test_no_request_breaks_the_api(api_schema: Any, key: str) -> None:
    # Names that exist open the rest of each operation.
    known = {"territory": "34172", "slug": "arbres", "use_case_id": "G-03", "format": "csv", "feature_id": "1",
             "table": "lots"}  # fmt: skip
    assert _tried(api_schema, key, known) > 100


@pytest.mark.slow
@pytest.mark.django_db
def test_no_address_breaks_the_api(api_schema: Any, key: str) -> None:
    assert _tried(api_schema, key, {}) > 100


@pytest.mark.django_db
def test_every_operation_is_described(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) >= 11
    assert all(operation["summary"] and operation["description"] and operation["tags"] for operation in operations)
    parameters = [one for operation in operations for one in operation.get("parameters", [])]
    assert [one["name"] for one in parameters if not (one.get("description") or one["schema"].get("description"))] == []
    assert len({operation["operationId"] for operation in operations}) == len(operations)


@pytest.mark.django_db
def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    refusals = [
        response
        for path in document["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    assert refusals
    assert all(list(response["content"]) == ["application/problem+json"] for response in refusals)


@pytest.mark.django_db
def test_the_document_names_no_other_host(document: dict[str, Any]) -> None:
    assert "http://" not in str(document)
    assert "https://" not in str(document)


@pytest.mark.django_db
def test_the_door_of_the_api_shows_the_way(client: Client, town: Path) -> None:
    assert client.get("/api/").json()["openapi"] == "/api/openapi.json"
    assert client.get("/api/nowhere").status_code == 404
