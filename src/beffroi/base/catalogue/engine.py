"""The engines a use case may name, and those that have registered: the catalogue imports none of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.kernel.sentences import gettext_noop

Schema = Callable[[Mapping[str, Any]], Any] | type[BaseModel]
"""Turns an engine's table into its settings: a pydantic model, or a callable that raises `ValueError`."""

ExampleRunner = Callable[[UseCase, Example], Mapping[str, Any]]
"""Does what the example says and returns what came of it; the catalogue compares it with `then`, key by key."""

Exporter = Callable[[str, str], Iterator[tuple[str, bytes]]]
"""Given a use case id and a territory, yields (file name, content) of what the engine holds for it."""

Lacking = Callable[[UseCase, str], tuple[str, ...]]
"""Given a use case and a territory, returns the slugs of the data any of which would give it something to show.

Empty when it has something already. Asked by every page that lists services: a few `stat` calls, no query.
"""

UrlName = str | Callable[[UseCase], str]
"""The Django URL name where a use case is used, or what returns the one of a use case."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A kind of use case. Until its room registers, it is only a known name: its use cases stay in draft."""

    name: str
    title: str
    description: str
    registered: bool = False
    schema: Schema | None = None
    url_name: UrlName = ""
    example_runner: ExampleRunner | None = None
    exporter: Exporter | None = None
    lacking: Lacking | None = None
    filled_by_people: bool = False


def _known(name: str, title: str, description: str) -> tuple[str, Engine]:
    return name, Engine(name, title, description)


# One name per room that will hold the engine, and per service of the house (portal, access, lifecycle…).
_ENGINES: dict[str, Engine] = dict(
    (
        _known(
            "access",
            gettext_noop("Droits d’accès"),
            gettext_noop("Ce que chacun voit et fait selon son rôle, par toutes les interfaces."),
        ),
        _known(
            "alerts",
            gettext_noop("Alertes"),
            gettext_noop("Prévenir les bonnes personnes au bon endroit : alertes, abonnements, écrans, secours."),
        ),
        _known(
            "bookings",
            gettext_noop("Réservations"),
            gettext_noop("Créneaux, salles et rendez-vous, avec leur capacité et leurs rappels."),
        ),
        _known(
            "claims",
            gettext_noop("Fiches tenues par les intéressés"),
            gettext_noop("Qui tient sa fiche d’un annuaire, sur quelle preuve, et ce qu’il en dit."),
        ),
        _known(
            "coverage",
            gettext_noop("Accès aux équipements"),
            gettext_noop("Qui est à quelques minutes de quoi, par quartier et par âge, et qui ne l’est pas."),
        ),
        _known(
            "daily",
            gettext_noop("Chaque jour à mon adresse"),
            gettext_noop("Quel bac sortir, ce que sert la cantine, ce qui est ouvert près de chez soi."),
        ),
        _known(
            "datasets",
            gettext_noop("Données ouvertes"),
            gettext_noop("Jeux de données : import, qualité, téléchargements et interfaces."),
        ),
        _known(
            "directory",
            gettext_noop("Annuaires"),
            gettext_noop("Des fiches que l’on cherche par mots, que l’on trie et que l’on trouve près de chez soi."),
        ),
        _known(
            "finance",
            gettext_noop("Finances"),
            gettext_noop("Budgets, équipements, taxes et redevances, expliqués et suivis."),
        ),
        _known(
            "flows",
            gettext_noop("Flux par mode"),
            gettext_noop("Ce qui passe dans les rues, par mode et par heure, le mesuré à part de l’estimé."),
        ),
        _known(
            "help",
            gettext_noop("Aide"),
            gettext_noop("Aide en contexte, bac à sable et parcours de formation des agents."),
        ),
        _known(
            "indicators",
            gettext_noop("Indicateurs"),
            gettext_noop("Croisements et comparaisons dont on peut ouvrir la source."),
        ),
        _known(
            "hours",
            gettext_noop("Heures à privilégier"),
            gettext_noop("Ce qui passe et ce qui est plein heure par heure, et quand c’est mieux."),
        ),
        _known(
            "journeys",
            gettext_noop("Trajets comparés"),
            gettext_noop("À pied, à vélo, en bus, en voiture seul ou à deux : temps, coût et CO₂ côte à côte."),
        ),
        _known(
            "layers",
            gettext_noop("Couches de la carte"),
            gettext_noop("Ce que la commune connaît, montré sur la carte et en liste."),
        ),
        _known(
            "lifecycle",
            gettext_noop("Cycle de vie des usages"),
            gettext_noop("Préparer, essayer, mettre en service, mesurer et retirer un usage."),
        ),
        _known(
            "live",
            gettext_noop("Temps réel"),
            gettext_noop("Capteurs, comptages, places libres et consommations, avec leurs seuils."),
        ),
        _known(
            "mobility",
            gettext_noop("Mobilité"),
            gettext_noop("Itinéraires, tournées, transports et effets des travaux."),
        ),
        _known(
            "offers",
            gettext_noop("Offres et entraide"),
            gettext_noop("Ce que les habitants et les commerces se proposent : entraide, prêt, marché local."),
        ),
        _known(
            "participation",
            gettext_noop("Participation"),
            gettext_noop("Enquêtes, idées, consultations et budgets participatifs."),
        ),
        _known(
            "payments",
            gettext_noop("Paiements"),
            gettext_noop("Factures, paiements et comptes en partie double."),
        ),
        _known(
            "permits",
            gettext_noop("Autorisations d’urbanisme"),
            gettext_noop("Déposer et instruire un dossier dans les délais du code de l’urbanisme."),
        ),
        _known(
            "places",
            gettext_noop("Lieux et agenda"),
            gettext_noop("Annuaire, agenda, circuits et recherche : ce que l’on trouve en ville."),
        ),
        _known(
            "planning",
            gettext_noop("Règles d’urbanisme"),
            gettext_noop("Ce que les règles permettent de construire, article par article."),
        ),
        _known(
            "portal",
            gettext_noop("Portail"),
            gettext_noop("Accueil, recherche, suivi des demandes et application installable."),
        ),
        _known(
            "proposals",
            gettext_noop("Inscriptions à un annuaire"),
            gettext_noop("Ce qu’un lieu dit de lui-même, sans compte, publié une fois qu’un agent l’a vérifié."),
        ),
        _known(
            "privacy",
            gettext_noop("Données personnelles"),
            gettext_noop("Finalités, durées de conservation, export et effacement."),
        ),
        _known(
            "procedures",
            gettext_noop("Démarches"),
            gettext_noop("Formulaires, pièces, suivi et réponse à une demande."),
        ),
        _known(
            "reports",
            gettext_noop("Signalements"),
            gettext_noop("Ce que les habitants et les agents voient sur le terrain, jusqu’à la résolution."),
        ),
        _known(
            "rights",
            gettext_noop("Droits sociaux"),
            gettext_noop("Simulation des aides et échanges avec les administrations."),
        ),
        _known(
            "rounds",
            gettext_noop("Tournées"),
            gettext_noop("Des arrêts partagés entre des véhicules, sur les rues où ils passent, et le gain chiffré."),
        ),
        _known(
            "tenancy",
            gettext_noop("Plusieurs communes"),
            gettext_noop("Plusieurs communes et leur groupement sur une même installation."),
        ),
        _known(
            "transit",
            gettext_noop("Transports"),
            gettext_noop("Horaires, passages du moment et incidents des bus et des trams."),
        ),
        _known(
            "twin",
            gettext_noop("Maquette"),
            gettext_noop("La ville en trois dimensions, dans le temps, avec ses projets."),
        ),
        _known(
            "works",
            gettext_noop("Travaux"),
            gettext_noop("Des rues fermées pour un temps : leurs effets calculés, comparés, puis publiés."),
        ),
    )
)

_generation = 0


def register_engine(
    name: str,
    *,
    schema: Schema | None = None,
    url_name: UrlName = "",
    example_runner: ExampleRunner | None = None,
    exporter: Exporter | None = None,
    lacking: Lacking | None = None,
    filled_by_people: bool = False,
) -> None:
    """Make a known engine available to the use cases that name it; rooms call it from their ``AppConfig.ready``.

    `url_name` is a Django URL name that takes the use case id (``use_case``), where the use case is used, or what
    returns one for each use case. `lacking` tells what data a use case waits for; one that also draws on an engine
    `filled_by_people`, who bring themselves what it shows, waits for none.

    Raises:
        ValueError: the name is not in the vocabulary of this module.
    """
    global _generation
    known = _ENGINES.get(name)
    if known is None:
        raise ValueError(f"unknown engine {name!r}; {_hint(name)}declare it in beffroi/base/catalogue/engine.py")
    _ENGINES[name] = replace(
        known,
        registered=True,
        schema=schema,
        url_name=url_name,
        example_runner=example_runner,
        exporter=exporter,
        lacking=lacking,
        filled_by_people=filled_by_people,
    )
    _generation += 1


def forget_engine(name: str) -> None:
    """Take an engine back to a known name; for tests that register one of their own."""
    global _generation
    known = _ENGINES[name]
    _ENGINES[name] = Engine(known.name, known.title, known.description)
    _generation += 1


def engine(name: str) -> Engine | None:
    """Return the engine of that name, or None when the vocabulary has no such name."""
    return _ENGINES.get(name)


def engines() -> Mapping[str, Engine]:
    """Return the whole vocabulary by name, registered or not."""
    return dict(_ENGINES)


def generation() -> int:
    """Return a number that changes whenever an engine registers: what was validated before is stale."""
    return _generation


def _hint(name: str) -> str:
    close = difflib.get_close_matches(name, _ENGINES, n=1)
    return f"did you mean {close[0]!r}? " if close else ""
