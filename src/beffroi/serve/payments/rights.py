"""Who keeps the bills of a town (the agents of the service its rules name), and who reads those of a family."""

from __future__ import annotations

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import SERVICE_PREFIX, Viewer
from beffroi.serve.payments.engine import ENGINE, rules_of


def keeps_bills(viewer: Viewer, territory: str) -> bool:
    """Tell whether the viewer is an agent of a service that keeps bills here."""
    services = {SERVICE_PREFIX + one.service for one in rules_of(territory)}
    return bool(services & viewer.clearances(territory))


def may_keep_bills(viewer: Viewer, territory: str) -> bool:
    """Tell whether the files of this installation let the viewer keep bills; no question to the registry.

    A town may have closed the use case: `keeps_bills` has the last word.
    """
    services = {
        SERVICE_PREFIX + one.settings[ENGINE].service
        for one in catalogue.catalogue().use_cases.values()
        if one.state in OPEN_STATES and ENGINE in one.settings
    }
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
