"""`/api/indicators`: the figures that use cases declare, for those they are for."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase, JsonResponse
from ninja import Router, Schema
from pydantic import Field

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.faces.api.catalogue import Territory, UseCaseId
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.sense.indicators import queries
from beffroi.sense.indicators.queries import Answer, Line

router = Router(tags=["Indicateurs"])


class IndicatorsRefused(Refused):
    """These indicators are not for this reader."""


class NoIndicators(NotFound):
    """A use case that is not open here, or that declares no indicator."""


class IndicatorLine(Schema):
    """One use case whose indicators this reader may read."""

    id: str = Field(examples=["4-16"])
    title: str
    url: str = Field(description="Sa page")
    measures: list[str] = Field(description="Ses mesures, dans l’ordre")


class IndicatorsAnswer(Schema):
    """The use cases that declare indicators."""

    territory: str
    indicators: list[IndicatorLine]


class FigureOut(Schema):
    """One line of a measure; `value` is null when it is not known, not published or masked, and `why` says so."""

    id: str = Field(description="Ce qui la nomme dans ses données ; vide : toute la commune")
    name: str
    value: float | None
    why: str
    before: float | None = Field(description="La valeur précédente")
    besides: list[float | None] = Field(description="À quoi elle se compare, dans l’ordre de `besides` de la mesure")
    imprecise: bool
    series: dict[str, float] = Field(description="Ses valeurs, par année")


class MeasureOut(Schema):
    """A measure answered, with its method, its year and its sources."""

    slug: str
    title: str
    unit: str
    better: str = Field(description="up, down ou neither")
    method: str
    year: str
    besides: list[str] = Field(description="Ce que sont les comparaisons")
    least: int = Field(description="Sous ce nombre d’objets, une ligne est tue ; 0 : aucune")
    commune: FigureOut
    lines: list[FigureOut]
    sources: list[dict[str, str]]


class SheetOut(Schema):
    """The indicators of a use case."""

    id: str
    territory: str
    measures: list[MeasureOut]
    missing: dict[str, list[str]] = Field(description="Par mesure sans réponse, les jeux de données qui manquent")


def _code(request: Request, territory: str | None) -> str:
    return territory or (request.commune.code if request.commune else "")


@router.get("/indicators", response=IndicatorsAnswer, summary="Les indicateurs que vous pouvez lire")
@open_to(EVERYONE)
def indicators(request: Request, territory: Territory = None) -> HttpResponseBase:
    """Donne les usages ouverts qui déclarent des indicateurs, et leurs mesures."""
    code = _code(request, territory)
    found = []
    for view in queries.open_indicators(request.viewer, code):
        wanted = queries.declared(view.use_case)
        slugs = [one.slug for one in wanted.measures] if wanted else []
        found.append({"id": view.use_case.id, "title": view.use_case.title, "url": view.url or "", "measures": slugs})
    return private(JsonResponse({"territory": code, "indicators": found}))


@router.get("/indicators/{use_case}", response=SheetOut, summary="Les indicateurs d’un usage")
@open_to(EVERYONE)
def sheet(request: Request, use_case: UseCaseId, territory: Territory = None) -> HttpResponseBase:
    """Donne chaque mesure, ligne par ligne, avec sa série, ses comparaisons, sa méthode et ses sources."""
    code = _code(request, territory)
    view = catalogue.use_case(use_case, territory=code)
    if not view.is_open or queries.declared(view.use_case) is None:
        raise NoIndicators("l’usage « {id} » n’a pas d’indicateur ouvert ici", where="use_case",
                           remedy="la liste est à l’adresse /api/indicators", id=use_case)  # fmt: skip
    if not queries.may_read(request.viewer, code, view.use_case):
        raise IndicatorsRefused("ces indicateurs ne sont pas ouverts à tous", where="use_case",
                                remedy="demandez l’accès à un administrateur de la commune")  # fmt: skip
    found = queries.sheet(request.viewer, code, view.use_case)
    missing = {slug: list(slugs) for slug, slugs in found.missing.items()}
    told = {"id": use_case, "territory": code, "measures": [_measure(one) for one in found.answers], "missing": missing}
    return private(JsonResponse(told))


def _measure(answer: Answer) -> dict[str, Any]:
    measure = answer.measure
    return {
        "slug": measure.slug, "title": measure.title, "unit": measure.unit, "better": measure.better,
        "method": measure.method, "year": answer.year, "besides": [one.title for one in measure.besides],
        "least": measure.least, "commune": _figure(answer.whole), "lines": [_figure(one) for one in answer.lines],
        "sources": [
            {"dataset": str(one.ref), "title": one.title, "producer": one.producer, "licence": one.licence,
             "updated_at": one.updated_at.isoformat()}
            for one in answer.sources
        ],
    }  # fmt: skip


def _figure(line: Line) -> dict[str, Any]:
    return {
        "id": line.id, "name": line.name, "value": line.value, "why": line.why, "before": line.before,
        "besides": list(line.besides), "imprecise": line.frail, "series": dict(line.series),
    }  # fmt: skip
