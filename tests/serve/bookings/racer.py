"""A process that books, on the registry its environment names: `prepare`, `race NAME COUNT FOLDER`, `told`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from beffroi.base.catalogue import queries as catalogue  # noqa: E402
from beffroi.base.kernel.errors import BeffroiError  # noqa: E402
from beffroi.base.territory import operations as territory  # noqa: E402
from beffroi.base.territory.viewer import ANONYMOUS  # noqa: E402
from beffroi.serve.bookings import queries  # noqa: E402
from beffroi.serve.bookings.definition import Wish  # noqa: E402
from beffroi.serve.bookings.intake import book_in  # noqa: E402
from beffroi.serve.bookings.models import Hold  # noqa: E402
from beffroi.serve.bookings.things import Thing  # noqa: E402
from beffroi.serve.cases.definition import Requester  # noqa: E402

AT, TOWN = datetime(2026, 3, 2, 9, tzinfo=UTC), "00000"


def say(line: str) -> None:
    """Say a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def thing() -> Thing:
    """Two places a day, in one turn for the whole town."""
    known = catalogue.catalogue().use_cases["1-08"]
    rules = known.settings["bookings"].model_copy(update={"capacity": 2, "sectors": "", "most_a_year": 0})
    return Thing("1-08", known.title, rules)


def race(name: str, count: int, folder: Path) -> None:
    """Book the same two days with everyone else, from the same instant; print who has what."""
    chosen = thing()
    lane = queries.lanes(TOWN, chosen.rules, at=AT)[0]
    days = queries.bookable_days(TOWN, chosen, lane, at=AT)[:2]
    (folder / f"ready-{name}").touch()
    while not (folder / "go").exists():
        time.sleep(0.005)
    for number in range(count):
        # The second key is every racer's own: sent by both, it is one booking.
        key = "same-key-for-both" if number == 0 else ""
        requester = Requester(email="same@exemple.fr" if key else f"{name}{number}@exemple.fr")
        wish = Wish("1-08", days[number % 2], 3.8767, 43.6108, items={"meuble": 1}, details={"depot": "cour"},
                    idempotency_key=key)  # fmt: skip
        try:
            opened = book_in(chosen, territory=TOWN, wish=wish, requester=requester, viewer=ANONYMOUS, at=AT)
            say(f"{days[number % 2]} {opened.number} {opened.created}")
        except BeffroiError as error:
            say(type(error).__name__)


def told() -> None:
    """Print every place that is held."""
    for day, seat in Hold.objects.order_by("day", "seat").values_list("day", "seat"):
        say(f"{day} {seat}")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "prepare":
        territory.add_commune(code=TOWN, name="Essai", at=AT)
    elif what == "race":
        race(rest[0], int(rest[1]), Path(rest[2]))
    else:
        told()
