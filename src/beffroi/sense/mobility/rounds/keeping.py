"""How the stops of a round are kept: as they are, or sealed when they say where somebody sleeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from beffroi.base.privacy.sealing import seal, unseal
from beffroi.sense.mobility.models import Round
from beffroi.sense.mobility.rounds.plan import Stop, stops_of
from beffroi.sense.mobility.rounds.solving import LeftOut
from beffroi.sense.mobility.rounds.travel import Obstruction, Ways


def kept(stops: Sequence[Stop], *, sealed: bool) -> dict[str, Any]:
    """Return the fields of a row that keep these stops.

    Raises:
        KeyLost: the key of this server cannot be read.
    """
    told = [one.model_dump(mode="json") for one in stops]
    if not sealed:
        return {"stops": told}
    return {"stops": [], "sealed_stops": seal(json.dumps(told, ensure_ascii=False)), "sealed_count": len(told)}


def stops_kept(row: Round) -> list[Stop]:
    """Return the stops of a row.

    Raises:
        KeyLost: they are sealed, and no key of this server opens them.
    """
    return stops_of(json.loads(unseal(row.sealed_stops)) if row.sealed_stops else row.stops)


def discreet(ways: Ways) -> Ways:
    """Return times between places that name no street: those of sealed stops are kept beside them, in clear."""
    travels = {
        name: replace(one, barred={rank: Obstruction(why.code) for rank, why in one.barred.items()})
        for name, one in ways.travels.items()
    }
    return replace(ways, travels=travels)


def discreetly_left(left_out: Sequence[LeftOut]) -> list[LeftOut]:
    """Return the reasons without the street that is the cause."""
    return [replace(one, street="") for one in left_out]
