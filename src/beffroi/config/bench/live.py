"""Sensors: readings accepted by SensorThings over HTTP, and a day of a series read among millions."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from beffroi.config.bench.measure import BenchFailed, in_child
from beffroi.config.bench.report import Table, number
from beffroi.config.bench.reports.load import free_port, web

TOWN, SERIES, BATCH, DAYS_READ = "99998", 10, 100_000, 200
EVERY_S = 30
_PHASES = (("une à une", 1, 1), ("une à une", 4, 1), ("par tableaux de 1 000", 1, 1_000))


def measure_live(home: Path, *, held_count: int, seconds: float, told: Callable[[str], None]) -> Table:
    """Measure on a registry that holds `held_count` readings, and return the figures; leaves nothing behind it."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    told(f"{number(held_count)} mesures…")
    at = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=25)
    held = in_child("fill_live", readings=held_count, until=at.isoformat())
    table = Table(
        "live",
        f"Capteurs, sur un registre de {number(held_count)} mesures",
        ("quoi", "clients", "mesures/s", "médiane (ms)", "p95 (ms)"),
        notes=(
            "SensorThings par HTTP, un processus web, écriture durable ; client et serveur sur les mêmes cœurs.",
            "Chaque mesure acquittée est comptée ensuite dans le registre. Ailleurs : FROST, « 5 000 insertions par "
            "seconde en parallèle sur SSD » (son mainteneur) ; istSOS4, 1 417 mesures/s par tableaux de 500 et 679 une "
            "à une, mesuré sur cette machine un autre jour.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[0], 1)} pour {os.cpu_count()} cœurs.",
        ),
    )  # fmt: skip
    table.rows.append(("remplissage, dans le processus", "1", number(held["per_second"]), "", ""))
    port, acknowledged = free_port(), 0
    with web(port, workers=1):
        for phase, (what, clients, size) in enumerate(_PHASES):
            told(f"{what}, {clients} client(s)…")
            sent, times, took = _sent(port, held, clients=clients, size=size, seconds=seconds, phase=phase, at=at)
            acknowledged += sent
            times.sort()
            table.rows.append((
                what, number(clients), number(sent / took), number(times[len(times) // 2], 1),
                number(times[int(len(times) * 0.95)], 1),
            ))  # fmt: skip
    found = in_child("read_live", expected=held_count + acknowledged, until=at.isoformat())
    if found["lost"]:
        raise BenchFailed("des mesures acquittées manquent : {n}", where="bench live", n=found["lost"])
    table.rows += [(what, "1", "", number(median, 2), number(p95, 2)) for what, median, p95 in found["reads"]]
    shutil.rmtree(home)
    return table


def _sent(
    port: int, held: dict[str, Any], *, clients: int, size: int, seconds: float, phase: int, at: datetime
) -> tuple[int, list[float], float]:
    """Send for so long and return how many readings were acknowledged, the time of each request, how long it took."""
    end, lock, times, sent = time.perf_counter() + seconds, threading.Lock(), [], [0]
    faults: list[str] = []
    begun = time.perf_counter()

    def send(rank: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {held['key']}", "Content-Type": "application/json"}
        stream = held["streams"][rank]
        for path, body in _bodies(stream, size, phase=phase, at=at):
            if time.perf_counter() > end:
                break
            asked = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 201 or b"error" in told:
                faults.append(told[:200].decode())
                break
            with lock:
                times.append((time.perf_counter() - asked) * 1_000)
                sent[0] += size
        connection.close()

    threads = [threading.Thread(target=send, args=(rank,)) for rank in range(clients)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if faults:
        raise BenchFailed("refusé : {fault}", where="bench live", fault=faults[0])
    return sent[0], times, time.perf_counter() - begun


def _bodies(stream: int, size: int, *, phase: int, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield requests whose instants no other phase has, nor the filling: they end by their own millisecond."""
    for turn in count():
        instants = [
            (at + timedelta(milliseconds=1 + phase + 10 * (turn * size + rank))).isoformat(timespec="milliseconds")
            for rank in range(size)
        ]
        if size == 1:
            body: Any = {"phenomenonTime": instants[0], "result": 20.5}
            yield f"/sta/v1.1/Datastreams({stream})/Observations", json.dumps(body)
        else:
            body = [{
                "Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"],
                "dataArray": [[one, 20.5] for one in instants],
            }]  # fmt: skip
            yield "/sta/v1.1/CreateObservations", json.dumps(body)


# --- In processes of their own ---------------------------------------------------------------------------------------


def fill_live(*, readings: int, until: str) -> dict[str, Any]:
    """Make an empty registry hold ten series of `readings` together, and a key that sends more."""
    from beffroi.config.cli import start_django

    start_django()
    at = datetime.fromisoformat(until)
    from django.core.management import call_command
    from django.db import transaction

    from beffroi.base.territory import operations as territory
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.sense.live import operations
    from beffroi.sense.live.definition import ms_of
    from beffroi.sense.live.storing import insert_observations

    call_command("migrate", interactive=False, verbosity=0)
    territory.add_commune(code=TOWN, name="Banc d'essai", at=at, fictional=True)
    viewer = Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"observations:write"}))
    streams = []
    for rank in range(SERIES):
        draft = operations.ThingDraft(f"Capteur {rank}", 3.0, 45.0, access="public")
        thing = operations.add_thing(viewer, TOWN, draft, at=at)
        draft_of = operations.StreamDraft("temperature", unit_symbol="°C", keep_days=3_660)
        streams.append(operations.add_stream(viewer, thing, draft_of))
    last, step = ms_of(at), EVERY_S * 1_000
    begun = time.perf_counter()
    for start in range(0, readings, BATCH):
        batch = [
            (streams[rank % SERIES], last - rank // SERIES * step, 20.0 + rank % 7, 0)
            for rank in range(start, min(readings, start + BATCH))
        ]
        with transaction.atomic():
            insert_observations(batch)
    took = time.perf_counter() - begun
    key = territory.create_api_key(
        territory=TOWN, name="bench", scopes=["observations:write"], by=None, at=at,
        expires_at=datetime.now(tz=UTC) + timedelta(days=1),
    )  # fmt: skip
    return {"key": key, "streams": streams, "per_second": readings / took}


def read_live(*, expected: int, until: str) -> dict[str, Any]:
    """Count the readings lost, then read whole days of series, in the process and as SensorThings answers them."""
    from beffroi.config.cli import start_django

    start_django()
    at = datetime.fromisoformat(until)
    import numpy as np

    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.sense.live import queries
    from beffroi.sense.live.sta.asked import asked_of
    from beffroi.sense.live.sta.reading import Reader, answer

    known = [stream for one in queries.things(ANONYMOUS, TOWN, at=at) for stream in one.streams]
    reader = Reader(ANONYMOUS, TOWN, "http://localhost/sta/v1.1")
    days = [at - timedelta(days=1 + (37 * rank) % 300) for rank in range(DAYS_READ)]

    def page(stream: int, day: datetime) -> Any:
        text = f"phenomenonTime ge {day.isoformat()} and phenomenonTime lt {(day + timedelta(days=1)).isoformat()}"
        return answer(reader, f"Datastreams({stream})/Observations", asked_of({"$filter": text, "$top": "1000"}))

    def last(_stream: int, _day: datetime) -> Any:
        opened = "Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))"
        return answer(reader, "Things", asked_of({"$expand": opened}))

    asks: tuple[tuple[str, Callable[[int, datetime], Any]], ...] = (
        ("un jour d’une série (2 880 mesures)",
         lambda stream, day: queries.readings(known[stream], day, day + timedelta(days=1))),
        ("sa première page SensorThings (1 000)", lambda stream, day: page(known[stream].id, day)),
        ("la dernière mesure de dix choses ($expand)", last),
    )  # fmt: skip
    reads = []
    for what, ask in asks:
        times = []
        for rank, day in enumerate(days):
            begun = time.perf_counter()
            ask(rank % len(known), day)
            times.append((time.perf_counter() - begun) * 1_000)
        reads.append((what, float(np.median(times)), float(np.percentile(times, 95))))
    return {"lost": expected - queries.count_of_readings(TOWN), "reads": reads}
