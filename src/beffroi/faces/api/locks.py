"""`/api/locks/codes`: what a lock must let in, from when to when; read by the software of the doors, by its key."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from beffroi.base.kernel.time import now
from beffroi.base.territory.engine import LOCKS
from beffroi.faces.shell.access import Request, open_to
from beffroi.serve.bookings.hours import queries

router = Router(tags=["Serrures"])
MOST_HOURS = 24 * 7


class LockCodeOut(Schema):
    """Un code, la réservation à laquelle il est, et ses heures."""

    number: str = Field(description="Numéro de la réservation")
    place: str = Field(description="Lieu, tel que le fichier de l’usage le nomme")
    code: str = Field(description="Chiffres à composer")
    valid_from: datetime = Field(description="Début, inclus")
    valid_until: datetime = Field(description="Fin, exclue")


class LockCodes(Schema):
    """Les codes que la serrure doit connaître ; ceux qui n’y sont plus ne valent plus."""

    codes: list[LockCodeOut]


@router.get("/locks/codes", response=LockCodes, summary="Les codes d’accès des réservations")
@open_to(scope=LOCKS)
def lock_codes(
    request: Request,
    response: HttpResponse,
    place: Annotated[str, Query(max_length=60, description="Un lieu ; vide : tous")] = "",
    hours: Annotated[int, Query(ge=1, le=MOST_HOURS, description="Combien d’heures à venir")] = 24,
) -> dict[str, Any]:
    """Donne les codes valables dans les heures qui viennent. Une réservation annulée ou déplacée n’y est plus."""
    response.headers["Cache-Control"] = "no-store"
    at = now()
    found = queries.lock_codes(request.viewer, place, first=at, last=at + timedelta(hours=hours))
    return {"codes": [asdict(one) for one in found]}
