"""The doors of the back office: where one may go, for the home page, the bar of every page and the shortcuts."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request
from beffroi.serve.payments.queries import may_keep_bills


@dataclass(frozen=True, slots=True)
class Door:
    """A subject of the back office: its title, what one does there, its address, its icon, its key on the keyboard."""

    title: str
    use: str
    url: str
    symbol: str
    key: str


# What the keys of every page are for: the rows of a queue (j, k, x), the next request (n), the agent's own page (h).
KEYS_KEPT = frozenset("hjknx")

# Name of the address, title, what one does there, icon, key, and whether it is for administrators only. Two doors never
# share a key, nor take one of those above: both would act.
DOORS: tuple[tuple[str, str, str, str, str, bool], ...] = (
    (
        "backoffice:reports",
        gettext_noop("Signalements"),
        gettext_noop("La file de mes services, les interventions, les passages."),
        "report",
        "g",
        False,
    ),
    (
        "backoffice:alerts",
        gettext_noop("Alertes"),
        gettext_noop("Écrire, approuver, envoyer ; qui est prévenu, et par où."),
        "bell",
        "w",
        False,
    ),
    (
        "backoffice:bookings",
        gettext_noop("Réservations"),
        gettext_noop("La liste de l’équipe, la charge des jours, les jours fermés."),
        "calendar",
        "e",
        False,
    ),
    (
        "backoffice:procedures",
        gettext_noop("Démarches"),
        gettext_noop("Ce que les habitants demandent à mes services : instruire, décider, remettre."),
        "list",
        "i",
        False,
    ),
    (
        "backoffice:rounds",
        gettext_noop("Tournées"),
        gettext_noop("Partager des arrêts entre des véhicules, et chiffrer le gain."),
        "transport",
        "t",
        False,
    ),
    (
        "backoffice:works",
        gettext_noop("Travaux"),
        gettext_noop("Fermer des rues, voir ce que cela coûte, comparer, publier."),
        "warning",
        "v",
        False,
    ),
    (
        "backoffice:uploads",
        gettext_noop("Déposer des données"),
        gettext_noop("Envoyer un fichier, le voir avant de le publier."),
        "upload",
        "d",
        False,
    ),
    (
        "backoffice:sensors",
        gettext_noop("Capteurs"),
        gettext_noop("Ajouter un capteur, l’essayer, voir ceux qui se taisent."),
        "position",
        "z",
        False,
    ),
    (
        "backoffice:usecases",
        gettext_noop("Services en ligne"),
        gettext_noop("Préparer, essayer, ouvrir ou retirer un service."),
        "services",
        "s",
        False,
    ),
    (
        "backoffice:worth",
        gettext_noop("Rues accessibles"),
        gettext_noop("Les travaux et les relevés qui ouvriraient le plus de chemins."),
        "position",
        "r",
        False,
    ),
    (
        "portal:datasets",
        gettext_noop("Jeux de données"),
        gettext_noop("Tout ce que la commune publie ou réserve."),
        "data",
        "o",
        False,
    ),
    (
        "portal:crossing",
        gettext_noop("Croiser des données"),
        gettext_noop("Filtrer, lier, compter par quartier ; garder un indicateur."),
        "chart",
        "q",
        False,
    ),
    (
        "portal:buildings",
        gettext_noop("Bâtiments"),
        gettext_noop("Permis, travaux, entretien et état de chaque bâtiment."),
        "building",
        "m",
        False,
    ),
    (
        "portal:map",
        gettext_noop("Carte"),
        gettext_noop("Les mêmes couches, avec celles réservées aux agents."),
        "map",
        "c",
        False,
    ),
    (
        "portal:view-technician",
        gettext_noop("Vue technicien"),
        gettext_noop("Toutes les couches de l’agent, avec les champs réservés, leur âge et l’état de leur carte."),
        "report",
        "u",
        False,
    ),
    (
        "backoffice:training",
        gettext_noop("Se former"),
        gettext_noop("Un parcours par métier, étape par étape."),
        "school",
        "f",
        False,
    ),
    (
        "backoffice:sandbox",
        gettext_noop("Bac à sable"),
        gettext_noop("Essayer sans rien toucher de réel."),
        "cube",
        "b",
        False,
    ),
    (
        "backoffice:people",
        gettext_noop("Personnes et droits"),
        gettext_noop("Comptes, rôles, clés d’accès."),
        "people",
        "p",
        True,
    ),
    (
        "backoffice:look",
        gettext_noop("Couleurs et armes"),
        gettext_noop("Le nom, les armes et les couleurs des pages."),
        "building",
        "a",
        True,
    ),
    (
        "backoffice:journal",
        gettext_noop("Journal"),
        gettext_noop("Qui a fait quoi, et quand."),
        "history",
        "l",
        True,
    ),
)


def doors(request: Request) -> list[Door]:
    """Return the doors this reader may open; those of administrators only for them."""
    administers = request.commune is not None and request.viewer.has(Role.ADMINISTRATOR, request.commune.code)
    found = [
        Door(_(title), _(use), reverse(name), symbol, key)
        for name, title, use, symbol, key, reserved in DOORS
        if administers or not reserved
    ]
    if request.commune is not None and may_keep_bills(request.viewer, request.commune.code):
        use = _("Déposer les unités du mois, émettre, suivre les paiements.")
        found.insert(3, Door(_("Factures"), use, reverse("backoffice:bills"), "data", "y"))
    return found
