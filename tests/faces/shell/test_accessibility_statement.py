"""The statement claims what tests check, and nothing more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.test import Client

from beffroi.faces.shell.statement import checks

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("test", [test for _title, test in checks()])
def test_each_claim_is_held_by_a_test(test: str) -> None:
    file, _colons, name = test.partition("::")
    functions = {
        node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.FunctionDef)
    }
    assert name in functions, f"take the claim out of data/accessibility.toml, or name the test that holds it: {test}"


@pytest.mark.django_db
def test_without_an_audit_the_law_says_not_compliant_on_every_page(client: Client) -> None:
    page = client.get("/accessibilite/").content.decode()
    assert "État de conformité : non conforme" in page
    assert all(title in page for title, _test in checks())
    assert "Accessibilité : non conforme" in client.get("/").content.decode()
