"""A few things that people of the fictional town give away, through the room's own doors. Made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.offers import operations, queries
from beffroi.serve.offers.engine import proposals_rules
from beffroi.serve.offers.proposals import send_proposal

# What, in what state, where and when to take it, how long.
_THINGS = (
    (
        "Armoire en pin, deux portes",
        "190 sur 110 sur 55 cm, une poignée à refixer.",
        "Sous le porche, samedi matin.",
        30,
    ),
    ("Lot de bocaux en verre", "Une trentaine, avec leurs couvercles.", "Devant le portail, le soir après 18 h.", 14),
    ("Vélo d’enfant 16 pouces", "Roues dégonflées, freins à régler.", "Au local à vélos, sonner à l’interphone.", 30),
    ("Palettes de bois", "Quatre, non traitées.", "Sur le trottoir, à toute heure.", 7),
    ("Table basse", "Plateau rayé, pieds solides.", "Au rez-de-chaussée, dimanche après-midi.", 14),
)


def add_offers(
    territory: str, *, places: Sequence[tuple[float, float, str]], emails: Sequence[str], at: datetime
) -> int:
    """Put a few things on offer at public places, given by these people in turn; none where some are, or may not be."""
    people = [one for one in map(territory_queries.person_by_email, emails) if one is not None]
    if not people or queries.rules_of(territory) is None or queries.on_offer(ANONYMOUS, territory, at=at):
        return 0
    step = max(1, len(places) // len(_THINGS))
    given = list(zip(_THINGS, places[::step], strict=False))
    for rank, ((title, description, pickup, days), (lon, lat, label)) in enumerate(given):
        operations.offer_thing(
            Viewer(people[rank % len(people)].id), territory, title=title, description=description, pickup=pickup,
            lon=lon, lat=lat, street=label.lstrip("0123456789 ").removeprefix("bis ").removeprefix("ter "), days=days,
            at=at - timedelta(hours=7 * rank + 1),
        )  # fmt: skip
    return len(given)


_SENT = {
    "10-11": {
        "nom": "Épicerie du Beffroi", "services": "parcels; elders; cash", "horaires_accueil": "Mo-Sa 08:30-19:30",
        "description": "Courses portées le mardi matin.", "conditions_acces": "Espèces dès 1 € d’achat",
    },
    "10-04": {"nom": "Imprimer, photocopier", "services": "printing", "description": "Rien avant le centre."},
}  # fmt: skip
"""What one shop and one resident sent, by use case."""


def add_proposal(territory: str, *, places: Sequence[tuple[float, float, str]], at: datetime) -> None:
    """Leave a shop, its services and a need waiting, so that the agents of a demonstration have some to publish."""
    if not places:
        return
    lon, lat, label = places[len(places) // 2]
    for use_case, values in _SENT.items():
        if proposals_rules(territory, use_case) is not None:
            send_proposal(
                territory, use_case, lon=lon, lat=lat, at=at - timedelta(hours=3), values={**values, "adresse": label}
            )
    if proposals_rules(territory, "4-03") is None:
        return
    send_proposal(
        territory, "4-03", lon=lon, lat=lat, contact="comptoir@valbruyere.example", at=at - timedelta(hours=5),
        values={
            "nom": "Café du Beffroi", "services": "wifi; electrical_outlets_available; toilets", "adresse": label,
            "horaires_accueil": "Tu-Su 08:00-20:00", "description": "Demandez au comptoir, rien à consommer.",
            "telephone": "05 36 49 50 00",
        },
    )  # fmt: skip
