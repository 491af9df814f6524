"""A background task for a real worker; run as a program, puts it in the queue."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from django_tasks import task


@task()
def write_slowly(path: str, seconds: float) -> None:
    """Write « begun », wait, then « done »: what a graceful stop must not cut."""
    Path(path).write_text("begun")
    time.sleep(seconds)
    Path(path).write_text("done")


if __name__ == "__main__":
    import django

    django.setup()
    # By its own name, not `__main__`: the worker imports it.
    import worker_tasks

    worker_tasks.write_slowly.enqueue(sys.argv[1], float(sys.argv[2]))
