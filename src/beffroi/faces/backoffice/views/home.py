"""The agents' first page: what awaits, then where to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.freshness import late_datasets
from beffroi.faces.shell.access import Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import TilesState

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Door:
    """A subject of the back office: its title, what one does there, its address and its icon."""

    title: str
    use: str
    url: str
    symbol: str


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the datasets to look at and the remarks received, then the doors this reader may open."""
    request = cast(Request, request)
    code = request.commune.code if request.commune else ""
    known = lake.datasets(request.viewer, territory=code) if code else []
    failing = [one for one in known if lake.tiles_state(request.viewer, one.ref) is TilesState.FAILED]
    late = late_datasets(known, today=timezone.localdate())
    administers = request.viewer.has(Role.ADMINISTRATOR, code)
    remarks = catalogue.remark_counts(code) if code else {}
    waiting = [(view.use_case, remarks[view.use_case.id]) for view in _views(code) if remarks.get(view.use_case.id)]
    context = {
        "late": late[:SHOWN],
        "late_count": len(late),
        "failing": failing[:SHOWN],
        "remarks": waiting[:SHOWN],
        "datasets_count": len(known),
        "doors": _doors(administers),
        "administers": administers,
    }
    return render(request, "backoffice/home.html", context)


def _views(code: str) -> list[catalogue.UseCaseView]:
    return catalogue.use_cases(territory=code) if code else []


def _doors(administers: bool) -> list[Door]:
    """Return the doors whose pages are installed; those of administrators only for them."""
    every = (
        (
            "backoffice:uploads",
            _("Déposer des données"),
            _("Envoyer un fichier, le voir avant de le publier."),
            "upload",
        ),
        (
            "backoffice:usecases",
            _("Services en ligne"),
            _("Préparer, essayer, ouvrir ou retirer un service."),
            "services",
        ),
        ("portal:datasets", _("Jeux de données"), _("Tout ce que la commune publie ou réserve."), "data"),
        ("portal:map", _("Carte"), _("Les mêmes couches, avec celles réservées aux agents."), "map"),
    )
    reserved = (
        ("backoffice:people", _("Personnes et droits"), _("Comptes, rôles, clés d’accès."), "people"),
        ("backoffice:look", _("Couleurs et armes"), _("Le nom, les armes et les couleurs des pages."), "building"),
        ("backoffice:journal", _("Journal"), _("Qui a fait quoi, et quand."), "history"),
    )
    doors = []
    for name, title, use, symbol in every + (reserved if administers else ()):
        try:
            doors.append(Door(title, use, reverse(name), symbol))
        except NoReverseMatch:
            continue
    return doors
