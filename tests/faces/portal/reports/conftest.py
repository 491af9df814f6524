"""The small town with everything that may be reported in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.territory import operations as territory
from beffroi.serve.reports.places import forget_grounds
from beffroi.serve.reports.popular import _counted
from faces.portal.small_town import AT
from faces.portal.town_fixtures import signed_in, small_lake, small_town
from serve_makers import SERVICES

__all__ = ["reporting_town", "signed_in", "small_lake", "small_town"]


@pytest.fixture
def reporting_town(small_town: str, settings: Any, tmp_path: Path) -> str:
    """The small town, its services named and its use cases of reports open; attachments in a folder of the test."""
    settings.DATA_DIR = tmp_path
    forget_grounds()
    _counted.cache_clear()
    for slug in SERVICES:
        territory.add_service(territory=small_town, slug=slug, name=slug.capitalize(), at=AT)
    for use_case in ("1-01", "1-02", "1-03", "1-04", "1-05", "8-02"):
        catalogue.set_state(use_case, State.PILOT, territory=small_town, by=None, at=AT, reason="essai")
    return small_town
