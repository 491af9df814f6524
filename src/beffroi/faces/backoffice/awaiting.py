"""What awaits in the house itself: datasets, deposits, remarks, deliveries, training."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.journal import queries as journal
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.freshness import late_datasets
from beffroi.faces.backoffice.training import jobs_begun
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request
from beffroi.lake import queries as lake
from beffroi.lake.connected.queries import failing_connected
from beffroi.lake.owners import Owners
from beffroi.lake.queries import TilesState
from beffroi.sense.live.queries import silent_count
from beffroi.sense.twin.proposals import proposals_waiting


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


@work_source("datasets")
def datasets(request: Request) -> Iterator[WorkCard]:
    """Yield the datasets that are late, and those whose map failed."""
    known = lake.datasets(request.viewer, territory=_code(request))
    page = f"{reverse('backoffice:home')}#donnees"
    watched = reverse("backoffice:watched")
    late = late_datasets(known, today=timezone.localdate())
    owners = Owners(_code(request), at=timezone.now()) if late else None
    mine = [one for one in late if owners and owners.of_summary(one.summary).is_of(request.viewer, _code(request))]
    yield WorkCard(_("Données dont vous répondez, en retard"), len(mine), watched, Urgency.LATE)
    yield WorkCard(_("Données en retard sur leur rythme"), len(late) - len(mine), watched, Urgency.LATE)
    failing = lake.failing_sources(request.viewer, _code(request)) if _code(request) else 0
    yield WorkCard(_("Sources nationales qui ne répondent pas"), failing, watched, Urgency.TODAY)
    broken = failing_connected(request.viewer, _code(request)) if _code(request) else 0
    yield WorkCard(_("Sources branchées en échec"), broken, reverse("backoffice:sources"), Urgency.TODAY)
    failed = [one for one in known if lake.tiles_state(request.viewer, one.ref) is TilesState.FAILED]
    yield WorkCard(_("Cartes qui n’ont pas pu être préparées"), len(failed), page, Urgency.TODAY)


@work_source("held")
def held(request: Request) -> Iterator[WorkCard]:
    """Yield the refreshes that wait for someone's word."""
    waiting = lake.held(request.viewer, territory=_code(request))
    yield WorkCard(_("Mises à jour à approuver"), len(waiting), reverse("backoffice:held"), Urgency.TODAY)


@work_source("sensors")
def sensors(request: Request) -> Iterator[WorkCard]:
    """Yield the sensors that are silent."""
    silent = silent_count(request.viewer, _code(request), at=timezone.now())
    yield WorkCard(_("Capteurs muets"), silent, reverse("backoffice:sensors"), Urgency.TODAY)


@work_source("energy")
def energy(request: Request) -> Iterator[WorkCard]:
    """Yield what owners propose to say of the energy of their buildings."""
    waiting = proposals_waiting(request.viewer, _code(request))
    yield WorkCard(_("Étiquettes énergie proposées"), waiting, reverse("backoffice:energy"), Urgency.SOON)


@work_source("uploads")
def deposits(request: Request) -> Iterator[WorkCard]:
    """Yield the files deposited that await someone's approval."""
    waiting = [one for one in lake.uploads(request.viewer, territory=_code(request)) if one.state == "staged"]
    yield WorkCard(_("Fichiers déposés à vérifier"), len(waiting), reverse("backoffice:uploads"), Urgency.TODAY)


@work_source("remarks")
def remarks(request: Request) -> Iterator[WorkCard]:
    """Yield the remarks received on services on trial."""
    counts = catalogue.remark_counts(_code(request))
    page = reverse("backoffice:usecases")
    yield WorkCard(_("Remarques sur des services à l’essai"), sum(counts.values()), page, Urgency.SOON)


@work_source("deliveries")
def deliveries(request: Request) -> Iterator[WorkCard]:
    """Yield, to administrators, what could not be delivered and whether the worker is silent."""
    if not request.viewer.has(Role.ADMINISTRATOR, _code(request)):
        return
    page = reverse("backoffice:journal")
    yield WorkCard(_("Livraisons en attente"), len(journal.waiting_deliveries(request.viewer)), page, Urgency.TODAY)


@work_source("training")
def training(request: Request) -> Iterator[WorkCard]:
    """Yield the training paths begun and not finished."""
    unfinished = [one for one in jobs_begun(request.viewer.person_id) if not one.is_complete]
    page = reverse("backoffice:training")
    yield WorkCard(_("Formations commencées"), len(unfinished), page, Urgency.INFO)
