"""`[search]` in a dataset file: what it may say, and what it costs to say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from beffroi.lake.definitions import BadDefinition, Definition, definition_from_json, parsed_definition
from beffroi.lake.searching import SearchOptions


def test_what_a_file_says_comes_back_from_the_lake() -> None:
    said = {"kind": "organisation", "title": ["enseigne", "nom"], "words": ["objet"], "hours": "horaires"}
    definition = parsed_definition({"search": said}, where="datasets/x/y.toml", slug="y")
    expected = SearchOptions("organisation", title=("enseigne", "nom"), words=("objet",), hours="horaires")
    assert definition.search == expected
    assert definition_from_json(definition.as_json()) == definition


def test_a_file_that_says_nothing_keeps_the_names_of_its_versions() -> None:
    """A version is named by its content, definition included: a new key must not rename them all."""
    assert "search" not in Definition("y").as_json()
    assert definition_from_json(Definition("y").as_json()) == Definition("y")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"kind": "plase"}, "place"),
        ({"titel": ["nom"]}, "search.title"),
        ({"title": "nom"}, "liste de textes"),
        ({"street": 3}, "un texte"),
    ],
)
def test_a_fault_is_told_with_its_remedy(said: dict[str, Any], told: str) -> None:
    with pytest.raises(BadDefinition, match=told):
        parsed_definition({"search": said}, where="datasets/x/y.toml", slug="y")
