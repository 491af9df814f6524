"""Build the fictional town of a demonstration: files, registry, people, data. Done again, it only completes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.config.cli import start_django
from beffroi.lake.town import Town, write_town

Tell = Callable[[str, float], None]
Extent = tuple[float, float, float, float]

KEY_LIFE = timedelta(days=365)
# The town's relief is a grid, which is no table: it has its own place in the lake.
GRIDS = (".asc",)


class DemoRefused(BeffroiError):
    """The demonstration cannot run here."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Someone of the fictional town; `role` is how the demonstration calls her."""

    role: str
    email: str
    name: str
    territory: str
    grant: Role
    services: tuple[str, ...] = ()


PEOPLE = (
    DemoPerson("resident", "habitante@valbruyere.example", "Camille Rivebelle", "00001", Role.RESIDENT),
    DemoPerson(
        "agent",
        "agent@valbruyere.example",
        "Dominique Aulnoisel",
        "00001",
        Role.AGENT,
        (
            "economie",
            "education",
            "espaces-verts",
            "habitat",
            "police-municipale",
            "proprete",
            "proprietaires",
            "solidarites",
            "sports",
            "vie-locale",
            "voirie",
        ),
    ),
    DemoPerson("elected", "elue@valbruyere.example", "Claude Sauleterre", "00001", Role.ELECTED),
    DemoPerson("administrator", "admin@valbruyere.example", "Sacha Delonde", "00001", Role.ADMINISTRATOR),
    DemoPerson("neighbour_agent", "agent@saint-aubepin.example", "Morgan Landemare", "00002", Role.AGENT),
)
SERVICES = (
    ("proprete", "Propreté"),
    ("voirie", "Voirie et éclairage"),
    ("habitat", "Habitat"),
    ("espaces-verts", "Espaces verts"),
    ("education", "Éducation"),
    ("urbanisme", "Urbanisme"),
    ("police-municipale", "Police municipale"),
    ("solidarites", "Solidarités"),
    ("sports", "Sports"),
    ("economie", "Commerce et économie"),
    ("vie-locale", "Associations, culture et sports"),
    ("proprietaires", "Propriétaires de locaux (accès tracé)"),
)
_KEYS = (
    ("Démonstration : lecture publique", ()),
    ("Démonstration : lecture des agents", ("data:agents",)),
    ("Démonstration : signalements (Open311)", ("reports:write",)),
    ("Démonstration : capteurs (SensorThings)", ("observations:write",)),
    ("Démonstration : logiciel d’un bailleur", ("stock", "stock:000000018")),
)


def build(folder: Path, *, population: int, passwords: dict[str, str], tell: Tell) -> list[dict[str, Any]]:
    """Build the town under `folder` and in the registry; return new API keys (name, key, scopes).

    `passwords` gives the password of each person by e-mail. `tell` receives what is being done and the share done.

    Raises:
        DemoRefused: the registry holds a real commune, or a file of the town cannot be imported.
    """
    town = write_town(folder / "town", population=population, progress=lambda what, share: tell(what, share * 0.3))
    lake = folder / "lake"
    with _importing(town, lake) as waiting:
        tell("Registre", 0.3)
        start_django()
        keys = _registry(town, passwords)
        _relief(town, lake)
        _collect(waiting, tell)
    from beffroi.base.kernel.time import now
    from beffroi.lake.operations import announce_published
    from beffroi.sense.mobility.operations import build_graph
    from beffroi.sense.mobility.transit.operations import build_timetables
    from beffroi.sense.places.operations import index_everything

    tell("Graphe des rues", 0.97)
    build_graph(town.insee, at=now(), terrain=town.folder / "relief" / "mnt_25m.asc")
    tell("Horaires des bus", 0.975)
    build_timetables(town.insee, at=now())
    announce_published(at=now())
    tell("Index de recherche", 0.98)
    # The worker would make them too, but after the address is told: the first search would find nothing.
    index_everything()
    _directories(town)
    _reports(town, tell)
    _buildings(town)
    _streets(town)
    return keys


def _directories(town: Town) -> None:
    """Keep the signed acts of the council, and make the directories: their first reader should not wait."""
    from beffroi.sense.places.directory.operations import keep_deposited, make_directories

    keep_deposited(town.insee, town.folder / "vie_municipale" / "deliberations")
    make_directories(town.insee)


def _buildings(town: Town) -> None:
    """Give the landmarks of the town their works and the state they were found in, and a landlord its stock."""
    from beffroi.base.kernel.time import now
    from beffroi.config.demo.buildings import add_lives
    from beffroi.config.demo.stock import add_stock

    add_lives(town.insee, at=now())
    add_stock(town.insee, at=now())


def _streets(town: Town) -> None:
    """Give the town works in its streets and its rounds, for its worker to compute."""
    from beffroi.base.kernel.time import now
    from beffroi.config.demo.outreach import add_outreach
    from beffroi.config.demo.streets import add_streets_at_work

    add_streets_at_work(town.insee, at=now())
    add_outreach(town.insee, at=now())


def _reports(town: Town, tell: Tell) -> None:
    """Give the town the reports of its last weeks, in the categories that are open."""
    from beffroi.base.kernel.time import now
    from beffroi.config.demo.reports import add_reports, public_places

    tell("Signalements", 0.99)
    places = public_places(town.folder / "adresses" / f"adresses-{town.insee}.csv")
    add_reports(town.insee, places=places, at=now(), resident_email=PEOPLE[0].email)
    from beffroi.config.demo.offers import add_offers, add_proposal

    add_offers(town.insee, places=places, emails=[one.email for one in PEOPLE[:3]], at=now())
    add_proposal(town.insee, places=places, at=now())
    from beffroi.config.demo.claims import add_claims

    add_claims(town.insee, places=places, emails=[PEOPLE[0].email, PEOPLE[2].email], at=now())
    from beffroi.config.demo.trends import add_trends

    add_trends(town.insee, agent=PEOPLE[1].email, owner=PEOPLE[0].email, at=now())
    from beffroi.config.demo.bookings import add_bookings

    add_bookings(town.insee, places=places, at=now(), resident_email=PEOPLE[0].email)
    from beffroi.config.demo.slots import add_slots

    add_slots(town.insee, at=now(), resident_email=PEOPLE[0].email)
    from beffroi.config.demo.bills import add_bills

    add_bills(town.insee, resident_email=PEOPLE[0].email, agent_email=PEOPLE[1].email, at=now())
    from beffroi.config.demo.sensors import add_sensors

    add_sensors(town.insee, places=places, at=now())
    from beffroi.config.demo.procedures import add_procedures

    add_procedures(town.insee, places=places, at=now(), resident_email=PEOPLE[0].email)
    from beffroi.config.demo.alerts import add_alerts

    add_alerts(town.insee, places=places, author=PEOPLE[1].email, approver=PEOPLE[3].email, at=now())


def _registry(town: Town, passwords: dict[str, str]) -> list[dict[str, Any]]:
    from beffroi.base.kernel.time import now
    from beffroi.config.migrating import migrate

    migrate()
    at = now()
    _refuse_real_communes()
    _add_territories(town, at)
    _add_people(passwords, at)
    return _add_keys(town.insee, at)


def _refuse_real_communes() -> None:
    """Never open a real town to the passwords of a demonstration."""
    from beffroi.base.territory import queries

    real = [commune.name for commune in queries.communes() if not commune.fictional]
    if real:
        raise DemoRefused(
            "ce registre est celui de {names}",
            where="beffroi demo",
            remedy="donnez un autre dossier : --data-dir, et pas de DATABASE_URL",
            names=", ".join(real[:3]),
        )


def _add_territories(town: Town, at: datetime) -> None:
    from beffroi.base.territory import operations

    shapes = {item["properties"]["INSEE_COM"]: _shape(item) for item in town.shapes("referentiels/communes.geojson")}
    rows = ((town.insee, town.name, town.population), *town.neighbours)
    for code, name, population in rows:
        operations.add_commune(code=code, name=name, at=at, population=population, contour=shapes[code], fictional=True)
    siren, name = town.grouping
    operations.add_grouping(
        siren=siren,
        name=name,
        at=at,
        kind="CC",
        members=[code for code, _, _ in rows],
        population=sum(row[2] for row in rows),
        contour=shapely.union_all(list(shapes.values())),
        fictional=True,
    )
    for kind, path, label in (("quartier", "quartiers", "nom"), ("bureau-de-vote", "bureaux_vote", "numeroBureauVote")):
        for item in town.shapes(f"referentiels/{path}.geojson"):
            operations.add_zone(
                territory=town.insee, kind=kind, name=str(item["properties"][label]), shape=_shape(item), at=at
            )
    for code, _, _ in rows:
        for slug, service in SERVICES:
            operations.add_service(territory=code, slug=slug, name=service, at=at)


def _shape(feature: dict[str, Any]) -> Any:
    import json

    return shapely.from_geojson(json.dumps(feature["geometry"]))


def _add_people(passwords: dict[str, str], at: datetime) -> None:
    from beffroi.base.territory import operations, queries

    for person in PEOPLE:
        known = queries.person_by_email(person.email)
        number = (
            known.id
            if known
            else operations.create_person(email=person.email, name=person.name, password=passwords[person.email], at=at)
        )
        operations.grant_role(
            person_id=number,
            territory=person.territory,
            role=person.grant,
            services=person.services,
            by=None,
            at=at,
        )


def _add_keys(territory: str, at: datetime) -> list[dict[str, Any]]:
    from beffroi.base.territory import operations

    return [
        {
            "name": name,
            "scopes": list(scopes),
            "key": operations.create_api_key(
                territory=territory, name=name, scopes=scopes, expires_at=at + KEY_LIFE, by=None, at=at
            ),
        }
        for name, scopes in _KEYS
    ]


# --- Data ------------------------------------------------------------------------------------------------------------


@contextmanager
def _importing(town: Town, lake: Path) -> Iterator[Sequence[Future[tuple[str, str]]]]:
    """Import the files of the town in child processes, the largest first; yield what is under way."""
    from beffroi.base.kernel.time import now

    files = [item.path for item in town.files if not item.path.endswith(GRIDS)]
    files.sort(key=lambda path: -(town.folder / path).stat().st_size)
    at = now()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        max(2, min(4, os.cpu_count() or 1)), mp_context=context, initializer=_end_with_the_demonstration
    )
    try:
        yield [pool.submit(import_file, town.folder / path, town.insee, town.bbox, lake, at) for path in files]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _relief(town: Town, lake: Path) -> None:
    from beffroi.base.kernel.time import now
    from beffroi.lake.operations import import_terrain

    licence = "Licence Ouverte 2.0 (ville fictive)"
    for item in town.files:
        if item.path.endswith(GRIDS):
            path = town.folder / item.path
            import_terrain(path, lake=lake, territory=town.insee, at=now(), producer="IGN (fictif)", licence=licence)


def _end_with_the_demonstration() -> None:
    """End this process when the one that started it is gone: killed, it would leave it waiting for ever."""
    demonstration = multiprocessing.parent_process()
    if demonstration is None:
        return

    def wait() -> None:
        demonstration.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def import_file(path: Path, territory: str, extent: Extent, lake: Path, at: datetime) -> tuple[str, str]:
    """Import one file of the town and bake its tiles; return its name and why it was refused ("" when it was not).

    The worker would bake them too, but after the address is told: the first map would open empty.
    """
    start_django()
    from beffroi.lake.beside import definitions_of
    from beffroi.lake.definitions import Definition, load_definitions
    from beffroi.lake.operations import ImportStatus, import_source
    from beffroi.lake.reading import ReadOptions
    from beffroi.lake.store import Lake
    from beffroi.lake.tasks import bake_missing_tiles

    definitions, _ = load_definitions()
    found: list[Definition | None] = [*definitions_of(path, territory, definitions)]
    for definition in found or [None]:
        outcome = import_source(
            path,
            territory=territory,
            at=at,
            definition=definition,
            options=ReadOptions(extent=extent),
            lake=lake,
            announce=False,
        )
        for part in outcome.parts or (outcome,):
            if part.version is not None:
                bake_missing_tiles(Lake(lake), part.ref, part.version)
        if outcome.status is ImportStatus.REFUSED:
            return path.name, str(outcome.reason)
    return path.name, ""


def _collect(waiting: Sequence[Future[tuple[str, str]]], tell: Tell) -> None:
    for count, future in enumerate(as_completed(waiting), start=1):
        name, reason = future.result()
        if reason:
            raise DemoRefused("import refusé : {reason}", where=name, remedy="signalez ce défaut", reason=reason)
        tell(f"Import : {name}", 0.32 + 0.64 * count / len(waiting))
