"""Who is looking, and what they may see: the one value every query about rights takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PUBLIC = "public"
AGENTS = "agents"
SERVICE_PREFIX = "service:"
TRACED = "service:consultation-tracee"
"""A class nobody holds: no service may bear this name. A room reads it for whom it logs, one thing at a time."""


class Role(StrEnum):
    """What a person is in one commune or grouping. A person may hold several."""

    RESIDENT = "resident"
    AGENT = "agent"
    ELECTED = "elected"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one person in one territory; `services` are the slugs of the services an agent belongs to."""

    territory: str
    role: Role
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Hold what rights depend on; immutable, made once per request (see `queries.viewer_of`).

    `territory` codes are INSEE codes of communes and SIREN numbers of groupings. `scopes` is None for a person
    signed in, else the scopes of the API key used: a key never gives more than its scopes.
    """

    person_id: int | None = None
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[str] | None = None

    def has(self, role: Role, territory: str) -> bool:
        """Tell whether the viewer holds `role` in `territory`."""
        return any(grant.role == role and grant.territory == territory for grant in self.grants)

    def moved(self, *, real: str, sandbox: str) -> Viewer:
        """Return the same person with the rights held in `real` given in `sandbox`, and none anywhere else."""
        grants = tuple(Grant(sandbox, one.role, one.services) for one in self.grants if one.territory == real)
        return Viewer(self.person_id, grants, self.scopes)

    def clearances(self, territory: str) -> frozenset[str]:
        """Return the visibility classes of `territory` the viewer may read: ``public``, ``agents``, ``service:<slug>``.

        Agents read ``agents`` and their own services. Administrators read ``agents`` but no service they do not
        belong to: they manage rights, which is not a need to know. An agent of another commune reads ``public``;
        so does an API key without the scope ``data:agents``.
        """
        classes = {PUBLIC}
        if self.scopes is not None and "data:agents" not in self.scopes:
            return frozenset(classes)
        for grant in self.grants:
            if grant.territory != territory or grant.role not in (Role.AGENT, Role.ADMINISTRATOR):
                continue
            classes.add(AGENTS)
            classes.update(SERVICE_PREFIX + service for service in grant.services)
        return frozenset(classes)


ANONYMOUS = Viewer()
