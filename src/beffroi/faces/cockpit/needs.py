"""What this installation asks for: memory, processor, disk, euros a month; and what is on, off, and would come on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.catalogue.engine import engine
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel import footprint
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.footprint import Machine, Taken
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Role
from beffroi.faces.cockpit.hosting import Price, prices
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.lake.definitions import load_definitions
from beffroi.lake.queries import all_datasets
from beffroi.lake.refreshing import fetched

ON, WAITING, OFF = "on", "waiting", "off"


@dataclass(frozen=True, slots=True)
class Module:
    """A use case of the town: `state` is on, waiting (open, without the data it shows) or off; and why.

    `lacking` are the slugs of the data it would show, `national` those of them that a national source brings.
    """

    id: str
    title: str
    state: str
    reason: str
    lacking: tuple[str, ...] = ()
    national: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """All that is told: `taken` is None where the machine does not tell its processes."""

    taken: Taken | None
    machine: Machine
    disk: tuple[tuple[str, int], ...]
    prices: tuple[Price, ...]
    modules: tuple[Module, ...]

    @property
    def disk_bytes(self) -> int:
        """Return the bytes of the folder of data."""
        return sum(size for _name, size in self.disk)

    @property
    def monthly_eur(self) -> float | None:
        """Return the sum of the prices, None without a table."""
        return sum(one.monthly_eur for one in self.prices) if self.prices else None

    @property
    def counts(self) -> dict[str, int]:
        """Return how many modules are in each state."""
        found = Counter(one.state for one in self.modules)
        return {state: found[state] for state in (ON, WAITING, OFF)}


def needs_of(commune: CommuneInfo, *, apart: int | None = None) -> Needs:
    """Return what the installation takes and what is on in a commune; `apart` is a process that does not count.

    Raises:
        BadHosting: the table of prices cannot be read.
    """
    folder = Path(settings.DATA_DIR)
    return Needs(
        footprint.taken(folder, apart=apart),
        footprint.machine(folder),
        tuple(footprint.sizes(folder).items()),
        prices(settings.HOSTING),
        tuple(modules(commune.code)),
    )


def modules(territory: str) -> Iterable[Module]:
    """Yield every use case of the town that has an engine, with whether it is on and why."""
    # Whoever may read them: what is reserved is not lacking.
    there = {ref.slug for ref in all_datasets(territory)}
    national = {one.slug for one in fetched(load_definitions()[0], territory)}
    for view in catalogue.use_cases(territory=territory):
        shown = tuple(dict.fromkeys(_shown(view)))
        lacking = tuple(slug for slug in shown if slug not in there)
        waits = catalogue.lacking(view.use_case, territory) if view.is_open else ()
        lacking = waits or lacking
        state, reason = _why(view, waits)
        known = tuple(slug for slug in lacking if slug in national)
        yield Module(view.use_case.id, _(view.use_case.title), state, reason, lacking, known)


def _shown(view: UseCaseView) -> Iterable[str]:
    """Yield the slugs of the datasets that a use case shows, those of its own settings."""
    for table in view.use_case.settings.values():
        named = getattr(table, "datasets", ())
        yield from (one for one in named if isinstance(one, str))


def _why(view: UseCaseView, waits: tuple[str, ...]) -> tuple[str, str]:
    if view.state is State.RETIRED:
        return OFF, _("retiré par la commune")
    if view.state is State.DRAFT:
        known = engine(view.use_case.engine)
        if known is None or not known.registered:
            return OFF, _("son moteur n’est pas installé")
        return OFF, _("en préparation : ni pages ni tâches")
    if waits:
        return WAITING, _("sans données à montrer : éteint pour les habitants, il s’allume avec l’une d’elles")
    return ON, _("ouvert") if view.state is State.LIVE else _("à l’essai")


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def needs(request: HttpRequest) -> HttpResponse:
    """Show what the installation takes, what it costs by the table of prices, and what is on or off."""
    request = cast(Request, request)
    if request.commune is None:
        return render(request, "cockpit/needs.html", {"needs": None})
    try:
        found, problem = needs_of(request.commune), ""
    except BeffroiError as fault:
        return render(request, "cockpit/needs.html", {"needs": None, "problem": said(fault)})
    chosen = request.GET.get("etat", WAITING if found.counts[WAITING] else ON)
    context = {
        "needs": found,
        "problem": problem,
        "today": timezone.localdate(),
        "disk": found.disk[:6],
        "population": request.commune.population,
        "each": 12 * found.monthly_eur / request.commune.population
        if found.monthly_eur is not None and request.commune.population
        else None,
        "chosen": chosen,
        "states": [
            (ON, _("Allumés"), found.counts[ON]),
            (WAITING, _("Sans données"), found.counts[WAITING]),
            (OFF, _("Éteints"), found.counts[OFF]),
        ],
        "listed": [one for one in found.modules if one.state == chosen],
    }
    return render(request, "cockpit/needs.html", context)
