"""`/api/stock/`: a landlord's software sends and reads back its buildings, lots, tickets and meter readings."""

from __future__ import annotations

import json
from typing import Annotated, Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from beffroi.base.kernel.time import now
from beffroi.base.territory.engine import STOCK
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.sense.twin.stock import operations, queries
from beffroi.sense.twin.stock.archive import MOST_BYTES, data_package
from beffroi.sense.twin.stock.operations import Mode, Taken
from beffroi.sense.twin.stock.tables import BadStock, read_csv, table_named, table_schema, written_csv

router = Router(tags=["Patrimoine des bailleurs"])
Name = Annotated[str, Path(max_length=20, description="batiments, lots, demandes ou releves", examples=["lots"])]
CSV, ZIP = "text/csv; charset=utf-8", "application/zip"
_BODY = {"requestBody": {"required": True, "content": {
    "text/csv": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
}}}  # fmt: skip
_FILE = {"responses": {200: {"description": "Le fichier", "content": {"text/csv": {}, ZIP: {}}}}}
_ZIP = {"requestBody": {"required": True, "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}


class StockCounts(Schema):
    """How many lines each table holds."""

    lines: dict[str, int] = Field(description="Nombre de lignes, par table")


class TakenOut(Schema):
    """What became of the lines of a table."""

    added: int = Field(description="Lignes ajoutées")
    changed: int = Field(description="Lignes changées")
    removed: int = Field(description="Lignes retirées")
    same: int = Field(description="Lignes envoyées telles qu’elles étaient déjà")


class StockLines(Schema):
    """A page of a table."""

    lines: list[dict[str, Any]] = Field(description="Les lignes, par clé")
    next: str = Field(description="Clé à donner à `after` pour la suite ; vide à la fin")


@router.get("/stock", response=StockCounts, summary="Ce que l’on garde de votre patrimoine")
@open_to(scope=STOCK)
def stock(request: Request) -> dict[str, Any]:
    """Donne le nombre de lignes de chaque table ; la clé d’un bailleur ne voit que les siennes."""
    return {"lines": queries.counts(request.viewer)}


@router.get("/stock/datapackage.json", summary="La forme des quatre tables (Data Package)", response=dict[str, Any])
@open_to(EVERYONE)
def stock_package(request: Request) -> dict[str, Any]:
    """Donne le Data Package : colonnes, types, unités, bornes, clés et liens de chaque table (Table Schema)."""
    return data_package()


@router.get("/stock/archive.zip", summary="Tout votre patrimoine, en un fichier", openapi_extra=_FILE)
@open_to(scope=STOCK)
def stock_archive(request: Request) -> HttpResponse:
    """Donne un ZIP des quatre CSV et de leur Data Package ; renvoyé tel quel, il ne change rien."""
    response = HttpResponse(queries.archive(request.viewer), content_type=ZIP)
    response.headers["Content-Disposition"] = 'attachment; filename="patrimoine.zip"'
    return private(response)


@router.put(
    "/stock/archive.zip", response=dict[str, TakenOut], summary="Remplacer tout votre patrimoine", openapi_extra=_ZIP
)
@open_to(scope=STOCK)
def send_stock(request: Request) -> dict[str, Any]:
    """Prend les quatre tables d’un ZIP, ou aucune ; ce qui n’y est pas est retiré."""
    taken = operations.send_archive(request.viewer, _body(request), at=now())
    return {name: _counted(one) for name, one in taken.items()}


@router.get("/stock/{table}/schema", summary="La forme d’une table (Table Schema)", response=dict[str, Any])
@open_to(EVERYONE)
def stock_schema(request: Request, table: Name) -> dict[str, Any]:
    """Donne les colonnes d’une table, leurs types, leurs bornes et ses liens."""
    return table_schema(table_named(table))


@router.get("/stock/{table}.csv", summary="Une table entière, en CSV", openapi_extra=_FILE)
@open_to(scope=STOCK)
def stock_csv(request: Request, table: Name) -> HttpResponseBase:
    """Donne toutes les lignes d’une table, en UTF-8, séparées par des virgules."""
    form, lines = queries.lines(request.viewer, table)
    response = StreamingHttpResponse(written_csv(form, lines), content_type=CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="{form.name}.csv"'
    return private(response)


@router.get("/stock/{table}", response=StockLines, summary="Une page d’une table")
@open_to(scope=STOCK)
def stock_lines(
    request: Request,
    table: Name,
    limit: Annotated[int, Query(ge=1, le=1000, description="Lignes, au plus")] = 100,
    after: Annotated[str, Query(max_length=60, description="Clé après laquelle reprendre")] = "",
) -> dict[str, Any]:
    """Donne des lignes dans l’ordre de leur clé, et d’où reprendre."""
    lines, following = queries.page(request.viewer, table, limit=limit, after=after)
    return {"lines": lines, "next": following}


@router.put("/stock/{table}", response=TakenOut, summary="Envoyer une table", openapi_extra=_BODY)
@open_to(scope=STOCK)
def send_lines(
    request: Request,
    table: Name,
    mode: Annotated[Mode, Query(description="merge garde les lignes non envoyées, replace les retire")] = "merge",
) -> dict[str, Any]:
    """Prend les lignes d’un CSV ou d’un tableau JSON, toutes ou aucune ; les renvoyer ne change rien."""
    return _counted(operations.send_table(request.viewer, table, _lines(request, table), mode=mode, at=now()))


def _lines(request: Request, name: str) -> list[Any]:
    table, content = table_named(name), _body(request)
    if request.content_type == "text/csv":
        return read_csv(table, content)
    if request.content_type != "application/json":
        raise BadStock("genre de contenu « {kind} » non lu", where="Content-Type", kind=str(request.content_type)[:60],
                       remedy="envoyez du text/csv ou de l’application/json")  # fmt: skip
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadStock("corps JSON illisible", where=name, remedy="envoyez un tableau d’objets") from error
    if not isinstance(found, list):
        raise BadStock("ce n’est pas un tableau d’objets", where=name, remedy="envoyez [ {…}, {…} ]")
    return found


def _body(request: Request) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise BadStock("corps trop grand", where="Content-Length", remedy="envoyez la table en plusieurs fois")
    return request.read()


def _counted(one: Taken) -> dict[str, int]:
    return {"added": one.added, "changed": one.changed, "removed": one.removed, "same": one.same}
