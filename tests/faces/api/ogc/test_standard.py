"""The conformance classes declared are those met: one check for each, and none declared without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from beffroi.faces.api.ogc import conformance
from faces.api.ogc.standard import CHECKS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town")]


@pytest.mark.parametrize(
    "check", sorted({*CHECKS.values()}, key=lambda check: check.__name__), ids=lambda c: c.__name__
)
def test_a_declared_class_is_met(check: Any, client: Client) -> None:
    check(client)


def test_what_is_declared_is_what_is_checked(client: Client) -> None:
    declared = client.get("/ogc/conformance").json()["conformsTo"]
    assert sorted(declared) == sorted(CHECKS)
    assert tuple(declared) == conformance.ALL
