"""`/api/catalogue`: every use case, whatever its state."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from ninja import Path, Query, Router, Schema
from pydantic import Field

from beffroi.base.catalogue import engine, operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import EVERYONE, Request, open_to

router = Router(tags=["Catalogue"])

TERRITORY_PATTERN = r"^(\d[0-9AB]\d{3}|\d{9})$"
Territory = Annotated[
    str | None, Query(pattern=TERRITORY_PATTERN, description="Code INSEE ou SIREN", examples=["34172"])
]
UseCaseId = Annotated[str, Path(max_length=8, description="Identifiant de l’usage", examples=["G-03"])]


class UseCaseLine(Schema):
    """One use case, as every reader may know it."""

    id: str = Field(examples=["G-03"])
    title: str
    workshop: int = Field(ge=0, le=12, description="Atelier d’origine ; 0 : la plateforme")
    audience: list[Literal["citoyen", "agent", "elu"]]
    engine: str = Field(description="Moteur principal", examples=["lifecycle"])
    state: Literal["draft", "pilot", "live", "retired"] = Field(description="État dans ce territoire")
    url: str | None = Field(description="Où l’on s’en sert ; null s’il n’est ni en pilote ni en service")


class UseCaseDetail(UseCaseLine):
    """One use case with the need it answers."""

    also: list[str] = Field(description="Autres moteurs employés")
    themes: list[str]
    need: str = Field(description="Le besoin, en une phrase")
    promise: str = Field(description="Ce que l’on obtient")
    lacking: list[str] = Field(
        description="Jeux de données dont un seul l’allumerait ; vide s’il n’en attend aucun ou n’est pas ouvert"
    )


class CatalogueAnswer(Schema):
    """The whole catalogue of a territory."""

    territory: str = Field(description="Territoire dont les états sont donnés ; vide : états par défaut")
    use_cases: list[UseCaseLine]


class StateChange(Schema):
    """A change of state and its reason."""

    state: Literal["draft", "pilot", "live", "retired"]
    reason: str = Field(
        "", max_length=operations.MAX_REASON, description="Obligatoire pour revenir en arrière ou retirer"
    )


def _line(view: queries.UseCaseView) -> dict[str, Any]:
    one = view.use_case
    return {
        "id": one.id,
        "title": one.title,
        "workshop": one.workshop,
        "audience": [item.value for item in one.audience],
        "engine": one.engine,
        "state": view.state.value,
        "url": view.url,
    }


def _detail(view: queries.UseCaseView, territory: str) -> dict[str, Any]:
    one = view.use_case
    lacking = queries.lacking(one, territory) if view.is_open else ()
    extra = {"also": list(one.also), "themes": list(one.themes), "need": one.need, "promise": one.promise}
    return _line(view) | extra | {"lacking": list(lacking)}


@lru_cache(maxsize=64)
def _rendered(territory: str, _stamp: tuple[int, int, str]) -> tuple[bytes, str]:
    """Return the catalogue of a territory as bytes and its ETag; `_stamp` changes whenever the answer would."""
    lines = [_line(view) for view in queries.use_cases(territory=territory)]
    body = json.dumps({"territory": territory, "use_cases": lines}, ensure_ascii=False).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:20]}"'


def _territory(request: Request, territory: str | None) -> str:
    if territory:
        return territory
    return request.commune.code if request.commune else ""


@router.get(
    "/catalogue",
    response=CatalogueAnswer,
    summary="Tous les usages, avec leur état",
    openapi_extra={
        "responses": {304: {"description": "Inchangé depuis l’ETag donné dans If-None-Match"}},
        "parameters": [
            {"in": "header", "name": "If-None-Match", "schema": {"type": "string"}, "description": "ETag déjà connu"}
        ],
    },
)
@open_to(EVERYONE)
def catalogue(request: Request, territory: Territory = None) -> HttpResponse:
    """Donne les usages du catalogue, ceux en préparation compris (`url` est alors null).

    La réponse porte un ETag : redemandée avec `If-None-Match`, elle répond 304 tant que rien n’a changé.
    """
    stamp = (queries.states_stamp(), engine.generation(), queries.catalogue().fingerprint)
    body, etag = _rendered(_territory(request, territory), stamp)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type="application/json")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"
    patch_vary_headers(response, ("Host",))
    return response


@router.get("/catalogue/{use_case_id}", response=UseCaseDetail, summary="Un usage et le besoin auquel il répond")
@open_to(EVERYONE)
def use_case(request: Request, use_case_id: UseCaseId, territory: Territory = None) -> dict[str, Any]:
    """Donne un usage, dans l’état où le territoire le tient."""
    town = _territory(request, territory)
    return _detail(queries.use_case(use_case_id, territory=town), town)


@router.put(
    "/catalogue/{use_case_id}/state",
    response=UseCaseDetail,
    summary="Changer l’état d’un usage dans la commune",
    openapi_extra={"responses": {409: {"description": "Ce changement n’est pas possible dans l’état présent"}}},
)
@open_to(Role.ADMINISTRATOR, scope="catalogue:write")
def change_state(request: Request, use_case_id: UseCaseId, payload: StateChange) -> dict[str, Any]:
    """Met un usage en pilote, en service, le retire, ou revient en arrière avec un motif. Rien n’est perdu."""
    territory = _territory(request, None)
    operations.set_state(
        use_case_id, State(payload.state), territory=territory, by=request.viewer, at=now(), reason=payload.reason
    )
    return _detail(queries.use_case(use_case_id, territory=territory), territory)
