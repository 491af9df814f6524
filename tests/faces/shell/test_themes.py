"""Themes of the data: each has its words, so that no page says the name of a folder."""

from __future__ import annotations

from beffroi.faces.shell.themes import THEMES
from beffroi.lake.definitions import load_definitions


def test_each_dataset_that_ships_has_a_theme_with_words() -> None:
    definitions, _faults = load_definitions()
    unknown = {(one.slug, one.theme) for one in definitions if one.theme.replace("-", "_") not in THEMES}
    assert unknown == set()
