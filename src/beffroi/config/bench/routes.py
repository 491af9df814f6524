"""Routes: inside the process and through HTTP, beside Valhalla on the same extract, with and without obstacles."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.config.bench.measure import BenchFailed
from beffroi.config.bench.two_towns import write_extract
from beffroi.config.bench.valhalla import ask, free_port, valhalla_server
from beffroi.sense.mobility.vocabulary import Kind

TOWN = "00001"
OBSTACLES = 1000
CHANGES = 100
PROFILES = (("a-pied", "pedestrian"), ("fauteuil-manuel", "wheelchair"))
Place = tuple[float, float]
Say = Callable[[str], None]


@dataclass(slots=True)
class Measured:
    """What was measured: lines of (what, profile, obstacles, times in ms), and facts in words."""

    lines: list[tuple[str, str, int, list[float]]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def measure_routes(folder: Path, *, population: int, pairs: int, wheel: Path | None, say: Say) -> Measured:
    """Measure on two towns of `population` inhabitants, over `pairs` random pairs of places; Django is started here."""
    home, extract = folder / "itineraires", folder / "itineraires" / f"deux-villes-{population}.osm.pbf"
    os.environ |= {"BEFFROI_DATA_DIR": str(home), "DATABASE_URL": "", "BEFFROI_COMMUNE": TOWN}
    say("Deux villes, un extrait OpenStreetMap…")
    if not extract.exists():
        write_extract(extract, population=population)
    _registry(home)
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility import operations, store, warming
    from beffroi.sense.mobility.profiles import load_profiles

    measured = Measured()
    begun = time.perf_counter()
    (store.home(TOWN) / "current").unlink(missing_ok=True)
    operations.build_graph(TOWN, at=now(), extract=extract, announce=False)
    built = time.perf_counter() - begun
    begun = time.perf_counter()
    warming.warm_graph(TOWN)
    ready = time.perf_counter() - begun
    router = store.router_of(TOWN)
    measured.facts.append(f"Graphe : {len(router.graph)} tronçons, soit {2 * len(router.graph)} arcs, "
                          f"bâti en {built:.1f} s de l'extrait ; repères des "
                          f"{len(load_profiles()[0])} profils, gardés sur le disque, en {ready:.1f} s.")  # fmt: skip
    rng = np.random.default_rng(1)
    # On streets that every profile may use: a wheelchair has no business in the fields.
    streets = np.flatnonzero(router.graph.columns["kind"] != Kind.TRACK)
    drawn = zip(rng.choice(streets, 2 * pairs), rng.random(2 * pairs), strict=True)
    places = [router.place(int(one), float(share)) for one, share in drawn]
    asked = list(zip(places[:pairs], places[pairs:], strict=True))
    spots = [router.place(int(one), 0.5) for one in rng.integers(0, len(router.graph), OBSTACLES)]
    lengths = {obstacles: _ours(measured, asked, spots if obstacles else [], say) for obstacles in (0, OBSTACLES)}
    if wheel is not None:
        _theirs(measured, wheel, extract, home / "valhalla", asked, spots, lengths[0], say)
    return measured


def _registry(home: Path) -> None:
    from beffroi.config.cli import start_django

    home.mkdir(parents=True, exist_ok=True)
    start_django()
    from django.core.management import call_command

    from beffroi.base.kernel.time import now
    from beffroi.base.territory import operations
    from beffroi.sense.mobility import operations as mobility
    from beffroi.sense.mobility import queries

    call_command("migrate", interactive=False, verbosity=0)
    operations.add_commune(code=TOWN, name="Deux villes", at=now(), population=2, fictional=True)
    # A bench done again on the same registry starts from open streets.
    for one in queries.obstacles(TOWN, now()):
        mobility.end_obstacle(subject=one.subject, at=now())


def _ours(measured: Measured, asked: Sequence[tuple[Place, Place]], spots: Sequence[Place], say: Say) -> dict[str, Any]:
    """Measure our side; return the lengths found on each profile."""
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility import operations, queries, store

    for rank, (lon, lat) in enumerate(spots):
        operations.obstacle_at(territory=TOWN, subject=f"bench:{rank}", kind="rue-fermee", lon=lon, lat=lat, at=now(),
                               radius_m=1.5, announce=False)  # fmt: skip
    router, lengths = store.router_of(TOWN), {}
    for slug, _ in PROFILES:
        say(f"Beffroi, {slug}, {len(spots)} obstacles…")
        profile = queries.profile(slug)
        queries.route(TOWN, profile=profile, start=asked[0][0], goal=asked[0][1], at=now())
        layer = router.layer(profile)

        def search(start: Place, goal: Place, layer: Any = layer) -> Any:
            return router.path(layer, router.spot(*start, layer), router.spot(*goal, layer))

        def whole(start: Place, goal: Place, profile: Any = profile) -> float | None:
            found = queries.route(TOWN, profile=profile, start=start, goal=goal, at=now(), explained=False).routes
            return found[0].length_m if found else None

        measured.lines.append(("recherche seule, dans le processus", slug, len(spots), _timed(search, asked)[0]))
        times, found = _timed(whole, asked)
        lengths[slug] = found
        measured.lines.append(("réponse entière, dans le processus", slug, len(spots), times))
    with _served(Path(os.environ["BEFFROI_DATA_DIR"])) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for slug, _ in PROFILES:
            for explain in ("false", "true"):

                def http(start: Place, goal: Place, slug: str = slug, explain: str = explain) -> None:
                    connection.request("GET", _address(slug, start, goal, explain))
                    connection.getresponse().read()

                for warm in asked[:20]:
                    http(*warm)
                name = "par HTTP" if explain == "false" else "par HTTP, avec « pourquoi »"
                measured.lines.append((name, slug, len(spots), _timed(http, asked)[0]))
        if not spots:
            measured.facts.append(_changes(port, asked, say))
    return lengths


def _address(slug: str, start: Place, goal: Place, explain: str) -> str:
    ends = "&".join(f"{name}={lon:.7f},{lat:.7f}" for name, (lon, lat) in (("from", start), ("to", goal)))
    return f"/api/route?{ends}&profile={slug}&explain={explain}"


def _timed(run: Callable[[Place, Place], Any], asked: Sequence[tuple[Place, Place]]) -> tuple[list[float], list[Any]]:
    times, found = [], []
    for start, goal in asked:
        begun = time.perf_counter()
        found.append(run(start, goal))
        times.append(1000 * (time.perf_counter() - begun))
    return times, found


@contextmanager
def _served(home: Path) -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "from beffroi.config.cli import main; main()",
        "serve",
        "--port",
        str(port),
        "--workers",
        "2",
    ]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"BEFFROI_DATA_DIR": str(home)}
    )
    try:
        for _ in range(300):
            try:
                connection = HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", "/health")
                if connection.getresponse().read() and server.poll() is None:
                    break
            except OSError:
                time.sleep(0.2)
        else:
            raise BenchFailed("beffroi serve ne répond pas", where="bench route", remedy="lancez-le à la main")
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _changes(port: int, asked: Sequence[tuple[Place, Place]], say: Say) -> str:
    """Close a street in the middle of a route, and count how long every connection takes to answer another way."""
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility import operations, queries

    say("Obstacle signalé, route changée…")
    profile, waits = queries.profile("a-pied"), []
    connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(6)]
    for connection in connections:
        # One client until here: the other process has answered nothing yet, and its first answer is not an obstacle's.
        _cost(connection, *asked[0])
    for rank in range(CHANGES):
        start, goal = asked[rank % len(asked)]
        answer = queries.route(TOWN, profile=profile, start=start, goal=goal, at=now(), explained=False)
        if not answer.routes:
            continue
        line = answer.routes[0].coordinates
        lon, lat = line[len(line) // 2].tolist()
        before = round(answer.routes[0].cost_s, 1)
        at: datetime = now()
        operations.obstacle_at(territory=TOWN, subject="bench:change", kind="rue-fermee", lon=lon, lat=lat, at=at,
                               until=at + timedelta(hours=1), announce=False)  # fmt: skip
        begun = time.perf_counter()
        for connection in connections:
            while _cost(connection, start, goal) == before:
                if time.perf_counter() - begun > 10:
                    raise BenchFailed("un obstacle n'a pas changé la route", where="bench route", remedy="signalez-le")
        waits.append(time.perf_counter() - begun)
        operations.end_obstacle(subject="bench:change", at=now(), announce=False)
    told = f"{len(waits)} fois, médiane {1000 * np.median(waits):.0f} ms, pire {1000 * max(waits):.0f} ms"
    return f"Obstacle écrit, puis six connexions à deux processus, jusqu'à ce que toutes répondent autrement : {told}."


def _cost(connection: HTTPConnection, start: Place, goal: Place) -> float | None:
    import json

    connection.request("GET", _address("a-pied", start, goal, "false"))
    features = json.loads(connection.getresponse().read())["features"]
    return float(features[0]["properties"]["cost_s"]) if features else None


def _theirs(
    measured: Measured, wheel: Path, extract: Path, work: Path, asked: Sequence[tuple[Place, Place]],
    spots: Sequence[Place], lengths: dict[str, Any], say: Say,
) -> None:  # fmt: skip
    say("Valhalla…")
    polygons = [_square(place) for place in spots]
    with valhalla_server(wheel, extract, work) as (connection, built):
        measured.facts.append(f"Valhalla : tuiles bâties en {built:.1f} s du même extrait, un fil.")
        for slug, costing in PROFILES:
            for closed in ([], polygons):

                def theirs(start: Place, goal: Place, costing: str = costing, closed: Any = closed) -> float | None:
                    return ask(connection, costing, start, goal, polygons=closed)

                for warm in asked[:20]:
                    theirs(*warm)
                times, found = _timed(theirs, asked)
                measured.lines.append(("Valhalla, par HTTP", slug, len(closed), times))
                if slug == "a-pied" and not closed:
                    measured.facts.append(_compared(lengths[slug], found))


def _square(place: Place) -> list[list[float]]:
    lon, lat = place
    east, north = 1.5 / 77_000, 1.5 / 111_195
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [[lon + dx * east, lat + dy * north] for dx, dy in ring]


def _compared(ours: Sequence[float | None], theirs: Sequence[float | None]) -> str:
    both = np.array([(a, b) for a, b in zip(ours, theirs, strict=True) if a and b and b > 50])
    ratio = both[:, 0] / both[:, 1]
    close = float((np.abs(ratio - 1) <= 0.03).mean())
    longer, shorter = float((ratio > 1.03).mean()), float((ratio < 0.97).mean())
    return (f"Longueurs à pied : à 3 % près sur {close:.1%} de {len(both)} paires ; les nôtres sont plus longues sur "
            f"{longer:.1%}, plus courtes sur {shorter:.1%}.")  # fmt: skip
