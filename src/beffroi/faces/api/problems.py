"""Errors of the API as RFC 9457 problems: what is wrong, where, how to mend it, in the reader's language."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from beffroi.base.kernel.errors import BeffroiError
from beffroi.faces.shell.sentences import said

MEDIA_TYPE = "application/problem+json"


class Problem(Schema):
    """What every refusal of the API says (RFC 9457)."""

    type: str = Field("about:blank", description="Identifiant du genre de problème")
    status: int = Field(description="Code HTTP")
    title: str = Field(description="Le problème en une phrase", examples=["emprise « 3,4 » illisible"])
    detail: str = Field(description="La phrase complète : où, quoi, comment y remédier")
    where: str = Field("", description="Ce qui est en cause : paramètre, fichier, identifiant", examples=["bbox"])
    remedy: str = Field("", description="Comment y remédier")
    errors: list[dict[str, str]] = Field([], description="Une entrée par paramètre refusé")


# What pydantic finds, by its own names, in French; `{…}` are its context values.
_SENTENCES: Mapping[str, str] = {
    "missing": gettext_noop("valeur absente"),
    "int_parsing": gettext_noop("ce n’est pas un nombre entier"),
    "int_type": gettext_noop("ce n’est pas un nombre entier"),
    "int_from_float": gettext_noop("ce n’est pas un nombre entier"),
    "int_parsing_size": gettext_noop("nombre trop grand"),
    "float_parsing": gettext_noop("ce n’est pas un nombre"),
    "bool_parsing": gettext_noop("répondez par true ou false"),
    "greater_than_equal": gettext_noop("donnez au moins {ge}"),
    "less_than_equal": gettext_noop("donnez au plus {le}"),
    "string_too_short": gettext_noop("donnez au moins {min_length} caractère(s)"),
    "string_too_long": gettext_noop("donnez au plus {max_length} caractères"),
    "string_pattern_mismatch": gettext_noop("forme attendue : {pattern}"),
    "string_type": gettext_noop("ce n’est pas un texte"),
    "literal_error": gettext_noop("valeurs possibles : {expected}"),
    "enum": gettext_noop("valeurs possibles : {expected}"),
    "too_long": gettext_noop("donnez au plus {max_length} valeurs"),
    "list_type": gettext_noop("donnez une liste"),
    "json_invalid": gettext_noop("corps JSON illisible"),
    "model_attributes_type": gettext_noop("donnez un objet JSON"),
}


class UnknownParameter(BeffroiError):
    """A parameter of the query that the operation does not read."""


def problem(
    status: int,
    title: str,
    *,
    where: str = "",
    remedy: str = "",
    errors: Sequence[dict[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem as a response."""
    detail = f"{where} : {title}" if where else title
    if remedy:
        detail = f"{detail.rstrip('.')} ; {remedy}"
    body: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "title": title,
        "detail": detail,
        "where": where,
        "remedy": remedy,
    }
    if errors:
        body["errors"] = list(errors)
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE, headers=headers)


def install(api: NinjaAPI) -> None:
    """Have the API answer every refusal as a problem."""
    handlers: dict[type[Exception], Callable[..., HttpResponse]] = {
        BeffroiError: _from_beffroi,
        ValidationError: _from_validation,
        Http404: _from_404,
        HttpError: _from_http_error,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _from_beffroi(request: HttpRequest, error: BeffroiError) -> HttpResponse:
    remedy = said(error.remedy)
    return problem(error.http_status, said(error.what), where=error.where, remedy=remedy, errors=error.faults)


def _from_404(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(
        404, _("Cette adresse n’existe pas."), where=request.path, remedy=_("La liste est dans /api/openapi.json")
    )


def _from_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    title = _("Requête illisible.") if error.status_code == 400 else str(error)
    return problem(error.status_code, title, remedy=_("Vérifiez le corps JSON et ses en-têtes."))


def _from_validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = []
    for item in error.errors:
        # The first part says where the value travels (query, path, body); people know it by its name.
        where = ".".join(str(part) for part in item["loc"][1:] if part != "payload") or "body"
        template = _(_SENTENCES[item["type"]]) if item["type"] in _SENTENCES else _("valeur refusée")
        errors.append({"where": where, "title": _filled(template, item.get("ctx", {}))})
    first = errors[0]
    return problem(
        422, first["title"], where=first["where"], remedy=_("Corrigez cette valeur et recommencez."), errors=errors
    )


def _filled(template: str, values: Mapping[str, Any]) -> str:
    try:
        return template.format(**values)
    except (KeyError, IndexError):
        return template


def unknown_parameter(name: str, known: list[str]) -> UnknownParameter:
    """Return the error for a query parameter nobody reads, with the one that was perhaps meant."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return UnknownParameter(
            "paramètre inconnu", where=name[:60], remedy="vouliez-vous dire « {close} » ?", close=close[0]
        )
    return UnknownParameter(
        "paramètre inconnu",
        where=name[:60],
        remedy="paramètres lus ici : {known}",
        known=", ".join(known) or "aucun",
    )


def method_not_allowed(allowed: set[str]) -> HttpResponse:
    """Return the problem for a method no operation takes."""
    names = ", ".join(sorted(allowed))
    return problem(
        405,
        _("Cette adresse ne répond pas à cette méthode."),
        remedy=_("Méthodes acceptées : {names}").format(names=names),
        headers={"Allow": names},
    )
