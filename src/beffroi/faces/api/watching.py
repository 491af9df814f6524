"""`/health` for what restarts the service, `/metrics` for what draws its curves (Prometheus text format 0.0.4)."""

from __future__ import annotations

import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from beffroi import __version__
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.journal import queries as journal
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.lake import queries as lake

Sample = tuple[str, str, str, dict[str, str], float]


@open_to(EVERYONE)
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Tell whether this process can answer: the registry replies and the data folder is there.

    A worker that is late is told but does not make the web process ill: restarting it would not help.
    """
    registry = _registry_answers()
    folder = Path(settings.DATA_DIR).is_dir()
    worker = "unknown"
    if registry:
        worker = "alive" if journal.worker_health(at=now()).alive else "absent"
    ill = not (registry and folder)
    return JsonResponse(
        {
            "status": "ill" if ill else "ok",
            "version": __version__,
            "registry": registry,
            "data_folder": folder,
            "worker": worker,
        },
        status=503 if ill else 200,
        headers={"Cache-Control": "no-store"},
    )


@open_to(EVERYONE)
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give numbers that name nobody, and only of what everyone may read."""
    lines: list[str] = []
    seen: set[str] = set()
    for name, kind, help_text, labels, value in _samples(request):
        if name not in seen:
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
            seen.add(name)
        inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")
    return HttpResponse(
        "\n".join([*lines, ""]),
        content_type="text/plain; version=0.0.4; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def _registry_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _samples(request: HttpRequest) -> Iterator[Sample]:
    registry = _registry_answers()
    yield "beffroi_info", "gauge", "Version in service.", {"version": __version__}, 1
    yield "beffroi_registry_up", "gauge", "1 when the registry answers.", {}, registry
    yield (
        "beffroi_use_case_problems",
        "gauge",
        "Use case files left out because they do not validate.",
        {},
        len(catalogue.problems()),
    )
    yield (
        "beffroi_datasets",
        "gauge",
        "Datasets anyone may read.",
        {},
        len(lake.datasets(ANONYMOUS)),
    )
    free = shutil.disk_usage(settings.DATA_DIR).free
    yield "beffroi_data_free_bytes", "gauge", "Free space where the data folder is.", {}, free
    # ru_maxrss is in kibibytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield "beffroi_process_peak_memory_bytes", "gauge", "Peak memory of this web process.", {}, peak
    if registry:
        yield from _registry_samples(request)


def _registry_samples(request: HttpRequest) -> Iterator[Sample]:
    commune = getattr(request, "commune", None)
    states = Counter(view.state.value for view in catalogue.use_cases(territory=commune.code if commune else ""))
    for state, count in sorted(states.items()):
        yield "beffroi_use_cases", "gauge", "Use cases by state.", {"state": state}, count
    worker = journal.worker_health(at=now())
    yield "beffroi_worker_up", "gauge", "1 when a worker gave a sign of life lately.", {}, worker.alive
    yield "beffroi_outbox_waiting", "gauge", "Deliveries waiting.", {}, worker.waiting
    yield "beffroi_outbox_dead", "gauge", "Deliveries given up after too many failures.", {}, worker.dead
