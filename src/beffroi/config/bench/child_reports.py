"""What `bench reports` does in the registry: a town to report in, 200,000 reports, questions, hostile sendings."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

TOWN = "00001"
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


def prepare_reports() -> dict[str, Any]:
    """Make an empty registry hold a town where one can report, and a key to do so."""
    import shapely

    from beffroi.config.cli import start_django

    start_django()
    from django.core.management import call_command

    from beffroi.base.catalogue import operations as catalogue
    from beffroi.base.catalogue import queries
    from beffroi.base.catalogue.definition import OPEN_STATES, State
    from beffroi.base.territory import operations as territory

    call_command("migrate", interactive=False, verbosity=0)
    square = shapely.box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)
    territory.add_commune(code=TOWN, name="Banc d'essai", at=_AT, contour=square, fictional=True)
    for slug in ("proprete", "voirie"):
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


def check_reports(*, acknowledged: dict[str, str]) -> dict[str, Any]:
    """Tell how many acknowledged sendings are not in the registry under their number, or are there twice."""
    from beffroi.config.cli import start_django

    start_django()
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
        cursor.executemany(_insert("cases_case", _CASE), cases)
        cursor.executemany(_insert("reports_report", _REPORT), rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - ours


def ask_filled_reports(*, count: int) -> dict[str, Any]:
    """Time the queue of a service and the search of duplicates among `count` open reports."""
    prepare_reports()
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
    from beffroi.serve.reports import queries

    _fill(count)
    agent = Viewer(1, (Grant(TOWN, Role.AGENT, frozenset({"proprete", "voirie"})),))
    reset_queries()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        queries.queue(agent, TOWN, at=_AT)
    queue_times = []
    for page in range(1, 21):
        start = time.perf_counter()
        queries.queue(agent, TOWN, at=_AT, page=page)
        queue_times.append((time.perf_counter() - start) * 1000)
    rng, times = random.Random(2), []  # noqa: S311
    for _ in range(200):
        lon, lat = LON + rng.uniform(-0.05, 0.05), LAT + rng.uniform(-0.04, 0.04)
        start = time.perf_counter()
        queries.similar_reports(ANONYMOUS, TOWN, category="depot-sauvage", lon=lon, lat=lat, at=_AT, text="un matelas")
        times.append((time.perf_counter() - start) * 1000)
    return {
        "queue_ms": float(np.median(queue_times)),
        "queries": len(captured),
        "similar_ms": float(np.median(times)),
        "similar_p95_ms": float(np.percentile(times, 95)),
    }


# --- Hostile sendings -------------------------------------------------------------------------------------------------

_TEXTS = (
    "<script>alert(1)</script>", "a\x00b", "x" * 5000, "\ud800", "<!--", "\x1b[31m", "<b>" * 900, "\x7f", "<img src=x>",
)  # fmt: skip
_NUMBERS = ("", "nan", "inf", "1e999", "-91", "181", "abc", "٤٣", "43,61", "0x2b", "4" * 400, "48.85", "None", "[]")
_BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 5000,
    b'{"lat": {"a": 1}}',
    b'{"attribute": []}',
    b"\x00" * 100,
)


def hostile_sendings(count: int, key: str) -> list[tuple[bytes, str]]:
    """Return `count` bodies that no report can be made of, each with its content type; the same ones each time."""
    from urllib.parse import urlencode

    rng = random.Random(311)  # noqa: S311
    good = {"api_key": key, "service_code": "depot-sauvage", "lat": str(LAT), "long": str(LON)}
    made = []
    for _ in range(count):
        kind = rng.randrange(7)
        if kind == 0:
            made.append((rng.choice(_BODIES), "application/json"))
            continue
        fields = dict(good)
        if kind == 1:
            fields["description"] = rng.choice(_TEXTS)
        elif kind == 2:
            fields[rng.choice(("lat", "long"))] = rng.choice(_NUMBERS)
        elif kind == 3:
            fields[rng.choice(("service_code", "jurisdiction_id"))] = rng.choice(
                ("licorne", "squat", "x" * 300, "../..", "\x00")
            )
        elif kind == 4:
            fields[f"attribute[{rng.choice(('a', 'x' * 50, '%', chr(233)))}]"] = "1"
        elif kind == 5:
            fields[rng.choice(("email", "phone"))] = rng.choice(("pas une adresse", "@", "a@b", "\x00", "x" * 500))
        else:
            made.append(_broken_photo(good, rng))
            continue
        try:
            body = urlencode(fields).encode()
        except UnicodeEncodeError:
            body = json.dumps(fields).encode()
            made.append((body, "application/json"))
            continue
        made.append((body, "application/x-www-form-urlencoded"))
    return made


def _broken_photo(good: dict[str, str], rng: random.Random) -> tuple[bytes, str]:
    content = rng.choice((
        b"\xff\xd8\xff\xe0" + rng.randbytes(200), b"\x89PNG\r\n\x1a\n" + rng.randbytes(200),
        b"GIF89a" + rng.randbytes(50),
        b"%PDF-1.7", b"RIFF0000WEBP" + rng.randbytes(80), b"<svg/>", b"PK\x03\x04" + rng.randbytes(60),
    ))  # fmt: skip
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in good.items()
    ]
    parts.append(
        b'--b\r\nContent-Disposition: form-data; name="media"; filename="p.jpg"\r\n\r\n' + content + b"\r\n--b--\r\n"
    )
    return b"".join(parts), "multipart/form-data; boundary=b"


def send_hostile_reports(*, count: int) -> dict[str, Any]:
    """Send bodies that no report can be made of, in this process, and count what was answered."""
    key = prepare_reports()["key"]
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client(raise_request_exception=False)
    refused, wrong = 0, []
    start = time.process_time()
    for body, content_type in hostile_sendings(count, key):
        answer = client.post("/open311/v2/requests.json", body, content_type=content_type)
        said = answer.json() if answer["Content-Type"].startswith("application/json") else []
        if 400 <= answer.status_code < 500 and said and said[0]["description"]:
            refused += 1
        else:
            wrong.append((answer.status_code, body[:120].decode("latin-1")))
    spent = time.process_time() - start
    return {"refused": refused, "wrong": len(wrong), "samples": wrong[:5], "cpu_ms": spent * 1000 / count}
