"""Ways to move, as the national schema of counts names them, and where a figure comes from."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """A way to move. `MOTOR`: motor vehicles nobody told apart; `MIXED`: several ways counted as one."""

    WALK = "pieton"
    BIKE = "velo"
    SCOOTER = "trottinette"
    MOTORBIKE = "deux-roues"
    CAR = "voiture"
    LORRY = "poids-lourd"
    BUS = "bus"
    MOTOR = "moteur"
    MIXED = "mele"


MOTORS = frozenset({Mode.MOTORBIKE, Mode.CAR, Mode.LORRY, Mode.BUS, Mode.MOTOR})


class Nature(StrEnum):
    """Where a figure comes from: counted, worked out from a count of the day, or seen by a sample of travellers."""

    MEASURED = "mesure"
    ESTIMATED = "estime"
    SAMPLE = "echantillon"


_OF = {
    "PEDESTRIAN": Mode.WALK,
    "BIKE": Mode.BIKE,
    "E-SCOOTER": Mode.SCOOTER,
    "TWO WHEELS MOTORIZED": Mode.MOTORBIKE,
    "CAR": Mode.CAR,
    "VAN": Mode.CAR,
    "TRUCK": Mode.LORRY,
    "BUS": Mode.BUS,
    "MINIBUS": Mode.BUS,
}


def mode_of(text: object) -> Mode | None:
    """Return the mode of a `mobility_type`; None for one that no page tells (rider, canoe, tram, unknown).

    >>> mode_of("BIKE"), mode_of("CAR,TRUCK"), mode_of("BIKE,E-SCOOTER"), mode_of("CANOE"), mode_of("CAR, VAN")
    (<Mode.BIKE: 'velo'>, <Mode.MOTOR: 'moteur'>, <Mode.MIXED: 'mele'>, None, <Mode.CAR: 'voiture'>)

    Source: etalab/schema-comptage-mobilites, channel 0.2.3 (7 April 2023).
    """
    words = [one.strip().upper() for one in str(text or "").split(",") if one.strip()]
    found = {_OF.get(one) for one in words}
    if not found or found == {None}:
        return None
    if len(found) == 1:
        return found.pop()
    return Mode.MOTOR if found <= MOTORS else Mode.MIXED
