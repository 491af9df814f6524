"""What `bench reports` does in the registry: a town to report in, what is in it, 200,000 reports, questions."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

TOWN = "00001"
SERVICES = ("proprete", "voirie")
LON, LAT = 3.8767, 43.6108
_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
_CASE = (
    "id", "territory", "kind", "category", "service", "access", "status", "outcome", "description", "published",
    "answer", "opened_at", "changed_at", "due_rule", "due_at", "reopened",
)  # fmt: skip
_REPORT = (
    "case_id", "use_case", "lon", "lat", "cell", "address", "street", "district", "dataset", "feature", "details",
    "private_details", "match_key", "lasting", "still_there", "gone", "source",
)  # fmt: skip


def _start() -> None:
    from beffroi.config.cli import start_django

    start_django()


def prepare_reports() -> dict[str, Any]:
    """Make an empty registry hold a town where one can report, and a key to do so."""
    import shapely

    _start()
    from django.core.management import call_command

    from beffroi.base.catalogue import operations as catalogue
    from beffroi.base.catalogue import queries
    from beffroi.base.catalogue.definition import OPEN_STATES, State
    from beffroi.base.territory import operations as territory

    call_command("migrate", interactive=False, verbosity=0)
    square = shapely.box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)
    territory.add_commune(code=TOWN, name="Banc d'essai", at=_AT, contour=square, fictional=True)
    for slug in SERVICES:
        territory.add_service(territory=TOWN, slug=slug, name=slug, at=_AT)
    for use_case in ("1-01", "1-02"):
        if queries.state_of(use_case, TOWN) not in OPEN_STATES:
            catalogue.set_state(use_case, State.PILOT, territory=TOWN, by=None, at=_AT, reason="bench")
    key = territory.create_api_key(
        territory=TOWN,
        name="bench",
        scopes=["reports:write"],
        expires_at=datetime.now(tz=UTC) + timedelta(days=1),
        by=None,
        at=_AT,
    )
    return {"key": key}


def check_reports(*, path: str) -> dict[str, Any]:
    """Tell how many sendings acknowledged (key: number, in a file) are not in the registry so, or are there twice."""
    _start()
    acknowledged = json.loads(Path(path).read_text(encoding="utf-8"))
    from django.db import connection

    from beffroi.serve.cases.queries import number_of

    with connection.cursor() as cursor:
        cursor.execute("SELECT c.id, c.idempotency_key FROM cases_case c JOIN reports_report r ON r.case_id = c.id")
        rows = cursor.fetchall()
    found: dict[str, list[str]] = {}
    for case_id, key in rows:
        found.setdefault(str(key), []).append(number_of(case_id))
    lost = sum(found.get(key, [""])[0] != number for key, number in acknowledged.items())
    return {"lost": lost, "twice": sum(len(numbers) > 1 for numbers in found.values())}


def _fill(count: int) -> None:
    """Write open reports of one service straight into the tables, as years of use would have."""
    from django.db import connection, transaction

    from beffroi.serve.reports.places import cell_of

    rng = random.Random(1)  # noqa: S311 - a benchmark, the same each time
    categories = ("depot-sauvage", "corbeille-pleine", "tag-graffiti", "dejections-canines", "megots-dechets")
    cases, rows = [], []
    for key in range(1, count + 1):
        opened = _AT - timedelta(minutes=rng.randrange(500_000))
        lon, lat = LON + rng.uniform(-0.05, 0.05), LAT + rng.uniform(-0.04, 0.04)
        cases.append((
            key, TOWN, "report", rng.choice(categories), "proprete", "public", "received", "", "Un matelas", False,
            "", opened, opened, "signalements.proprete", opened + timedelta(hours=48), 0,
        ))  # fmt: skip
        rows.append((
            key, "1-01", lon, lat, cell_of(lon, lat), "rue du Four", "rue du Four", "", "", "", "{}", "{}", "", False,
            0, 0, "web",
        ))  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, values in (("cases_case", _CASE, cases), ("reports_report", _REPORT, rows)):
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for one in values:
                        copy.write_row(one)
            else:
                cursor.executemany(_insert(table, columns), values)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence('cases_case', 'id'), %s)", [count])
            cursor.execute("VACUUM")
        cursor.execute("ANALYZE")


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - ours


def ask_filled_reports(*, count: int) -> dict[str, Any]:
    """Time the queue of a service, the report that follows one, and the duplicates, among `count` open reports."""
    _start()
    from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
    from beffroi.serve.reports import queries

    _fill(count)
    agent = Viewer(1, (Grant(TOWN, Role.AGENT, frozenset(SERVICES)),))
    rng, client = random.Random(2), _signed_in_agent()  # noqa: S311
    numbers = [one.number for page in (1, 400, 2000) for one in queries.queue(agent, TOWN, at=_AT, page=page).items]

    def similar() -> object:
        lon, lat = LON + rng.uniform(-0.05, 0.05), LAT + rng.uniform(-0.04, 0.04)
        return queries.similar_reports(
            ANONYMOUS, TOWN, category="depot-sauvage", lon=lon, lat=lat, at=_AT, text="un matelas"
        )

    return {
        "page": _timed([partial(client.get, "/agent/signalements/", {"page": page}) for page in range(1, 21)]),
        "following": _timed(
            [partial(queries.following, agent, TOWN, after=one, at=_AT) for one in rng.choices(numbers, k=60)]
        ),
        "similar": _timed([similar] * 200),
    }


def _signed_in_agent() -> Any:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from beffroi.base.territory import operations as territory
    from beffroi.base.territory.viewer import Role

    settings.ALLOWED_HOSTS, settings.STRONG_AUTH = ["testserver"], False
    person = territory.create_person(email="agent@exemple.fr", name="Camille", password=None, at=_AT)
    territory.grant_role(person_id=person, territory=TOWN, role=Role.AGENT, services=SERVICES, by=None, at=_AT)
    client = Client()
    client.force_login(get_user_model()._default_manager.get(pk=person))
    return client


def _timed(calls: Sequence[Callable[[], object]]) -> dict[str, float]:
    """Return median, 95th percentile and processor time of calls, in ms, and the queries of one, once warm."""
    import numpy as np
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    calls[0]()
    with CaptureQueriesContext(connection) as captured:
        calls[0]()
    queries, times, spent = len(captured), [], []
    for call in calls:
        start, cpu = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - start) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
    median, most = np.percentile(times, [50, 95])
    return {"median": float(median), "p95": float(most), "cpu": float(np.median(spent)), "queries": queries}
