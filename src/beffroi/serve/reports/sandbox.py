"""A few invented reports to sort, in the sandbox of the agents: put back each time it begins again."""

from __future__ import annotations

from datetime import datetime, timedelta

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases.definition import Requester, Upload
from beffroi.serve.reports.categories import open_categories
from beffroi.serve.reports.intake import Submission, file_in
from beffroi.serve.reports.scenes import drawn_photo

_SOMEWHERE = (3.0, 45.0)
# What is reported, in what words, how many hours ago, how far from the middle of the town, in degrees.
_SAMPLES = (
    ("depot-sauvage", "Un matelas et des cartons devant le lavoir.", 30, (0.0004, 0.0003)),
    ("nid-de-poule", "Un trou profond sur la chaussée.", 20, (-0.0006, 0.0005)),
    ("nid-de-poule", "La route est trouée, on roule dedans.", 4, (-0.0006, 0.0005)),
    ("eclairage-panne", "Le lampadaire est éteint depuis trois jours.", 9, (0.0008, -0.0004)),
    ("tag-graffiti", "Un grand tag bleu sur le mur de l’école.", 2, (0.0, -0.0006)),
)


def fill(commune: CommuneInfo, at: datetime) -> None:
    """File the samples, those whose category is open and asks no question; two of them may be the same."""
    lon, lat = commune.centre or _middle(commune.bbox)
    known = open_categories(commune.code)
    for code, words, hours, (east, north) in _SAMPLES:
        chosen = known.get(code)
        if chosen is None or any(question.required for question in chosen.category.field):
            continue
        photos = () if chosen.category.photo == "none" else (Upload("exemple.jpg", drawn_photo("Exemple")),)
        submission = Submission(code, lon + east, lat + north, description=words, photos=photos)
        file_in(
            chosen, territory=commune.code, submission=submission, requester=Requester(), viewer=ANONYMOUS,
            at=at - timedelta(hours=hours),
        )  # fmt: skip


def _middle(bbox: BBox | None) -> tuple[float, float]:
    return ((bbox.west + bbox.east) / 2, (bbox.south + bbox.north) / 2) if bbox else _SOMEWHERE
