"""What a commune lacks for its use cases of mobility to have something to answer. Light: read when Django starts."""

from __future__ import annotations

from beffroi.base.catalogue.definition import UseCase

STREETS, TIMETABLES = "troncons-route", "gtfs"


def lacking_streets(_use_case: UseCase, territory: str) -> tuple[str, ...]:
    """Return the streets that routes are computed on, while a territory has no graph of them."""
    from beffroi.sense.mobility.store import current_version

    return () if current_version(territory) is not None else (STREETS,)


def lacking_timetables(_use_case: UseCase, territory: str) -> tuple[str, ...]:
    """Return the timetables of a network, while a territory has none in service."""
    from beffroi.sense.mobility.transit.store import feeds

    return () if feeds(territory) else (TIMETABLES,)
