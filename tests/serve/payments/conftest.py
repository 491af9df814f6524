"""A town that bills, and one who keeps its bills."""

from __future__ import annotations

import pytest

from beffroi.base.territory.viewer import Viewer
from bill_makers import keeper, make_billing_town


@pytest.fixture
def town(db: None) -> str:
    return make_billing_town()


@pytest.fixture
def agent(town: str) -> Viewer:
    return keeper(town)
