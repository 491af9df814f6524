"""The page of a request, for the one who made it: by her account or her token, until the answer and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.procedures.filing import prepared_files
from beffroi.faces.portal.reports.wording import history, tone_of
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, Request, open_to
from beffroi.faces.shell.procedures import answers_of, told, told_fees
from beffroi.faces.shell.requests import last_moment, state_kind, state_of
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, Sight
from beffroi.serve.cases.queries import PartyInfo
from beffroi.serve.procedures import calls, operations, passages, queries, register
from beffroi.serve.procedures.declaration import Question
from beffroi.serve.procedures.queries import RequestInfo
from beffroi.serve.procedures.receipts import contact_line, silence_words
from beffroi.serve.procedures.waiting import rank_of

READINGS = {
    "card": gettext_noop("la fiche, par un agent du service"),
    "list": gettext_noop("la liste du registre, par un agent du service"),
    "call": gettext_noop("la liste des appels, par un agent du service"),
}
# What is joined to a message answers no question of the form.
JOINED = Question(code="message", label="Pièce jointe", type="file", most=3, why="Elle accompagne le message.")


class MessageForm(forms.Form):
    """A word to the service."""

    text = forms.CharField(
        label=gettext_lazy("Votre message au service"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReasonForm(forms.Form):
    """Why it is reopened or withdrawn."""

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi ?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


class NeedForm(forms.Form):
    """What a person of a register asks for."""

    kind = forms.CharField(max_length=40)
    note = forms.CharField(required=False, max_length=500)


@dataclass(frozen=True, slots=True)
class Asked:
    """A page asked for: whose eyes, which request, by which token, and her place in it."""

    request: Request
    viewer: Viewer
    info: RequestInfo
    token: str
    party: PartyInfo | None

    @property
    def url(self) -> str:
        """Return the address of this very page."""
        if self.token:
            return reverse("portal:followed-procedure", args=[self.token])
        return reverse("portal:procedure-request", args=[self.info.number])


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def own_request(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show a request to the one who made it with her account."""
    request = cast(Request, request)
    # The portal shows an agent what it shows everyone: she works elsewhere.
    viewer = Viewer(request.viewer.person_id)
    info = queries.request(viewer, number)
    return _answered(Asked(request, viewer, info, "", case_queries.own_place(viewer, info.number)))


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def followed_request(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a request to the one who holds its follow-up link."""
    request = cast(Request, request)
    info, party = queries.followed_request(token)
    return _answered(Asked(request, Viewer(), info, token, party))


@open_to(EVERYONE)
@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Show the acknowledgement of receipt, to be printed."""
    request = cast(Request, request)
    info, party = queries.followed_request(token)
    asked = Asked(request, Viewer(), info, token, party)
    return _private(render(request, "portal/procedures/receipt.html", _context(asked)))


@open_to(EVERYONE)
@require_safe
def file(request: HttpRequest, attachment: int, token: str = "") -> HttpResponseBase:
    """Give a file of a request to whoever may open it."""
    request = cast(Request, request)
    viewer = Viewer() if token else request.viewer
    found = case_queries.attachment(viewer, attachment, token=token, thumbnail="petite" in request.GET)
    as_file = found.media_type == "application/pdf"
    response = FileResponse(
        found.path.open("rb"), content_type=found.media_type, as_attachment=as_file, filename=found.name
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


# --- Acts -------------------------------------------------------------------------------------------------------------


def _answered(asked: Asked) -> HttpResponseBase:
    request, status, problem = asked.request, 200, ""
    bound: dict[str, forms.Form] = {}
    if request.method == "POST":
        name = request.POST.get("do", "")
        act = ACTS.get(name)
        form = act.form(request.POST) if act else forms.Form({})
        if act is not None and form.is_valid():
            try:
                act.run(asked, form.cleaned_data, timezone.now())
            except BeffroiError as error:
                problem, status = told(error), error.http_status
            else:
                messages.success(request, _(act.done))
                return redirect(asked.url)
        elif act is None:
            problem = _("Cette page ne sait pas faire cela : rechargez-la.")
        bound[name], status = form, max(status, 400)
    context = _context(asked, bound) | {"problem": problem}
    return _private(render(request, "portal/procedures/request.html", context, status=status))


def _write(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    files = prepared_files(JOINED, [one for one in asked.request.FILES.getlist("files") if one], most=JOINED.most)
    cases.write_to_service(
        number=asked.info.number, text=values["text"], viewer=asked.viewer, token=asked.token, at=at, files=files
    )


def _supply(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    given = asked.request.POST.get("piece", "")
    piece = next((one for one in asked.info.awaited_pieces if str(one.id) == given), None)
    if piece is None:
        raise BadCase(gettext_noop("cette pièce n’est pas attendue"), remedy=gettext_noop("rechargez la page"))
    known = asked.info.procedure.question(piece.code) if asked.info.procedure else None
    question = known or JOINED.model_copy(update={"code": piece.code})
    sent = [one for one in asked.request.FILES.getlist("files") if one]
    operations.supply_piece(
        number=asked.info.number, piece=piece.id, files=prepared_files(question, sent, most=question.most),
        viewer=asked.viewer, token=asked.token, at=at,
    )  # fmt: skip


def _withdraw(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    operations.withdraw_request(
        number=asked.info.number, reason=values["reason"], viewer=asked.viewer, token=asked.token, at=at
    )


def _reopen(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    cases.reopen_case(number=asked.info.number, reason=values["reason"], viewer=asked.viewer, token=asked.token, at=at)


def _tell(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    wanted = asked.party is not None and not asked.party.told
    cases.set_told(number=asked.info.number, told=wanted, viewer=asked.viewer, token=asked.token)


def _answer(asked: Asked, _values: Mapping[str, Any], at: datetime, *, accepts: bool) -> None:
    operations.answer_offer(number=asked.info.number, accepts=accepts, viewer=asked.viewer, token=asked.token, at=at)


def _leave(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    operations.leave_register(
        number=asked.info.number, card_id=_card_key(asked), viewer=asked.viewer, token=asked.token, at=at
    )


def _want(asked: Asked, values: Mapping[str, Any], at: datetime) -> None:
    operations.ask_need(
        number=asked.info.number, card_id=_card_key(asked), kind=values["kind"], note=values["note"],
        viewer=asked.viewer, token=asked.token, at=at,
    )  # fmt: skip


def _card_key(asked: Asked) -> int:
    given = asked.request.POST.get("card", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 0


@dataclass(frozen=True, slots=True)
class Act:
    """What may be done on the page: the form that is read, what it does, the sentence that says so."""

    form: type[forms.Form]
    run: Callable[[Asked, Mapping[str, Any], datetime], None]
    done: str


ACTS: Mapping[str, Act] = {
    "write": Act(MessageForm, _write, gettext_noop("Votre message est envoyé au service.")),
    "supply": Act(forms.Form, _supply, gettext_noop("La pièce est jointe à votre demande.")),
    "withdraw": Act(ReasonForm, _withdraw, gettext_noop("Votre demande est retirée.")),
    "reopen": Act(ReasonForm, _reopen, gettext_noop("Votre demande est rouverte. Une nouvelle échéance court.")),
    "take": Act(
        forms.Form, partial(_answer, accepts=True), gettext_noop("C’est noté : le service vous écrit pour la suite.")
    ),
    "decline": Act(forms.Form, partial(_answer, accepts=False), gettext_noop("C’est noté : vous restez sur la liste.")),
    "leave": Act(forms.Form, _leave, gettext_noop("La fiche est effacée : vous n’êtes plus à ce registre.")),
    "want": Act(NeedForm, _want, gettext_noop("C’est demandé : le service le voit.")),
    "tell": Act(forms.Form, _tell, gettext_noop("C’est noté.")),
}


# --- What the page shows ----------------------------------------------------------------------------------------------


def _context(asked: Asked, bound: Mapping[str, forms.Form] | None = None) -> dict[str, Any]:
    info, at, bound = asked.info, timezone.now(), bound or {}
    case, procedure = info.case, info.procedure
    files = case_queries.attachments(asked.viewer, info.number, token=asked.token)
    silence = queries.silence(info, at)
    made_it = asked.party is not None and asked.party.made_it
    return {
        "info": info,
        "case": case,
        "procedure": procedure,
        "title": _(info.title),
        "state": state_of(case),
        "state_kind": state_kind(case),
        "tone": tone_of(case),
        "contact": contact_line(procedure, case.territory) if procedure else "",
        "due": last_moment(case.due_at) if case.due_at is not None and case.is_open else "",
        "rank": rank_of(info, at) if made_it else None,
        "silence": silence,
        "silence_words": silence_words(silence),
        "silence_has_come": silence is not None and silence.has_come(timezone.localdate(at)),
        "answers": answers_of(info),
        "fees": told_fees(info.fees),
        "cards": _cards(info) if made_it else [],
        "passages": passages.passages_of(info) if made_it else [],
        "passage_url": _passage_url(asked) if made_it else "",
        "own_files": [one for one in files if one.mine],
        "documents": [one for one in files if one.from_service],
        "certificates": [one for one in queries.certificates_of(info.number) if one.withdrawn_at is None],
        # The answer is told once, at the head of the page.
        "lines": [
            replace(one, text="") if one.text and one.text == case.answer else one
            for one in history(case_queries.thread(asked.viewer, info.number, token=asked.token), kind=case.kind)
        ],
        "party": asked.party if case.sight is Sight.PARTY else None,
        "token": asked.token,
        "page_url": asked.url,
        "absolute_url": asked.request.build_absolute_uri(asked.url),
        "thanks": "merci" in asked.request.GET,
        "may_reopen": case.may_reopen(at),
        "may_withdraw": made_it and case.is_open,
        "message_form": bound.get("write", MessageForm(auto_id="ecrire_%s")),
        "reopen_form": bound.get("reopen", ReasonForm(auto_id="rouvrir_%s")),
        "withdraw_form": bound.get("withdraw", ReasonForm(auto_id="retirer_%s")),
        "at": at,
    }


def _cards(info: RequestInfo) -> list[dict[str, Any]]:
    """Return the registers this request entered: the agreement, who read the card, what was asked for, who helps."""
    known = queries.open_procedures(info.case.territory)
    found = []
    for card, readings in register.cards_of(info):
        chosen = known.get(card.use_case)
        rule = chosen.procedure.people if chosen else None
        choices = rule.choices if rule else {}
        needs = [(one, _(choices.get(one.kind, one.kind))) for one in calls.needs_of(card.id)]
        found.append(
            {
                "card": card,
                "title": _(chosen.title) if chosen else card.use_case,
                "readings": [(one.on, _(READINGS[one.what])) for one in readings],
                "needs": needs,
                "choices": [(key, _(words)) for key, words in choices.items()],
            }
        )
    return found


def _passage_url(asked: Asked) -> str:
    """Return the address to hand to the one whom the person chose to pass by her home, "" where the service does."""
    token = passages.link_token(asked.info)
    return asked.request.build_absolute_uri(reverse("portal:passage", args=[token])) if token else ""
