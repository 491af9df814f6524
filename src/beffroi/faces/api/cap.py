"""`/cap/`: the alerts of the town as CAP 1.2, each message at its own address, and an Atom index of them."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.queries import CommuneInfo, UnknownTerritory
from beffroi.faces.api.feeds import Entries, answered, element
from beffroi.faces.api.problems import problem
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.sentences import said
from beffroi.serve.alerts import cap

MEDIA_TYPE = "application/cap+xml"


@open_to(EVERYONE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Give the messages that left, the last first, as an Atom feed whose entries lead to CAP documents."""

    def entries(commune: CommuneInfo) -> Entries:
        return [(made.sent_at, _entry(request, made)) for made in cap.messages(commune.code)]

    return answered(request, "cap", _("Alertes de {commune}, CAP 1.2"), entries)


def _entry(request: HttpRequest, made: cap.Sent) -> str:
    link = request.build_absolute_uri(reverse("cap-message", args=[made.number, made.rank]))
    when = made.sent_at.isoformat(timespec="seconds")
    return "".join(
        [
            "<entry>",
            element("id", f"tag:{request.get_host()},2026:cap/{made.identifier}"),
            element("title", made.content.title),
            element("published", when),
            element("updated", when),
            f'<link rel="alternate" type={quoteattr(MEDIA_TYPE)} href={quoteattr(link)}/>',
            f"<category term={quoteattr(made.content.category)}/>",
            element("summary", made.content.text),
            "</entry>",
        ]
    )


@open_to(EVERYONE)
@require_safe
def message(request: HttpRequest, number: int, rank: int) -> HttpResponse:
    """Give one message, as it left."""
    commune: CommuneInfo | None = request.commune  # type: ignore[attr-defined]
    try:
        if commune is None:
            raise UnknownTerritory("cette adresse n’est celle d’aucune commune", where=request.get_host()[:100])
        document = cap.message(commune.code, number, rank)
    except BeffroiError as error:
        return problem(error.http_status, said(error.what), where=error.where, remedy=said(error.remedy))
    answer = HttpResponse(document, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


urlpatterns = [
    path("cap/", index, name="cap"),
    path("cap/<int:number>.<int:rank>.xml", message, name="cap-message"),
]
