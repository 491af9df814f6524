"""A few associations of the fictional town keep their sheet, and one asks to. Made once, through the room's doors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.serve.offers import claims, kept
from beffroi.serve.offers.claims import CHECK
from beffroi.serve.offers.engine import claims_rules

USE_CASE, DATASET = "6-14", "associations"
_SAID = (
    ("Séance d’essai gratuite, adhésion 20 € par an. Tout public à partir de 8 ans.", "Tu 18:30-20:00; Sa 10:00-12:00"),
    ("Ouvert à tous, matériel prêté. Demandez le bureau à l’entrée.", "We 14:00-18:00"),
    ("Une rencontre chaque mois, ouverte aux débutants.", "Th 19:00-21:00"),
    ("Ateliers pour les 6 à 12 ans, tarif selon le quotient familial.", "We 09:30-11:30"),
)


def add_claims(
    territory: str, *, places: Sequence[tuple[float, float, str]], emails: Sequence[str], at: datetime
) -> None:
    """Have a few sheets kept, at public places, and one asked for; nothing where the directory is not open."""
    people = [one for one in map(territory_queries.person_by_email, emails) if one is not None]
    if not people or not places or claims_rules(territory, USE_CASE) is None:
        return
    keeper = Viewer(people[0].id)
    if claims.own_claims(keeper, territory):
        return
    try:
        rows = lake.table(ANONYMOUS, DatasetRef(territory, DATASET), columns=["titre"], limit=len(_SAID) + 1)
    except DatasetNotFound:
        return
    agent = Viewer(None, (Grant(territory, Role.ADMINISTRATOR),))
    step = max(1, len(places) // (len(_SAID) + 1))
    for rank, (sheet, (title,)) in enumerate(zip(rows.ids, rows.rows, strict=True)):
        who = keeper if rank < len(_SAID) else Viewer(people[-1].id)
        number = claims.claim_sheet(
            who, territory, USE_CASE, slug=DATASET, sheet=str(sheet), title=str(title), how=CHECK,
            proof="Compte rendu de l’assemblée générale du 12 janvier, remis au service.", at=at - timedelta(days=9),
        )  # fmt: skip
        if rank == len(_SAID):
            continue
        claims.accept_claim(agent, number, at=at - timedelta(days=8))
        lon, lat, label = places[step * rank]
        claims.keep_sheet(
            who, number, lon=lon, lat=lat, active=True, at=at - timedelta(days=7 - rank),
            values={"description": _SAID[rank][0], "horaires": _SAID[rank][1], "adresse": label},
        )  # fmt: skip
    kept.publish_kept(territory, at=at)
