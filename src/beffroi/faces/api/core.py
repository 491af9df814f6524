"""The API object: strict about parameters, HEAD wherever GET is, problems everywhere, an OpenAPI that says so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation, PathView

from beffroi import __version__
from beffroi.faces.api import problems
from beffroi.faces.api.problems import Problem

DESCRIPTION = (
    "Interface propre de Beffroi : le catalogue des usages et les données de la commune. "
    "Sans clé, elle répond ce que tout le monde peut lire ; une clé d’API (en-tête `Authorization: Bearer …`) ajoute "
    "ce que ses droits ouvrent. Les coordonnées sont en longitude, latitude (degrés, OGC:CRS84). "
    "Un refus est un problème RFC 9457 qui dit quoi, où et comment y remédier."
)

# Refusals any operation may answer; each operation lists its own besides.
_REFUSALS = {
    "400": "Requête qui ne peut pas être satisfaite telle quelle",
    "401": "Clé d’API inconnue, révoquée ou expirée",
    "403": "Accès refusé",
    "404": "Rien de tel, ou pas pour ce lecteur",
    "405": "Méthode non acceptée",
    "422": "Paramètre hors de ses bornes ou trop coûteux",
}


class Api(NinjaAPI):
    """django-ninja, with the manners of this house."""

    def __init__(self) -> None:
        super().__init__(
            title="Beffroi",
            version=__version__,
            description=DESCRIPTION,
            docs_url=None,
            openapi_url=None,
            urls_namespace="api",
            openapi_extra={
                "info": {"license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}},
                "security": [{}, {"ApiKey": []}],
            },
        )
        problems.install(self)
        self._schema: dict[str, Any] | None = None

    def well_mannered_urls(self) -> list[Any]:
        """Return the URL patterns, every operation made strict about its parameters."""
        patterns = [pattern for pattern in self.urls[0] if getattr(pattern, "name", "") != "api-root"]
        for router in self._get_bound_routers():
            for path_view in router.path_operations.values():
                _teach(path_view)
        return patterns

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, built once."""
        if self._schema is None:
            self._schema = _completed(self.get_openapi_schema(path_prefix="api/"))
        return self._schema

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the function's own name: stable, and short in generated clients."""
        return str(operation.view_func.__name__)


def _teach(path_view: PathView) -> None:
    by_method = {method: operation for operation in path_view.operations for method in operation.methods}
    if "GET" in by_method:
        by_method.setdefault("HEAD", by_method["GET"])
    for operation in path_view.operations:
        operation.run = _strict(operation, operation.run)  # type: ignore[method-assign]
    path_view._find_operation = lambda request: by_method.get(request.method or "")  # type: ignore[method-assign]
    path_view._not_allowed = lambda: problems.method_not_allowed({*by_method, "OPTIONS"})  # type: ignore[method-assign]


def _strict(operation: Operation, run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    known = sorted(
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    )

    def run_strictly(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        for name in request.GET:
            if name not in known:
                return operation.api.on_exception(request, problems.unknown_parameter(name, known))
        return run(request, **arguments)

    return run_strictly


def _completed(schema: OpenAPISchema) -> dict[str, Any]:
    """Say in the document what the code does everywhere: refusals as problems, keys, HEAD left unsaid."""
    document: dict[str, Any] = copy.deepcopy(dict(schema))
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.json_schema()
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "Clé créée par un administrateur de la commune"}
    }
    refusal = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in document["paths"].values():
        for operation in path.values():
            responses = {str(status): response for status, response in operation["responses"].items()}
            for status, description in _REFUSALS.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = refusal
            operation["responses"] = dict(sorted(responses.items()))
    return document
