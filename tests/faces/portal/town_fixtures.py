"""The fixtures of the small town, shared by the tests of every face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Role
from beffroi.sense.places.operations import index_territory
from faces.portal.small_town import BBOX, CODE, NAME, import_small_town
from registries import made_for_each
from territory_makers import make_person, make_town


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the small town, imported once in a run and copied by each process."""

    def make(folder: Path) -> None:
        (folder / "sources").mkdir()
        import_small_town(folder / "lake", folder / "sources")

    return made_for_each(tmp_path_factory, "small-town", make) / "lake"


@pytest.fixture
def small_town(db: None, small_lake: Path, settings: Any) -> str:
    """The code of the small town, in the registry and in the lake."""
    settings.LAKE_DIR = small_lake
    code = make_town(CODE, NAME, population=812, fictional=True, bbox=BBox(*BBOX))
    # The first test makes the index, beside the lake; the others find it there.
    index_territory(code)
    return code


@pytest.fixture
def signed_in(small_town: str, settings: Any) -> Callable[..., Client]:
    """Give a client signed in with roles in the small town; the second factor is switched off."""
    settings.STRONG_AUTH = False

    def sign_in(*roles: Role, services: tuple[str, ...] = ()) -> Client:
        client = Client()
        person = get_user_model().objects.get(pk=make_person(*roles, territory=small_town, services=services))
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
