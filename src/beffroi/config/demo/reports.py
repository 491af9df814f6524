"""The reports of the fictional town: several hundred, lived through the rooms' own doors, the same for the same seed.

Written once: a town that has reports already, or where nothing can be reported, is left as it is. Photos are ours,
few and shared. Nobody left an address: no message goes out about the past.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from django.db import transaction

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome, Requester, Upload
from beffroi.serve.cases.operations import Opened
from beffroi.serve.reports import operations, queries
from beffroi.serve.reports.categories import OpenCategory, open_categories
from beffroi.serve.reports.intake import Submission, file_in
from beffroi.serve.reports.scenes import drawn_photo
from beffroi.serve.reports.visits import expect_visits, note_missing_visits, visits

SEED = 311
COUNT = 320
DAYS = 75
"""How far back the oldest report goes."""

# What is reported, how often, in what words.
_WORDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "depot-sauvage": (
        70,
        ("Un matelas et des cartons.", "Des gravats laissés depuis ce matin.", "Un canapé sur le trottoir."),
    ),
    "corbeille-pleine": (30, ("La corbeille déborde.", "Elle n’a pas été vidée du week-end.")),
    "dejections-canines": (18, ("Plusieurs déjections devant l’école.",)),
    "tag-graffiti": (24, ("Un grand tag bleu sur le mur.", "La porte du lavoir a été taguée.")),
    "nid-de-poule": (34, ("Un trou profond sur la chaussée.", "Le nid-de-poule s’agrandit avec la pluie.")),
    "trottoir-abime": (18, ("Une dalle bouge.", "La bordure est descellée, on trébuche.")),
    "eclairage-panne": (36, ("Le lampadaire est éteint depuis trois jours.", "Il clignote toute la nuit.")),
    "panneau-abime": (10, ("Le panneau est couché.",)),
    "avaloir-bouche": (12, ("La grille est bouchée par les feuilles.",)),
    "arbre-malade": (14, ("L’arbre perd son écorce.", "Des branches mortes au-dessus du banc.")),
    "aire-de-jeux": (8, ("La balançoire est cassée.",)),
    "espace-vert": (12, ("La haie déborde sur le passage.",)),
    "voiture-ventouse": (12, ("Une berline grise, pneus dégonflés.",)),
    "animal-perdu": (5, ("Chatte tigrée, collier rouge.",)),
    "animal-trouve": (4, ("Un chat tigré dans le jardin.",)),
    "obstacle-chantier": (10, ("Une benne occupe tout le trottoir.",)),
    "insalubrite": (3, ("De l’eau coule du plafond.",)),
}
_ANSWERS = {
    "depot-sauvage": "L’équipe de propreté est passée : le dépôt est enlevé.",
    "eclairage-panne": "La lampe est remplacée.",
    "nid-de-poule": "La chaussée est rebouchée à l’enrobé.",
}
_REFUSALS = ("Ce lieu est privé : nous prévenons son propriétaire.", "Notre agent n’a rien trouvé sur place.")
_NAMES = ("Camille Rivebelle", "Dominique Vauclair", "Sacha Montauban", "Alix Ferrière", "Noa Castelnau")


@dataclass(slots=True)
class _Stage:
    """What the play needs: the town, its public places, the present, and the dice."""

    territory: str
    places: Sequence[tuple[float, float, str]]
    at: datetime
    rng: random.Random
    photos: Sequence[bytes]
    resident: int | None

    def agent(self, service: str) -> Viewer:
        return Viewer(None, (Grant(self.territory, Role.AGENT, frozenset({service})),))


def add_reports(
    territory: str,
    *,
    places: Sequence[tuple[float, float, str]],
    at: datetime,
    tell: Callable[[float], None] = lambda share: None,
    resident_email: str = "",
) -> int:
    """Give the town its reports and return how many were made; none when it has some.

    Args:
        places: longitudes, latitudes and addresses of public places of the town.
        at: the present instant.
        tell: receives the share done.
        resident_email: the account of a resident who made a few of them.
    """
    known = open_categories(territory)
    if not known or queries.public_reports(territory, at=at, size=1).total:
        return 0
    rng = random.Random(SEED)  # noqa: S311 - a play, the same each time
    resident = territory_queries.person_by_email(resident_email) if resident_email else None
    photos = [
        drawn_photo(words, colour=colour)
        for words, colour in (("Avant", "#6b7f95"), ("Rue", "#8a8f7a"), ("Coin", "#94786b"))
    ]
    stage = _Stage(territory, places, at, rng, photos, resident.id if resident else None)
    drawn = [code for code, (weight, _) in _WORDS.items() if code in known for _ in range(weight)]
    made = 0
    for part in range(0, COUNT, 40):
        # A few transactions, not three hundred: each costs a synchronisation of the disk.
        with transaction.atomic():
            for _ in range(min(40, COUNT - part)):
                _play(stage, known[rng.choice(drawn)])
                made += 1
        tell(made / COUNT)
    with transaction.atomic():
        _contract(stage)
        _desk(stage)
    return made


def _play(stage: _Stage, chosen: OpenCategory) -> None:
    """Send one report at some moment of the past weeks, and live with it as far as chance says."""
    rng, category = stage.rng, chosen.category
    sent_at = stage.at - timedelta(days=rng.random() ** 1.6 * DAYS, minutes=rng.randrange(600))
    lon, lat, address = rng.choice(stage.places)
    opened = _sent(stage, chosen, lon, lat, address, sent_at)
    agent = stage.agent(category.service)
    if rng.random() < 0.08:
        twin_at = min(sent_at + timedelta(hours=rng.randrange(1, 30)), stage.at)
        twin = _sent(stage, chosen, lon + 0.00008, lat, address, twin_at)
        operations.merge_reports(number=twin.number, into=opened.number, by=agent, at=twin_at)
        sent_at = twin_at
    # What is recent mostly waits; what is old mostly is settled, some of it late.
    age = (stage.at - sent_at) / timedelta(days=1)
    if rng.random() > 0.25 + age / 6:
        return
    _treat(stage, opened, chosen, sent_at)


def _sent(stage: _Stage, chosen: OpenCategory, lon: float, lat: float, address: str, sent_at: datetime) -> Opened:
    rng, category = stage.rng, chosen.category
    _, texts = _WORDS[category.code]
    photos = (Upload("photo.jpg", rng.choice(stage.photos)),) if category.photo != "none" and rng.random() < 0.4 else ()
    hers = stage.resident if rng.random() < 0.02 else None
    submission = Submission(
        category=category.code,
        lon=lon,
        lat=lat,
        description=rng.choice(texts),
        address=address,
        details=_details(stage, chosen, sent_at),
        photos=photos,
        source=rng.choice(("web", "web", "web", "open311")),
    )
    requester = Requester(hers, name=rng.choice(_NAMES))
    return file_in(
        chosen, territory=stage.territory, submission=submission, requester=requester, viewer=ANONYMOUS, at=sent_at
    )


def _details(stage: _Stage, chosen: OpenCategory, sent_at: datetime) -> dict[str, str]:
    """Answer what the category must know."""
    found = {}
    for question in chosen.category.field:
        if question.required:
            found[question.code] = {
                "integer": str(stage.rng.randrange(3, 30)),
                "date": sent_at.date().isoformat(),
                "boolean": "true",
                "text": "3",
                "choice": next(iter(question.choices), ""),
            }[question.type]
    return found


def _treat(stage: _Stage, opened: Opened, chosen: OpenCategory, sent_at: datetime) -> None:
    rng, code, number = stage.rng, chosen.category.code, opened.number
    agent = stage.agent(chosen.category.service)
    moment = min(sent_at + timedelta(hours=rng.randrange(1, 40)), stage.at)
    cases.accept_case(number=number, by=agent, at=moment)
    chance = rng.random()
    if chance < 0.08:
        cases.write_to_parties(number=number, text="Est-ce devant le numéro indiqué ?", by=agent, at=moment, ask=True)
        return
    if chance < 0.25:
        day = (stage.at + timedelta(days=rng.randrange(0, 6))).date()
        operations.order_work(
            number=number,
            title=chosen.category.label,
            by=agent,
            at=moment,
            crew=rng.choice(("Équipe nord", "Équipe sud")),
            planned_on=day,
        )
        return
    done_at = min(moment + timedelta(hours=rng.randrange(2, 150)), stage.at)
    if rng.random() < 0.12:
        reason = rng.choice(_REFUSALS)
        operations.close_report(number=number, outcome=Outcome.REFUSED, reason=reason, by=agent, at=done_at)
        return
    if rng.random() < 0.3:
        order = operations.order_work(
            number=number, title=chosen.category.label, by=agent, at=moment, crew="Équipe nord"
        )
        operations.finish_work(
            order_id=order,
            by=agent,
            at=done_at,
            minutes=15 * rng.randrange(1, 16),
            cost_cents=100 * rng.randrange(0, 400),
            text=_ANSWERS.get(code, "L’intervention est faite."),
        )
        return
    reason = _ANSWERS.get(code, "C’est réglé, merci de votre signalement.")
    photos = (Upload("apres.jpg", stage.photos[0]),) if rng.random() < 0.3 else ()
    operations.close_report(number=number, outcome=Outcome.DONE, reason=reason, by=agent, at=done_at, photos=photos)


def _contract(stage: _Stage) -> None:
    """A cleaning contract of the last weeks: most visits proved, some missed, this week's still to come."""
    agent = stage.agent("proprete")
    start = stage.at - timedelta(days=28)
    lon, lat, address = stage.places[0]
    places = tuple(
        operations.PlannedPlace(f"{name}, {address}", lon, lat, days, time(6), time(20))
        for name, days in (("Nettoyage de la halle", "246"), ("Toilettes publiques", "12345"))
    )
    contract = operations.add_contract(
        territory=stage.territory,
        service="proprete",
        name="Nettoyage du marché",
        provider="Onde Propreté (fictif)",
        starts_on=start.date(),
        ends_on=(stage.at + timedelta(days=300)).date(),
        places=places,
        by=None,
        at=start,
        visit_cents=8_000,
        penalty_cents=5_000,
    )
    expect_visits(start + timedelta(days=14), contract_id=contract)
    expect_visits(stage.at, contract_id=contract)
    for one in visits(agent, stage.territory, first=start.date(), last=stage.at.date() - timedelta(days=1)):
        if stage.rng.random() < 0.92:
            seen = datetime.combine(one.day, time(9, stage.rng.randrange(60)), tzinfo=stage.at.tzinfo)
            operations.prove_visit(visit_id=one.id, lon=lon, lat=lat, seen_at=seen, by=agent, at=seen)
    note_missing_visits(stage.at)


def _desk(stage: _Stage) -> None:
    for title, text, outcome in (
        ("Enlevé", "Le dépôt du {adresse} est enlevé. Merci de votre signalement {numero}.", "done"),
        ("Domaine privé", "Le lieu est privé : nous prévenons son propriétaire.", "elsewhere"),
        ("Rien trouvé", "Notre agent n’a rien trouvé à l’adresse indiquée.", "refused"),
    ):
        operations.save_template(
            territory=stage.territory, title=title, text=text, outcome=outcome, by=None, at=stage.at
        )


def public_places(folder: Path, *, most: int = 400) -> list[tuple[float, float, str]]:
    """Return addresses of the town, evenly drawn from its own file: longitude, latitude, words."""
    with folder.open(encoding="utf-8", newline="") as handle:
        first = handle.readline()
        handle.seek(0)
        rows = list(csv.DictReader(handle, delimiter=";" if ";" in first else ","))
    step = max(1, len(rows) // most)
    return [
        (float(row["lon"]), float(row["lat"]), f"{row['numero']} {row['nom_voie']}".strip())
        for row in rows[::step][:most]
    ]
