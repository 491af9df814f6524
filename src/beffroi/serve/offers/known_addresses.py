"""The address a register already knows of a sheet: a code sent there proves more than any word."""

from __future__ import annotations

import json
from typing import Any

from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.serve.offers.engine import ClaimsSettings


def known_address(territory: str, slug: str, sheet: str, rules: ClaimsSettings) -> str:
    """Return the electronic address known of a sheet, empty when none is; never told whole to who asks."""
    beside, _dot, column = rules.mail.get(slug, "").rpartition(".")
    if not column:
        return ""
    # Read for the town, as one of its agents would: who claims a sheet need not be allowed to read it.
    reader = Viewer(None, (Grant(territory, Role.AGENT),))
    try:
        found: dict[str, Any] = json.loads(lake.feature(reader, DatasetRef(territory, beside or slug), sheet))
    except DatasetNotFound:
        return ""
    address = str(found["properties"].get(column) or "").strip()
    return address if "@" in address else ""


def hinted(address: str) -> str:
    """Return an address so that who reads it knows it again, and who does not learns little.

    >>> hinted("contact@jardins.example")
    'c…@j….example'
    """
    local, _at, domain = address.partition("@")
    name, dot, rest = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{rest}"
