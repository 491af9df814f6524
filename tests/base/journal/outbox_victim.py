"""A process to be killed: `record SEED`, `work LOG`, `race`, on the registry its environment names."""

from __future__ import annotations

import os
import random
import sys
import threading
import time

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from beffroi.base.journal import events, operations  # noqa: E402
from beffroi.base.journal.models import Delivery  # noqa: E402

SUBJECTS = 12


def log_to(path: str):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def handle(event: events.RecordedEvent) -> None:
        # One write per event: the line is whole or absent. Killed before: not delivered. Killed after: delivered twice.
        os.write(descriptor, f"{event.subject} {event.id}\n".encode())
        time.sleep(0.01)

    return handle


def record(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        with transaction.atomic():
            # One subject per transaction: two, taken in any order, could wait for each other.
            subject = f"tree:{rng.randrange(SUBJECTS)}"
            for _ in range(rng.randint(1, 3)):
                operations.record(kind="tree.planted", subject=subject, payload={"seed": seed})


def work(path: str) -> None:
    stop = threading.Event()
    threading.Thread(target=_stop_when_empty, args=(stop,), daemon=True).start()
    operations.run_outbox(stop, idle_s=0.01)


def _stop_when_empty(stop: threading.Event) -> None:
    while Delivery.objects.exists():
        time.sleep(0.05)
    connection.close()
    stop.set()


def race() -> None:
    """Commit in another order than numbers were drawn; print what happened, in order."""
    drawn, go_on, told = threading.Event(), threading.Event(), []

    def plant(subject: str, *, wait: bool = False) -> None:
        with transaction.atomic():
            number = operations.record(kind="tree.planted", subject=subject, payload={})
            told.append(f"recorded {subject} {number}")
            if wait:
                drawn.set()
                go_on.wait(120)
        connection.close()

    events.subscribe("tests.log", ["tree.planted"], lambda event: told.append(f"delivered {event.subject} {event.id}"))
    early = threading.Thread(target=plant, args=("tree:x",), kwargs={"wait": True})
    early.start()
    drawn.wait(120)
    late = threading.Thread(target=plant, args=("tree:x",))
    late.start()
    plant("tree:y")
    operations.deliver_pending()
    told.append(f"still waiting: {late.is_alive()}")
    go_on.set()
    early.join()
    late.join()
    operations.deliver_pending()
    sys.stdout.write("\n".join(told))


if __name__ == "__main__":
    action, argument = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    events.subscribe("tests.log", ["tree.planted"], log_to(argument) if action == "work" else print)
    if action == "record":
        record(int(argument))
    elif action == "race":
        race()
    else:
        work(argument)
