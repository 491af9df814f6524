"""Who answers for a dataset: always someone.

The service or the agent that was chosen; else the service its file names (`owner`); else the only service that may
read it; else the town itself, that is those who administer it. A choice that no longer stands (a service that was
removed, an agent who left or may not read the data any more) counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import transaction

from beffroi.base.journal import operations as journal
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import SERVICE_PREFIX, Role, Viewer
from beffroi.lake.answers import DatasetSummary
from beffroi.lake.events import DATASET_OWNED
from beffroi.lake.models import DatasetOwner
from beffroi.lake.operations import require_agent
from beffroi.lake.seeing import required
from beffroi.lake.store import DatasetRef


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers: a service, an agent, or the town when both are empty. `is_chosen`: by someone, on the page."""

    name: str = ""
    service: str = ""
    person: int | None = None
    is_chosen: bool = False

    @property
    def is_town(self) -> bool:
        """Tell whether nobody is named: the administrators of the town answer."""
        return not self.service and self.person is None

    def is_of(self, viewer: Viewer, territory: str) -> bool:
        """Tell whether the viewer is the one who answers, or shares the work of the service that does."""
        if self.person is not None:
            return self.person == viewer.person_id
        if self.service:
            return any(
                one.territory == territory and one.role is Role.AGENT and self.service in one.services
                for one in viewer.grants
            )
        return viewer.has(Role.ADMINISTRATOR, territory)


class Owners:
    """Who answers for each dataset of a territory, from two reads of the registry; of one dataset when `slug` is."""

    def __init__(self, territory: str, *, at: datetime, slug: str = "") -> None:
        rows = DatasetOwner.objects.filter(territory=territory)
        if slug:
            rows = rows.filter(slug=slug)
        self._chosen = {row.slug: (row.service, row.person_id) for row in rows}
        self._people = {}
        if any(person is not None for _service, person in self._chosen.values()):
            self._people = {one.id: one for one in territories.staff_of(territory, at=at)}
        self._territory, self._at = territory, at

    def of(self, slug: str, *, access: str, declared: str = "") -> Owner:
        """Return who answers for a dataset of these rights, whose file names the service `declared`."""
        service, person = self._chosen.get(slug, ("", None))
        if person is not None and (found := self._people.get(person)) and self._reads(person, access):
            return Owner(found.name or found.email, person=person, is_chosen=True)
        reserved = access.removeprefix(SERVICE_PREFIX) if access.startswith(SERVICE_PREFIX) else ""
        for one in (service, declared, reserved):
            if one and one in self._services and reserved in ("", one):
                return Owner(self._services[one], service=one, is_chosen=one == service)
        return Owner()

    @cached_property
    def _services(self) -> dict[str, str]:
        return {one.slug: one.name for one in territories.services(self._territory)}

    def of_summary(self, summary: DatasetSummary) -> Owner:
        """Return who answers for a dataset as it is listed."""
        return self.of(summary.ref.slug, access=summary.access, declared=summary.owner)

    def _reads(self, person: int, access: str) -> bool:
        viewer = territories.viewer_of_person(person, at=self._at)
        return access in viewer.clearances(self._territory)


def owner_of(summary: DatasetSummary, *, at: datetime) -> Owner:
    """Return who answers for one dataset."""
    ref = summary.ref
    return Owners(ref.territory, at=at, slug=ref.slug).of_summary(summary)


def set_owner(viewer: Viewer, ref: DatasetRef, *, service: str = "", person: int | None = None, at: datetime) -> Owner:
    """Name who answers for a dataset; neither a service nor a person leaves it to its file. Return who does now.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        Refused: the viewer is no agent of the commune, or the one named may not answer for these data.
    """
    seen = required(viewer, ref, None)
    require_agent(viewer, ref.territory)
    with transaction.atomic():
        # Whoever answers from now on is told of a lateness that goes on.
        DatasetOwner.objects.update_or_create(
            territory=ref.territory,
            slug=ref.slug,
            defaults={"service": service, "person_id": person, "told": "", "changed_at": at},
        )
        declared = str(seen.manifest.definition.get("owner", ""))
        owner = Owners(ref.territory, at=at, slug=ref.slug).of(ref.slug, access=seen.access, declared=declared)
        if (service or person is not None) and not owner.is_chosen:
            raise Refused(
                "ce responsable ne peut pas répondre de ce jeu de données",
                where=str(ref),
                remedy="choisissez un service de la commune, ou un agent, qui a le droit de le lire",
            )
        payload = {"service": owner.service, "person": owner.person}
        journal.record(
            kind=DATASET_OWNED, subject=f"dataset:{ref}", payload=payload, actor=viewer.person_id,
            territory=ref.territory, at=at,
        )  # fmt: skip
    return owner


def forget_all(territory: str) -> None:
    """Forget who answers in a territory: its data are gone."""
    DatasetOwner.objects.filter(territory=territory).delete()
