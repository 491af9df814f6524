"""What a scenario does to the lamps of a town, one act after the other; kept as plain values, checked when read.

{"kind": "off", "start": 1380, "end": 300, "where": {"district": "Le Haut"}}          minutes of the day
{"kind": "dim", "start": 1320, "end": 360, "share": 0.5, "where": {"profile": "street"}}
{"kind": "on"}                                                                         lit all night again
{"kind": "swap", "power_w": 28, "flux_lm": 3600, "kelvin": 2400, "unit_eur": 450, "where": {"source": "other"}}
{"kind": "add", "lon": 3.0, "lat": 45.0, "what": "lamp", "power_w": 28, …, "height_m": 5, "solar": false}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.sense.twin.lighting.standards import PROFILES

KINDS = {
    "off": gettext_noop("Éteindre la nuit"),
    "dim": gettext_noop("Abaisser la nuit"),
    "on": gettext_noop("Laisser allumé toute la nuit"),
    "swap": gettext_noop("Passer à la LED"),
    "add": gettext_noop("Ajouter un point lumineux"),
}
FURNITURE = {
    "lamp": gettext_noop("Lampadaire"),
    "bracket": gettext_noop("Console sur façade"),
    "bollard": gettext_noop("Borne ou balise lumineuse"),
    "shelter": gettext_noop("Abri éclairé (bus, vélos)"),
    "bench": gettext_noop("Banc ou mobilier lumineux"),
    "sign": gettext_noop("Totem ou plan lumineux"),
}
SOURCES = {"led": gettext_noop("LED"), "other": gettext_noop("Sodium et autres")}
MOST_ACTIONS = 60
_BOUNDS = {"power_w": (0.0, 2000.0), "flux_lm": (1.0, 200_000.0), "kelvin": (1000.0, 10_000.0),
           "height_m": (0.3, 40.0), "unit_eur": (0.0, 100_000.0)}  # fmt: skip


class BadAction(BeffroiError):
    """A part of a lighting scenario that cannot be done."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which lamps an act is about; what is empty chooses all."""

    district: str = ""
    profile: str = ""
    source: str = ""
    street: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One act of a scenario. Minutes of the day, watts, lumens, kelvin, metres, euros for one lamp; degrees CRS84."""

    kind: str
    where: Where = field(default_factory=Where)
    start: int = 0
    end: int = 0
    share: float = 1.0
    power_w: float = 0.0
    flux_lm: float = 0.0
    kelvin: float = 0.0
    unit_eur: float = 0.0
    what: str = ""
    lon: float = 0.0
    lat: float = 0.0
    height_m: float = 0.0
    solar: bool = False

    def written(self) -> dict[str, Any]:
        """Return the act as it is kept."""
        return asdict(self)


def read_action(told: Mapping[str, Any]) -> Action:
    """Return an act from the values it is kept as.

    Raises:
        BadAction: an unknown kind, hours that are the same, a value out of all measure.
    """
    where = Where(**{key: str(value) for key, value in dict(told.get("where") or {}).items() if key in _PLACES})
    values = {key: value for key, value in told.items() if key in _FIELDS and key != "where"}
    action = Action(**values, where=where)
    _known(action.kind, KINDS, "kind")
    _known(where.profile, PROFILES, "profile", empty=True)
    _known(where.source, SOURCES, "source", empty=True)
    if action.kind in ("off", "dim"):
        _hours(action)
    if action.kind == "dim" and not 0.05 <= action.share <= 0.95:
        raise BadAction(gettext_noop("on n’abaisse ni à moins de 5 % ni à plus de 95 %"), where="share")
    if action.kind in ("swap", "add"):
        for name in ("power_w", "flux_lm", "kelvin", "unit_eur", *(["height_m"] if action.kind == "add" else [])):
            _measured(name, getattr(action, name))
    if action.kind == "add":
        _known(action.what, FURNITURE, "what")
        if not (math.isfinite(action.lon) and math.isfinite(action.lat) and abs(action.lat) < 90):
            raise BadAction(gettext_noop("on ne sait où est ce point lumineux"), where="lat")
    return action


_PLACES = tuple(Where.__dataclass_fields__)
_FIELDS = tuple(Action.__dataclass_fields__)


def _hours(action: Action) -> None:
    inside = all(0 <= one < 24 * 60 for one in (action.start, action.end))
    if not inside or action.start == action.end:
        raise BadAction(
            gettext_noop("ces deux heures ne font pas une période de la nuit"), where="start",
            remedy=gettext_noop("donnez par exemple de 23:00 à 05:00"),
        )  # fmt: skip


def _measured(name: str, value: float) -> None:
    low, high = _BOUNDS[name]
    if not low <= value <= high:
        raise BadAction(
            gettext_noop("{value} n’est pas une mesure possible"), where=name,
            remedy=gettext_noop("donnez un nombre de {low} à {high}"), value=value, low=low, high=high,
        )  # fmt: skip


def _known(value: str, among: Mapping[str, str], where: str, *, empty: bool = False) -> None:
    if value not in among and not (empty and not value):
        raise BadAction(
            gettext_noop("« {value} » inconnu"), where=where, remedy=gettext_noop("choisissez dans la liste"),
            value=value[:40],
        )  # fmt: skip
