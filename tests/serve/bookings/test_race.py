"""No place is ever given twice: processes that ask for the last ones at the same instant, on both registries."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import warm

RACER = Path(__file__).with_name("racer.py")
HOUR_RACER = Path(__file__).with_name("hour_racer.py")
RACERS, EACH = ("a", "b"), 4


@pytest.mark.parametrize(
    "registry", ["sqlite_registry", pytest.param("postgresql_registry", marks=pytest.mark.postgresql)]
)
def test_of_processes_that_ask_at_once_two_have_each_day_and_a_key_is_one_booking(
    registry: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    env = request.getfixturevalue(registry)
    warm.run(RACER, "prepare", env=env, check=True)
    running = [
        warm.start(RACER, "race", name, str(EACH), tmp_path, env=env, out=tmp_path / f"out-{name}") for name in RACERS
    ]
    while not all((tmp_path / f"ready-{name}").exists() for name in RACERS):
        assert [one.poll() for one in running if one.poll() is not None] == []
        time.sleep(0.02)
    (tmp_path / "go").touch()
    assert [one.wait() for one in running] == [0, 0]
    said = [line for name in RACERS for line in (tmp_path / f"out-{name}").read_text().splitlines()]
    assert len(said) == len(RACERS) * EACH
    given = [line.split() for line in said if " " in line]
    # The key that both sent is one booking, made once.
    made = [number for _day, number, created in given if created == "True"]
    assert len(made) == len(set(made)) == 4
    assert sorted(line for line in said if " " not in line) == ["Full"] * (len(said) - len(given))
    held = warm.run(RACER, "told", env=env, check=True).stdout.split("\n")[:-1]
    first, second = sorted({day for day, _number, _created in given})
    assert held == [f"{first} 0", f"{first} 1", f"{second} 0", f"{second} 1"]


@pytest.mark.parametrize(
    "registry", ["sqlite_registry", pytest.param("postgresql_registry", marks=pytest.mark.postgresql)]
)
def test_no_two_bookings_by_the_hour_ever_overlap(
    registry: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    env = request.getfixturevalue(registry)
    warm.run(HOUR_RACER, "prepare", env=env, check=True)
    # Two processes of two use cases that share a court: only the constraint stands between them.
    running = [
        warm.start(HOUR_RACER, "race", name, "5", tmp_path, env=env, out=tmp_path / f"out-{name}") for name in RACERS
    ]
    while not all((tmp_path / f"ready-{name}").exists() for name in RACERS):
        assert [one.poll() for one in running if one.poll() is not None] == []
        time.sleep(0.02)
    (tmp_path / "go").touch()
    assert [one.wait() for one in running] == [0, 0]
    said = [line for name in RACERS for line in (tmp_path / f"out-{name}").read_text().splitlines()]
    given = [line for line in said if " " in line]
    assert sorted(line for line in said if " " not in line) == ["Taken"] * (len(said) - len(given))
    # Then four threads of one process, which find what is left.
    more = [
        line for line in warm.run(HOUR_RACER, "threads", "4", env=env, check=True).stdout.splitlines() if " " in line
    ]
    cells, distinct, bookings = map(int, warm.run(HOUR_RACER, "told", env=env, check=True).stdout.split())
    assert (cells, distinct, bookings) == (4 * len(given + more), cells, len(given + more))
    assert 2 <= bookings <= 3
