"""The life of the landmarks of the fictional town: works, maintenance, states read over the years.

Written once, through the room's own doors: a town whose buildings have notes already is left as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.twin import life, operations
from beffroi.sense.twin.life import BuildingRef

LANDMARKS = "monuments-3d"


@dataclass(frozen=True, slots=True)
class _Work:
    """Works, `years` before today."""

    years: int
    kind: str
    component: str
    title: str
    by_whom: str
    cost_eur: int | None


# What each kind of landmark lived: works, then grades by component and by years before today.
_WORKS: dict[str, tuple[_Work, ...]] = {
    "Hôtel de ville": (
        _Work(16, "renovation", "toiture", "Réfection de la couverture", "Couvreurs de l’Onde (fictif)", 214_000),
        _Work(6, "renovation", "chauffage", "Remplacement de la chaudière", "Services techniques", 38_500),
        _Work(2, "controle", "", "Contrôle périodique des installations électriques", "Bureau Veille (fictif)", 1_240),
        _Work(1, "entretien", "facade", "Nettoyage des pierres du beffroi", "Services techniques", 6_300),
        _Work(-1, "renovation", "menuiseries", "Remplacement des fenêtres du premier étage", "", 72_000),
    ),
    "Église": (
        _Work(31, "renovation", "structure", "Confortement de la flèche", "Ateliers du Clocher (fictif)", 96_000),
        _Work(3, "entretien", "toiture", "Remplacement d’ardoises après la tempête", "Services techniques", 4_800),
    ),
    "École": (
        _Work(9, "renovation", "menuiseries", "Isolation et fenêtres neuves", "Menuiserie Valbois (fictif)", 131_000),
        _Work(1, "entretien", "interieur", "Peinture des classes", "Services techniques", 9_900),
    ),
}  # fmt: skip
_READINGS: dict[str, dict[str, tuple[tuple[int, int], ...]]] = {
    "Hôtel de ville": {
        "toiture": ((15, 5), (10, 5), (5, 4), (1, 4)),
        "facade": ((15, 4), (10, 3), (5, 3), (0, 2)),
        "menuiseries": ((12, 4), (7, 3), (1, 2)),
        "chauffage": ((5, 5), (3, 5), (1, 4)),
    },
    "Église": {"toiture": ((14, 4), (8, 4), (2, 3)), "structure": ((14, 4), (2, 4))},
    "École": {"interieur": ((8, 4), (4, 3), (2, 3)), "electricite": ((8, 4), (4, 4), (1, 3))},
}


def add_lives(territory: str, *, at: datetime) -> int:
    """Note the lives of a few landmarks of a territory; return how many buildings got one."""
    agent = Viewer(None, (Grant(territory, Role.AGENT),))
    ref = DatasetRef(territory, LANDMARKS)
    try:
        page = lake.features(agent, ref, limit=100)
    except DatasetNotFound:
        return 0
    if life.followed(agent, territory, today=at.date()):
        return 0
    told: dict[str, int] = {}
    for feature in sorted((json.loads(body) for body in page.features), key=lambda one: str(one["id"])):
        name = str(feature["properties"].get("nom") or "")
        kind = next((one for one in _WORKS if name.startswith(one)), None)
        # One of each kind, and two schools: enough to be looked at, few enough to be believed.
        if kind is None or told.get(kind, 0) >= (2 if kind == "École" else 1):
            continue
        told[kind] = told.get(kind, 0) + 1
        rnb = str(feature["properties"].get("id_rnb") or "")
        _tell(agent, BuildingRef(territory, LANDMARKS, str(feature["id"]), name, rnb), kind, at)
    return sum(told.values())


def _tell(agent: Viewer, building: BuildingRef, kind: str, at: datetime) -> None:
    for work in _WORKS[kind]:
        operations.note_work(
            agent,
            building,
            kind=work.kind,
            component=work.component,
            day=date(at.year - work.years, 6, 12),
            title=work.title,
            by_whom=work.by_whom,
            cost_eur=None if work.cost_eur is None else Decimal(work.cost_eur),
            at=at,
        )
    for component, read in _READINGS[kind].items():
        for years, grade in read:
            day = min(date(at.year - years, 9, 15), at.date())
            operations.read_condition(agent, building, component=component, grade=grade, day=day, at=at)
