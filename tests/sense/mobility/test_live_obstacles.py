"""Obstacles count at the next request, in every process, and end when they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from beffroi.base.journal.models import Event
from beffroi.base.journal.operations import deliver_pending, record
from beffroi.sense.mobility import operations, queries, store, versions
from beffroi.sense.mobility.events import OBSTACLE_ENDED, OBSTACLE_REPORTED
from beffroi.sense.mobility.models import Obstacle
from beffroi.sense.mobility.obstacles import BadObstacle
from registries import copy_registry
from sense.mobility.town_graph import place_graph

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOWN = "00001"


@pytest.fixture
def places(db: None, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    return place_graph(TOWN)


def metres(places: dict[str, tuple[float, float]], at: datetime = AT, profile: str = "a-pied") -> int:
    answer = queries.route(TOWN, profile=queries.profile(profile), start=places["A"], goal=places["B"], at=at)
    return round(answer.routes[0].length_m) if answer.routes else 0


def middle(places: dict[str, tuple[float, float]], a: str, b: str) -> dict[str, float]:
    return {"lon": (places[a][0] + places[b][0]) / 2, "lat": (places[a][1] + places[b][1]) / 2}


def close(places: dict[str, tuple[float, float]], **more: Any) -> int:
    told = {"territory": TOWN, "subject": "report:1", "kind": "rue-fermee", "at": AT} | middle(places, "A", "B")
    return operations.obstacle_at(**(told | more))


def test_it_counts_at_the_next_request_and_no_longer_once_ended(places: dict[str, tuple[float, float]]) -> None:
    assert metres(places) == 100
    close(places)
    assert metres(places) == 180
    operations.end_obstacle(subject="report:1", at=AT)
    assert metres(places) == 100
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [OBSTACLE_REPORTED, OBSTACLE_ENDED]


def test_it_begins_and_expires_by_itself(places: dict[str, tuple[float, float]]) -> None:
    close(places, starts_at=AT + timedelta(hours=1), until=AT + timedelta(hours=2))
    hours = [metres(places, AT + timedelta(minutes=minutes)) for minutes in (0, 61, 119, 121)]
    assert hours == [100, 180, 180, 100]
    assert [one.subject for one in queries.obstacles(TOWN, AT + timedelta(minutes=61))] == ["report:1"]


def test_told_again_it_is_replaced(places: dict[str, tuple[float, float]]) -> None:
    first = close(places)
    assert close(places, kind="eclairage-en-panne") == first
    assert metres(places) == 100
    assert Obstacle.objects.count() == 1


def test_a_slowing_obstacle_still_on_the_way_is_told(places: dict[str, tuple[float, float]]) -> None:
    close(places, kind="trottoir-encombre", label="déménagement", subject="report:2", **middle(places, "B", "E"))
    answer = queries.route(TOWN, profile=queries.profile("a-pied"), start=places["B"], goal=places["E"], at=AT)
    assert [one.label for one in answer.routes[0].obstacles] == ["déménagement"]
    assert answer.routes[0].cost_s > answer.routes[0].time_s


def test_another_writer_only_records_an_event(places: dict[str, tuple[float, float]]) -> None:
    with transaction.atomic():
        record(kind=OBSTACLE_REPORTED, subject="works:7", payload={"kind": "travaux", **middle(places, "C", "D")},
               territory=TOWN, at=AT)  # fmt: skip
    assert deliver_pending() == 1
    assert metres(places, profile="fauteuil-manuel") == 0
    with transaction.atomic():
        record(kind=OBSTACLE_ENDED, subject="works:7", payload={}, territory=TOWN, at=AT)
    assert deliver_pending() == 1
    assert metres(places, profile="fauteuil-manuel") == 180


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "trou"}, "genre d'obstacle « trou » inconnu"),
        ({"lon": 200.0}, "hors du globe"),
        ({"radius_m": 9000.0}, "hors des bornes"),
        ({"until": AT - timedelta(hours=1)}, "finit avant de commencer"),
    ],
)
def test_a_bad_obstacle_is_refused_in_a_sentence(
    places: dict[str, tuple[float, float]], wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadObstacle, match=said):
        close(places, **wrong)
    with pytest.raises(operations.ObstacleNotFound):
        operations.end_obstacle(subject="report:1", at=AT)


def test_a_new_graph_is_taken_up_without_a_restart(places: dict[str, tuple[float, float]]) -> None:
    before = queries.graph_info(TOWN).version
    place_graph(TOWN, "20260303T090000Z-drawn0000001")
    assert queries.graph_info(TOWN).version != before
    assert metres(places) == 100


def test_an_interrupted_build_leaves_the_graph_in_use(
    places: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(versions, "fsync_tree", killed)
    with pytest.raises(KeyboardInterrupt):
        place_graph(TOWN, "20260304T090000Z-drawn0000002")
    assert metres(places) == 100
    assert not list(store.home(TOWN).glob(".building-*"))


READER = """
import sys, json, time
from beffroi.config.cli import start_django
start_django()
from beffroi.base.kernel.time import now
from beffroi.sense.mobility import queries
start, goal = json.loads(sys.argv[1])
for line in sys.stdin:
    begun = time.process_time()
    found = queries.route("00001", profile=queries.profile("a-pied"), start=tuple(start), goal=tuple(goal), at=now())
    print(round(found.routes[0].length_m), time.process_time() - begun, flush=True)
"""


@pytest.mark.slow
def test_two_processes_change_their_mind_within_a_second(tmp_path: Path, migrated_file: Path) -> None:
    """One process tells, two others answer: each changes at its next request."""
    copy_registry(migrated_file, tmp_path)
    environment = os.environ | {"BEFFROI_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "beffroi.config.settings",
                                "DATABASE_URL": "", "PYTHONPATH": str(Path(__file__).parents[2])}  # fmt: skip
    teller_code = """
import sys, json
from beffroi.config.cli import start_django
start_django()
from beffroi.base.kernel.time import now
from beffroi.sense.mobility import operations
from sense.mobility.town_graph import place_graph
places = place_graph("00001")
print(json.dumps(places), flush=True)
for line in sys.stdin:
    if line.strip() == "close":
        (ax, ay), (bx, by) = places["A"], places["B"]
        operations.obstacle_at(territory="00001", subject="report:1", kind="rue-fermee", lon=(ax+bx)/2,
            lat=(ay+by)/2, at=now())
    else:
        operations.end_obstacle(subject="report:1", at=now())
    print("told", flush=True)
"""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    teller = subprocess.Popen([sys.executable, "-c", teller_code], **pipes)
    readers: list[subprocess.Popen[str]] = []
    try:
        places = json.loads(teller.stdout.readline())
        ends = json.dumps([places["A"], places["B"]])
        readers = [subprocess.Popen([sys.executable, "-c", READER, ends], **pipes) for _ in range(2)]
        assert [ask(reader).split()[0] for reader in readers] == ["100", "100"]
        for _ in range(5):
            for word, expected in (("close", "180"), ("open", "100")):
                assert ask(teller, word) == "told"
                answers = [ask(reader).split() for reader in readers]
                assert [length for length, _ in answers] == [expected, expected]
                # Of processor: others may keep this machine busy.
                assert sum(float(seconds) for _, seconds in answers) < 1.0
    finally:
        for process in (teller, *readers):
            process.kill()
            process.communicate()


def ask(process: subprocess.Popen[str], word: str = "go") -> str:
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()
