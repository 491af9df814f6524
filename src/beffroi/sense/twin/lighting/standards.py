"""What light is asked for, and what the law allows: classes, articles and assumptions, each said where it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from beffroi.base.kernel.sentences import gettext_noop

DECREE = gettext_noop("arrêté du 27 décembre 2018 sur les nuisances lumineuses")
IN_FORCE = date(2020, 1, 1)
"""Art. 3 of the decree binds what is installed since that day."""
MOST_KELVIN = 3000
"""Art. 3, II, 3°: lighting for travel (art. 1, a); lower still in parks and reserves."""
MOST_LM_PER_M2 = 35
"""Art. 3, II, 4°: light installed over the area to be lit, in built-up areas."""

MAINTENANCE = 0.8
"""The share of its light a lamp still gives when it is due for cleaning: an assumption."""
REACH_M = 45.0


@dataclass(frozen=True, slots=True)
class Class:
    """A class of NF EN 13201-2 (2015): maintained illuminance on the ground, in lux, on average and at least."""

    name: str
    mean_lx: float
    least_lx: float


CLASSES = {
    one.name: one
    for one in (
        # Classes C ask for a uniformity of 0.4 on average: the least is that share of the mean.
        Class("C3", 15.0, 6.0),
        Class("C4", 10.0, 4.0),
        Class("C5", 7.5, 3.0),
        Class("P1", 15.0, 3.0),
        Class("P2", 10.0, 2.0),
        Class("P3", 7.5, 1.5),
        Class("P4", 5.0, 1.0),
        Class("P5", 3.0, 0.6),
        Class("P6", 2.0, 0.4),
    )
}
"""Source: NF EN 13201-2:2015, tables 2 and 3."""

PARTS = {
    "carriageway": gettext_noop("Chaussée"),
    "side": gettext_noop("Trottoirs et accotements"),
    "square": gettext_noop("Places et rues piétonnes"),
    "path": gettext_noop("Chemins et escaliers"),
    "park": gettext_noop("Squares et jardins"),
}
PROFILES = {
    "narrow": gettext_noop("Ruelle, moins de 8 m"),
    "street": gettext_noop("Rue, de 8 à 12 m"),
    "wide": gettext_noop("Rue large, de 12 à 20 m"),
    "avenue": gettext_noop("Avenue, 20 m et plus"),
    "off": gettext_noop("Hors rue : places, chemins, squares"),
}
_WIDTHS_M = ((8.0, "narrow"), (12.0, "street"), (20.0, "wide"))


def profile_of(width_m: float) -> str:
    """Name the profile of a street by its width from one parcel to the other.

    >>> profile_of(6.5), profile_of(12), profile_of(31)
    ('narrow', 'wide', 'avenue')
    """
    return next((name for most, name in _WIDTHS_M if width_m < most), "avenue")
