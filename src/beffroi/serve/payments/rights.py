"""Who keeps the bills of a town (the agents of the service its rules name), and who reads those of a family."""

from __future__ import annotations

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import SERVICE_PREFIX, Viewer
from beffroi.serve.payments.engine import rules_of


def keeps_bills(viewer: Viewer, territory: str) -> bool:
    """Tell whether the viewer is an agent of a service that keeps bills here."""
    services = {SERVICE_PREFIX + one.service for one in rules_of(territory)}
    return bool(services & viewer.clearances(territory))


def require_keeper(viewer: Viewer, territory: str) -> None:
    """Let nobody pass but the agents of the service that keeps the bills.

    Raises:
        Refused: the viewer is none of them.
    """
    if not keeps_bills(viewer, territory):
        raise Refused(
            "les factures sont tenues par le service chargé",
            remedy="demandez à l’administration de vous rattacher à ce service",
        )
