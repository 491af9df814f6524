"""Whose stock a key reads and writes: one landlord's, in one territory, and no other."""

from __future__ import annotations

from dataclasses import dataclass

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.engine import STOCK, STOCK_OF
from beffroi.base.territory.viewer import Role, Viewer


@dataclass(frozen=True, slots=True)
class Holder:
    """A landlord, by its SIREN, in the territory where it holds a stock."""

    territory: str
    owner: str


def holder_of(viewer: Viewer) -> Holder:
    """Return whose stock a viewer may exchange.

    Raises:
        Refused: it is not the API key of a landlord.
    """
    owners = sorted(scope.removeprefix(STOCK_OF) for scope in viewer.scopes or () if scope.startswith(STOCK_OF))
    towns = [grant.territory for grant in viewer.grants]
    if STOCK not in (viewer.scopes or ()) or len(owners) != 1 or len(towns) != 1:
        raise Refused(
            "cette adresse demande la clé d’un bailleur",
            where="Authorization",
            remedy="un administrateur crée cette clé, avec le SIREN du bailleur, sous Personnes et droits",
        )
    return Holder(towns[0], owners[0])


def require_agent(viewer: Viewer, territory: str) -> None:
    """Let the agents of a territory pass.

    Raises:
        Refused: anybody else, a key of a landlord included.
    """
    if viewer.scopes is not None or not (
        viewer.has(Role.AGENT, territory) or viewer.has(Role.ADMINISTRATOR, territory)
    ):
        raise Refused("ces pages sont celles des agents de la commune", remedy="connectez-vous comme agent")
