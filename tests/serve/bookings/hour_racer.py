"""Processes and threads that ask for the same hours: `prepare`, `race NAME COUNT FOLDER`, `threads COUNT`, `told`."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402

from beffroi.base.catalogue import queries as catalogue  # noqa: E402
from beffroi.base.kernel.errors import BeffroiError  # noqa: E402
from beffroi.base.territory import operations as territory  # noqa: E402
from beffroi.base.territory.viewer import ANONYMOUS  # noqa: E402
from beffroi.serve.bookings.hours.definition import SlotWish  # noqa: E402
from beffroi.serve.bookings.hours.giving import book_slot_of  # noqa: E402
from beffroi.serve.bookings.hours.models import SlotCell  # noqa: E402
from beffroi.serve.bookings.hours.rules import SlotThing  # noqa: E402
from beffroi.serve.cases.definition import Requester  # noqa: E402

AT, TOWN = datetime(2026, 3, 2, 9, tzinfo=UTC), "00000"
FIRST = datetime(2026, 3, 5, 9, tzinfo=UTC)


def say(line: str) -> None:
    """Say a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def thing(use_case: str) -> SlotThing:
    """Hours begin where one likes; two use cases share the court, so that no lock of one agenda guards it."""
    known = catalogue.catalogue().use_cases["12-09"]
    rules = known.settings["bookings"].model_copy(
        update={"unit": "free", "step_minutes": 15, "least_minutes": 60, "most_future": 0, "most_hours_week": 0}
    )
    return SlotThing(use_case, known.title, rules)


def ask(name: str, number: int, use_case: str) -> str:
    """Ask for an hour that overlaps what others ask for, and return what came of it."""
    starts = FIRST + timedelta(minutes=30 * (number % 5))
    wish = SlotWish(use_case, "tennis-1", starts, starts + timedelta(hours=1))
    requester = Requester(email=f"{name}{number}@exemple.fr")
    try:
        opened = book_slot_of(thing(use_case), territory=TOWN, wish=wish, requester=requester, viewer=ANONYMOUS, at=AT)
    except BeffroiError as error:
        return type(error).__name__
    return f"{starts:%H:%M} {opened.number}"


def race(name: str, count: int, folder: Path) -> None:
    """Ask with everyone else, from the same instant, each by a use case of its own; print who has what."""
    (folder / f"ready-{name}").touch()
    while not (folder / "go").exists():
        time.sleep(0.005)
    for number in range(count):
        say(ask(name, number, "12-09" if name == "a" else "6-13"))


def threads(count: int) -> None:
    """Ask from several threads at once, of one use case."""
    start, said = threading.Barrier(count), []

    def run(rank: int) -> None:
        start.wait()
        said.extend(ask(f"fil{rank}-", number, "12-09") for number in range(5))
        connection.close()

    running = [threading.Thread(target=run, args=(rank,)) for rank in range(count)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    say("\n".join(sorted(said)))


def told() -> None:
    """Print how many quarters are held, how many distinct, and by how many bookings."""
    cells = list(SlotCell.objects.order_by("quarter").values_list("quarter", "seat", "slot"))
    say(f"{len(cells)} {len({cell[:2] for cell in cells})} {len({cell[2] for cell in cells})}")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "prepare":
        territory.add_commune(code=TOWN, name="Essai", at=AT)
    elif what == "race":
        race(rest[0], int(rest[1]), Path(rest[2]))
    elif what == "threads":
        threads(int(rest[0]))
    else:
        told()
