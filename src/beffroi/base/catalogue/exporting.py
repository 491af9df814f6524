"""Everything held about a use case in one archive: what a town keeps when it retires one."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.engine import engine
from beffroi.base.catalogue.models import Remark, UseCaseUsage
from beffroi.base.territory.viewer import Viewer


def exported(viewer: Viewer, use_case_id: str, territory: str, *, at: datetime) -> bytes:
    """Return a ZIP: the use case, its decisions, its usage per day, its remarks without names, its engines' data.

    Raises:
        Refused: the viewer is neither agent, elected nor administrator there.
        UseCaseNotFound: no such use case.
    """
    queries.require_staff(viewer, territory)
    view = queries.use_case(use_case_id, territory=territory)
    one = view.use_case
    about = {
        "id": one.id,
        "titre": one.title,
        "territoire": territory,
        "etat": view.state.value,
        "moteurs": list(one.engines),
        "exporte_le": at.isoformat(),
    }
    decisions = queries.decisions(use_case_id, territory)
    usage = UseCaseUsage.objects.filter(territory=territory, use_case=use_case_id)
    remarks = Remark.objects.filter(territory=territory, use_case=use_case_id).order_by("created_at", "pk")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("usage.json", json.dumps(about, ensure_ascii=False, indent=2))
        archive.writestr(
            "decisions.csv",
            _csv(
                ("numero", "etat", "depuis", "motif"),
                ((d.number, d.state, d.since.isoformat(), d.reason) for d in decisions),
            ),
        )
        archive.writestr(
            "frequentation.csv",
            _csv(("jour", "public", "nombre"), usage.values_list("day", "audience", "count")),
        )
        archive.writestr(
            "remarques.csv", _csv(("date", "remarque"), ((r.created_at.isoformat(), r.text) for r in remarks))
        )
        for name in one.engines:
            known = engine(name)
            if known is not None and known.exporter is not None:
                for file_name, content in known.exporter(use_case_id, territory):
                    archive.writestr(f"{name}/{file_name}", content)
    return buffer.getvalue()


def _csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    # Spreadsheets read UTF-8 with this mark, and would run a text that starts like a formula.
    text.write("\ufeff")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_inert(value) for value in row] for row in rows)
    return text.getvalue()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
