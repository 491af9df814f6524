from __future__ import annotations

import pytest

from serve_makers import make_open_town


@pytest.fixture
def town(db: None) -> str:
    """A commune in which one can report."""
    return make_open_town()
