"""The quality of a dataset: its parts are counts one may check, over what the reader sees."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.test import Client

import territory_makers as makers
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import operations
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.quality import Quality, quality
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from lake.store import lakes

REF = DatasetRef(makers.TOWN, "arbres")
CSV = "id;espece;note\n1;Platane;a\n2;;b\n3;If;\n4;Tilleul;\n"
RULES = {"espece": ColumnDefinition(enum=("Platane", "Tilleul")), "note": ColumnDefinition(access="agents")}


@pytest.fixture
def trees(lake: Path, tmp_path: Path) -> date:
    """Publish four trees; return the day."""
    path = tmp_path / "arbres.csv"
    path.write_text(CSV, encoding="utf-8")
    definition = Definition("arbres", id="id", rhythm="mensuel", columns=RULES)
    operations.import_source(path, territory=makers.TOWN, at=lakes.AT, definition=definition, announce=False)
    return lakes.AT.date()


def test_each_part_is_counted_over_what_the_reader_sees(trees: date) -> None:
    assert quality(ANONYMOUS, REF, today=trees) == Quality(7, 8, 3, 4, 0)
    agents = quality(lakes.AGENT, REF, today=trees)
    assert (agents.filled, agents.cells) == (9, 12), "the notes are for agents"
    assert (agents.completeness, agents.validity, agents.freshness, agents.score) == (75, 75, 100, 83)
    with pytest.raises(DatasetNotFound):
        quality(ANONYMOUS, DatasetRef(makers.TOWN, "rien"), today=trees)


def test_late_data_cost_their_freshness(trees: date) -> None:
    late = quality(ANONYMOUS, REF, today=trees + timedelta(days=48))
    assert (late.days_late, late.freshness) == (10, 0)


@pytest.mark.django_db
def test_the_reader_is_told_what_is_late_and_the_parts_of_the_score(trees: date, client: Client) -> None:
    makers.make_town()
    page = client.get(f"/donnees/{makers.TOWN}/arbres/rapport/").content.decode()
    assert "87 : 7 cases remplies sur 8" in page
    assert "75 : 3 lignes sur 4 sont gardées" in page
    assert "mensuel" in client.get(f"/donnees/{makers.TOWN}/arbres/").content.decode()
