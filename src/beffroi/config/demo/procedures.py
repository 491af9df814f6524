"""Requests that people of the fictional town made by procedures, lived through the room’s own doors. Made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Requester
from beffroi.serve.procedures import calls, operations, queries

BINS, SITES, GARDENS = "6-06", "7-17", "6-12"
CHILDREN, HOUSING, AWAY = "6-05", "11-08", "2-18"
HEAT, NEEDS, ELDERS = "1-21", "4-07", "4-12"
# Who, what, how many people, how many days ago.
_BINS = (
    ("Camille Rivebelle", "premier", 4, 9),
    ("Dominique Vauclair", "taille", 6, 6),
    ("Sacha Montauban", "premier", 2, 24),
    ("Alix Ferrière", "premier", 1, 3),
    ("Noa Castelnau", "taille", 8, 1),
)


def add_procedures(
    territory: str, *, places: Sequence[tuple[float, float, str]], at: datetime, resident_email: str = ""
) -> int:
    """Have a few bins ordered, the first by this resident; some planned, one delivered. None where some were."""
    chosen = queries.open_procedures(territory).get(BINS)
    if chosen is None or not places:
        return 0
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({chosen.procedure.service})),))
    if queries.queue(agent, territory, queries.QueueFilter(), at=at).total:
        return 0
    resident = territory_queries.person_by_email(resident_email) if resident_email else None
    numbers = []
    for rank, (name, wanted, people, days) in enumerate(_BINS):
        lon, lat, label = places[(rank * 37) % len(places)]
        opened = operations.file_request(
            territory=territory,
            use_case=BINS,
            answers={
                "demande": wanted,
                "flux": "tri",
                "adresse": {"label": label, "lon": lon, "lat": lat},
                "logement": "maison",
                "personnes": people,
                "acces": "Sous le porche.",
            },
            # No address: no message goes out about the past.
            requester=Requester(resident.id if resident and not rank else None, name=name, phone="04 67 00 00 00"),
            at=at - timedelta(days=days),
        )
        numbers.append(opened.number)
    _treat(numbers, agent, at)
    return (
        len(numbers)
        + _add_sites(territory, places[0], at)
        + _add_gardeners(territory, places, at)
        + _add_families(territory, places, at)
        + _add_absences(territory, places, at)
        + add_people(territory, places, at)
    )


def _add_gardeners(territory: str, places: Sequence[tuple[float, float, str]], at: datetime) -> int:
    """Have a few people wait for a plot of a shared garden; the first is offered one."""
    chosen = queries.open_procedures(territory).get(GARDENS)
    if chosen is None:
        return 0
    numbers = []
    for rank, (name, home) in enumerate((("Lou Garance", "sans"), ("Maxime Tilleul", "avec"), ("Eden Vernay", "sans"))):
        lon, lat, label = places[(rank * 53) % len(places)]
        opened = operations.file_request(
            territory=territory,
            use_case=GARDENS,
            answers={
                "habite": True,
                "logement": home,
                "adresse": {"label": label, "lon": lon, "lat": lat},
                "partage": True,
            },
            requester=Requester(name=name, phone="04 67 00 00 00"),
            at=at - timedelta(days=30 - rank),
        )
        numbers.append(opened.number)
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({chosen.procedure.service})),))
    operations.offer_place(number=numbers[0], what="Jardin des Lilas, parcelle 3", by=agent, at=at - timedelta(days=1))
    return len(numbers)


def _add_families(territory: str, places: Sequence[tuple[float, float, str]], at: datetime) -> int:
    """Have children enrolled, at a fee told by what the family has, and a home asked for, its national number noted."""
    known = queries.open_procedures(territory)
    begins = (at + timedelta(days=30)).date()
    needs = {
        "cantine": {"ecole": "Jean-Moulin", "repas": "courant", "semaine": 4, "quotient": 612},
        "conservatoire": {"discipline": "instrument", "quotient": 1510},
        "creche": {"heures": 40, "parents": "occupes", "fratrie-accueillie": False, "ressources": 2900},
    }
    lon, lat, label = places[17 % len(places)]
    home = {"adresse": {"label": label, "lon": lon, "lat": lat}, "habite": True, "enfants": 2}
    made = 0
    for rank, (what, need) in enumerate(needs.items() if CHILDREN in known else ()):
        child = {"inscription": what, "prenom": "Lou Vallier", "naissance": "2019-03-08", "debut": f"{begins}"}
        operations.file_request(
            territory=territory,
            use_case=CHILDREN,
            answers={**child, **need, **home},
            requester=Requester(name="Andréa Vallier", phone="04 67 00 00 00"),
            at=at - timedelta(days=4 - rank),
        )
        made += 1
    if HOUSING in known:
        agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({known[HOUSING].procedure.service})),))
        opened = operations.file_request(
            territory=territory,
            use_case=HOUSING,
            answers={
                "demande": "suivi",
                "numero": "0999926000001FICTI",
                "besoin": "renouveler",
                "personnes": 3,
                "situation": "locataire",
                "taille": "t3",
                "accessible": False,
            },
            requester=Requester(name="Ange Ribeaucourt", phone="04 67 00 00 00"),
            at=at - timedelta(days=6),
        )
        cases.accept_case(number=opened.number, by=agent, at=at - timedelta(days=5), publish=False)
        made += 1
    return made


def _add_absences(territory: str, places: Sequence[tuple[float, float, str]], at: datetime) -> int:
    """Have two homes looked after while their people are away; somebody passed by the first."""
    chosen = queries.open_procedures(territory).get(AWAY)
    if chosen is None:
        return 0
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({chosen.procedure.service})),))
    numbers = []
    for rank, name in enumerate(("Charlie Monteil", "Dana Esparvier")):
        lon, lat, label = places[(rank * 29 + 5) % len(places)]
        opened = operations.file_request(
            territory=territory,
            use_case=AWAY,
            answers={
                "depart": f"{(at - timedelta(days=2)).date()}",
                "retour": f"{(at + timedelta(days=12)).date()}",
                "qui": "police",
                "adresse": {"label": label, "lon": lon, "lat": lat},
                "logement": "maison",
                "alarme": False,
                "entrer": False,
                "joindre": "06 00 00 00 00",
            },
            requester=Requester(name=name, phone="06 00 00 00 00"),
            at=at - timedelta(days=3),
        )
        numbers.append(opened.number)
    operations.note_passage(number=numbers[0], seen="calme", by=agent, at=at - timedelta(hours=5))
    return len(numbers)


def add_people(territory: str, places: Sequence[tuple[float, float, str]], at: datetime) -> int:
    """Have a few people on each register; calls begin, one has answered and asked for water."""
    known = queries.open_procedures(territory)
    lon, lat, label = places[11 % len(places)]
    home = {"telephone": "04 67 00 00 00", "adresse": {"label": label, "lon": lon, "lat": lat}}
    aged: dict[str, Any] = {"qui": "moi", "situation": "age"}
    entered: tuple[tuple[str, dict[str, Any]], ...] = (
        (HEAT, aged | {"nom": "Honorine Vasseur", "naissance": "1941-05-02", "mobilite": True}),
        (HEAT, aged | {"nom": "Firmin Delorme", "naissance": "1938-11-20", "mobilite": False}),
        (NEEDS, {"qui": "moi", "nom": "Ilan Coste", "besoin": "logement"}),
        (ELDERS, {"qui": "facteur", "nom": "Odette Garance", "naissance": "1936-01-15", "coup-de-main": "courses",
                  "canicule": True, "demandeur": "La factrice de la rue"}),
    )  # fmt: skip
    made = [
        operations.file_request(
            territory=territory, use_case=use_case, answers={**home, **answers}, requester=Requester(name="–"),
            at=at - timedelta(days=20 - rank),
        )
        for rank, (use_case, answers) in enumerate(entered)
        if use_case in known
    ]  # fmt: skip
    if HEAT not in known:
        return len(made)
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({known[HEAT].procedure.service})),))
    number = calls.open_round(
        use_case=HEAT, reason="Vigilance orange canicule (exercice)", by=agent, territory=territory,
        at=at - timedelta(hours=3),
    )  # fmt: skip
    first, second = (one.card.id for one in calls.round_list(agent, number, territory, at=at)[1][:2])
    for card, outcome, need in ((first, "absent", ""), (second, "need", "eau")):
        calls.note_call(
            round_id=number, card_id=card, outcome=outcome, need=need, by=agent, territory=territory,
            at=at - timedelta(hours=1),
        )  # fmt: skip
    return len(made)


def _add_sites(territory: str, place: tuple[float, float, str], at: datetime) -> int:
    """Have two firms ask for the same street, some days in common: the second is told, and so is the service."""
    if SITES not in queries.open_procedures(territory):
        return 0
    lon, lat, label = place
    asked = (("Régie des eaux (fictive)", "Branchement d’eau", 0.0, 12), ("Toits et Cie (fictif)", "Fibre", 8e-5, 16))
    for rank, (firm, what, east, starts) in enumerate(asked):
        first = (at + timedelta(days=starts)).date()
        corners = ((-6e-5, -6e-5), (6e-5, -6e-5), (6e-5, 6e-5), (-6e-5, 6e-5))
        operations.file_request(
            territory=territory,
            use_case=SITES,
            answers={
                "acte": "permission",
                "objet": what,
                "fouille": True,
                "profondeur": 80,
                "rue": {"label": label, "lon": lon, "lat": lat},
                "zone": [[lon + east + across, lat + along] for across, along in corners],
                "debut": f"{first}",
                "fin": f"{first + timedelta(days=6)}",
                "responsable": firm,
                "gene": "alternat",
            },
            requester=Requester(name=firm, phone="04 67 00 00 00"),
            at=at - timedelta(days=2 - rank),
        )
    return len(asked)


def _treat(numbers: Sequence[str], agent: Viewer, at: datetime) -> None:
    """Plan the first, ask something of the second, deliver the third; the others wait."""
    planned, asked, delivered = numbers[:3]
    for number in (planned, asked, delivered):
        cases.accept_case(number=number, by=agent, at=at - timedelta(hours=20), publish=False)
    day = (at + timedelta(days=2)).date()
    cases.schedule_case(number=planned, day=day, by=agent, at=at - timedelta(hours=19))
    operations.ask_piece(
        number=asked,
        code=operations.OTHER_PIECE,
        label="Bail ou facture d’eau",
        by=agent,
        at=at - timedelta(hours=18),
    )
    operations.record_findings(number=delivered, findings={"volume": 120, "puce": "B-0412"}, by=agent, at=at)
    operations.decide(number=delivered, decision="livre", by=agent, at=at - timedelta(hours=2))
