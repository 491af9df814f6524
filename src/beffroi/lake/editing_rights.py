"""Who may correct the data of a territory, and which may be. Knows no Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beffroi.base.territory.engine import DATA_WRITE
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.lake.store import DatasetRef


def is_counted(definition: Mapping[str, Any], ref: DatasetRef) -> bool:
    """Tell whether a dataset is the public view of another."""
    view = definition.get("public_view")
    return view is not None and bool(view["slug"] == ref.slug)


def may_edit(viewer: Viewer, ref: DatasetRef) -> bool:
    """Tell whether a viewer may correct the data of a territory: its agents, and keys that may write."""
    if viewer.scopes is not None:
        return DATA_WRITE in viewer.scopes and any(grant.territory == ref.territory for grant in viewer.grants)
    return any(viewer.has(role, ref.territory) for role in (Role.AGENT, Role.ADMINISTRATOR))
