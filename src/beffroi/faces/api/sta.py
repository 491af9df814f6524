"""`/sta/v1.1/`: OGC SensorThings API 1.1 (Sensing), over `sense/live`. What is answered is said at its root."""

from __future__ import annotations

import json
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import now
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.sense.live.sta.asked import asked_of
from beffroi.sense.live.sta.entities import ENTITIES
from beffroi.sense.live.sta.reading import Reader, answer, link_to
from beffroi.sense.live.sta.writing import BadBody, create, create_observations

ROOT = "/sta/v1.1"
_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
CONFORMANCE = tuple(
    _SPEC + one
    for one in (
        *(
            f"datamodel/{entity}/{part}"
            for entity in (
                "thing", "location", "historical-location", "datastream", "sensor", "observed-property", "observation",
                "feature-of-interest",
            )
            for part in ("properties", "relations")
        ),
        "datamodel/entity-control-information/common-control-information",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/status-code",
        "request-data/query-status-code",
        "request-data/orderby",
        "request-data/top",
        "request-data/skip",
        "request-data/count",
        "request-data/filter",
        "request-data/pagination",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-code",
        "data-array/data-array",
    )
)  # fmt: skip


class MovedPermanently(HttpResponseRedirect):
    """A redirection that keeps the method and the body."""

    status_code = 308


@open_to(EVERYONE)
@require_safe
def root(request: HttpRequest) -> JsonResponse:
    """List the entity sets, and what of the standard is answered."""
    address = _root(request)
    return _json({
        "value": [{"name": name, "url": f"{address}/{name}"} for name in ENTITIES],
        "serverSettings": {
            "conformance": list(CONFORMANCE),
            f"{_SPEC}data-array/data-array": {"endpoints": [f"{address}/CreateObservations"]},
        },
    })  # fmt: skip


@csrf_exempt
@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def entities(request: HttpRequest, sta_path: str) -> HttpResponseBase:
    """Answer a collection, an entity, a link or a property; take what may be sent to it."""
    reader = _reader(cast(Request, request))
    if request.method == "POST":
        made = create(reader, sta_path, _body(request), at=now())
        address = link_to(reader, made.entity, made.number)
        shown = answer(reader, f"{made.entity}({made.number})", asked_of({}))
        response = _json(shown, status=201)
        response.headers["Location"] = address
        return response
    found = answer(reader, sta_path, asked_of(request.GET.dict()))
    if isinstance(found, dict):
        return _json(found)
    text = json.dumps(found, ensure_ascii=False) if isinstance(found, (dict, list)) else str(found)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@csrf_exempt
@open_to(EVERYONE)
@require_POST
def arrays(request: HttpRequest) -> JsonResponse:
    """Keep readings sent by arrays (CreateObservations); each is answered, in its order."""
    told = create_observations(_reader(cast(Request, request)), _body(request), at=now())
    return _json(told, status=201)


@csrf_exempt
@open_to(EVERYONE)
def moved(request: HttpRequest, rest: str = "") -> MovedPermanently:
    """Lead from `/api/sta/v1.1/`, where some look for it."""
    query = request.META.get("QUERY_STRING", "")
    return MovedPermanently(f"{ROOT}/{rest}{'?' + query if query else ''}")


def _reader(request: Request) -> Reader:
    if request.commune is None:
        raise NotFound("aucune commune n'est encore créée", remedy="créez-la : beffroi territory add <code INSEE>")
    return Reader(request.viewer, request.commune.code, _root(request))


def _root(request: HttpRequest) -> str:
    return request.build_absolute_uri(ROOT)


def _body(request: HttpRequest) -> Any:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            raise BadBody("corps trop gros", where="body", remedy="au plus {mb} Mo", mb=most // 2**20)
        # NaN and the infinities, which Python reads, are no JSON.
        return json.loads(request.body, parse_constant=_no_constant)
    except BeffroiError:
        raise
    except (ValueError, RecursionError):
        raise BadBody(
            "corps JSON illisible", where="body", remedy="vérifiez-le : UTF-8, guillemets, virgules"
        ) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _json(value: Any, *, status: int = 200) -> JsonResponse:
    response = JsonResponse(value, safe=False, status=status, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = "no-cache"
    return response


app_name = "sta"
urlpatterns: list[URLPattern] = [
    path("", root, name="root"),
    path("CreateObservations", arrays, name="arrays"),
    path("<path:sta_path>", entities, name="entities"),
]
