"""The form of a procedure, a step at a time: what is typed is kept before it is judged, and the address resumes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.procedures.progress import Page, Progress
from beffroi.faces.portal.reports.sending import address_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.procedures import said_answer, told, told_conflicts, told_fees
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Audience, BadCase, Mandate, MandateKind, Requester, Upload
from beffroi.serve.cases.operations import PreparedFile
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.declaration import CHECK_STEP, WHO_STEP, Question
from beffroi.serve.procedures.intake import ON_A_REGISTER
from beffroi.serve.procedures.queries import DraftInfo, KeptInfo

MOST_FILE_BYTES = 15 * 1024 * 1024
_OWN = frozenset({"csrfmiddlewaretoken", "go", "retirer", "reprendre"})


@open_to(EVERYONE)
@require_POST
def begin(request: HttpRequest, use_case: str) -> HttpResponse:
    """Begin a form and go to its first step; `pour=autrui` by one who is signed in begins it for somebody else."""
    request = cast(Request, request)
    draft = operations.begin_draft(
        territory=territory_of(request), use_case=use_case, viewer=request.viewer, at=timezone.now(),
        address=address_of(request), for_other=request.POST.get("pour") == "autrui",
    )  # fmt: skip
    return redirect("portal:procedure-form", use_case, draft.key)


def _progress(request: Request, use_case: str, key: str) -> Progress:
    territory = territory_of(request)
    draft = queries.draft(key, territory=territory, viewer=request.viewer, at=timezone.now())
    return Progress(request, queries.procedure_for(territory, draft.use_case), draft)


@open_to(EVERYONE)
@require_safe
def resume(request: HttpRequest, use_case: str, key: str) -> HttpResponse:
    """Go to the first step that is still to be answered."""
    progress = _progress(cast(Request, request), use_case, key)
    wrong = progress.first_wrong
    return redirect("portal:procedure-step", progress.chosen.use_case, key, wrong.code if wrong else CHECK_STEP)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, use_case: str, key: str, step: str) -> HttpResponseBase:
    """Show a step, or keep what was typed in it and go on; the last one sends."""
    request = cast(Request, request)
    if request.method == "POST" and step == CHECK_STEP:
        return _checked(request, use_case, key)
    if request.method == "POST":
        return _kept(request, use_case, key, step)
    progress = _progress(request, use_case, key)
    if step == CHECK_STEP:
        return _check_page(request, progress)
    page = progress.page(step)
    if page is None:
        return redirect("portal:procedure-form", use_case, key)
    # A step never sent is shown without reproach; one that was, with what is wrong in it.
    return _step_page(request, progress, page, status=200)


def _kept(request: Request, use_case: str, key: str, code: str) -> HttpResponseBase:
    """Keep what was typed, then go where the button says, if it holds."""
    before = _progress(request, use_case, key)
    page = before.page(code)
    if page is None:
        return redirect("portal:procedure-form", use_case, key)
    typed = {name: request.POST.getlist(name) for name in request.POST if name not in _OWN}
    files, refused = _received(request, page, before.draft)
    files += _taken_again(request, page, before.draft)
    try:
        operations.keep_step(
            key, territory=before.draft.territory, step=code, typed=typed, viewer=request.viewer, at=timezone.now(),
            files=files, without=request.POST.getlist("retirer"),
        )  # fmt: skip
    except BadCase as error:
        refused[""] = told(error)
    progress = _progress(request, use_case, key)
    go = request.POST.get("go", "next")
    if go == "back" and (earlier := progress.before(code)):
        return redirect("portal:procedure-step", use_case, key, earlier)
    if go == "later":
        return render_kept(request, progress)
    page = progress.page(code) or page
    for where, words in refused.items():
        page.form.add_error(where if where in page.form.fields else None, words)
    if not page.form.is_valid() or refused:
        return _step_page(request, progress, page, status=400)
    if go == "stay":
        return redirect("portal:procedure-step", use_case, key, code)
    return redirect("portal:procedure-step", use_case, key, progress.after(code))


def render_kept(request: Request, progress: Progress) -> HttpResponse:
    """Say where the form waits, and until when."""
    url = reverse("portal:procedure-form", args=[progress.chosen.use_case, progress.draft.key])
    context = {
        "chosen": progress.chosen,
        "draft": progress.draft,
        "absolute_url": request.build_absolute_uri(url),
    }
    return _private(render(request, "portal/procedures/kept.html", context))


def _received(request: Request, page: Page, held: DraftInfo) -> tuple[list[PreparedFile], dict[str, str]]:
    """Return the files of a step made safe, and, by question, why some were not taken."""
    files: list[PreparedFile] = []
    refused: dict[str, str] = {}
    for question in page.step.field if page.step else ():
        sent = [one for one in request.FILES.getlist(question.code) if one]
        if question.type != "file" or not sent:
            continue
        gone = set(request.POST.getlist("retirer"))
        room = question.most - len([one for one in held.files_of(question.code) if one["digest"] not in gone])
        try:
            files += prepared_files(question, sent, most=room)
        except BadCase as error:
            refused[question.code] = told(error)
    return files, refused


def _taken_again(request: Request, page: Page, held: DraftInfo) -> list[PreparedFile]:
    """Return the documents that the town keeps for this person and that she takes again in this step."""
    if held.for_other:
        return []
    asked = {one.code: one.most for one in page.step.field if one.type == "file"} if page.step else {}
    found = operations.reused_files(
        request.viewer, held.territory, keys=request.POST.getlist("reprendre"), at=timezone.now()
    )
    return [one for one in found if one.purpose in asked and len(held.files_of(one.purpose)) < asked[one.purpose]]


def prepared_files(question: Question, sent: list[Any], *, most: int) -> list[PreparedFile]:
    """Return the files sent in answer to a question, made safe; each bears its code as its purpose.

    Raises:
        BadCase: too many, too heavy, or of a type that is not taken.
    """
    if len(sent) > most:
        raise BadCase(
            gettext_noop("{count} fichiers de plus, alors que {most} au plus peuvent encore être joints"),
            remedy=gettext_noop("retirez-en, ou gardez les plus lisibles"), count=len(sent), most=max(0, most),
        )  # fmt: skip
    for one in sent:
        if (one.size or 0) > MOST_FILE_BYTES:
            raise BadCase(
                gettext_noop("le fichier « {name} » pèse {size} Mo, {most} au plus"),
                remedy=gettext_noop("envoyez-en un moins lourd"), name=str(one.name)[:80],
                size=(one.size or 0) // 1024 // 1024, most=MOST_FILE_BYTES // 1024 // 1024,
            )  # fmt: skip
    uploads = [Upload(one.name or "piece", one.read(), Audience.PARTIES, question.code) for one in sent]
    found = cases.prepare_files(uploads, documents="pdf" in question.accept)
    if "photo" not in question.accept and any(one.media_type != "application/pdf" for one in found):
        raise BadCase(gettext_noop("cette pièce se joint en PDF"), remedy=gettext_noop("envoyez un fichier PDF"))
    return found


def _step_page(request: Request, progress: Progress, page: Page, *, status: int) -> HttpResponse:
    draft, questions = progress.draft, page.step.field if page.step else ()
    context = {
        "chosen": progress.chosen,
        "procedure": progress.procedure,
        "draft": draft,
        "page": page,
        "form": page.form,
        "shown": getattr(page.form, "shown", None),
        "held": {one.code: draft.files_of(one.code) for one in questions if one.type == "file"},
        "again": _offered_again(request, draft, questions),
        "is_who": page.code == WHO_STEP,
        "step_titles": progress.titles,
        "step_number": progress.number(page.code),
        "has_before": bool(progress.before(page.code)),
        # The summary is a reproach: only what was just sent, or comes back from the check, gets it.
        "wrong": status != 200 or "corriger" in request.GET,
    }
    return _private(render(request, "portal/procedures/step.html", context, status=status))


def _offered_again(request: Request, draft: DraftInfo, questions: Sequence[Question]) -> dict[str, list[KeptInfo]]:
    """Return the documents kept for this person that this step asks for and that it does not hold yet, by question."""
    codes = [one.code for one in questions if one.reuse_months and not draft.files_of(one.code)]
    if not codes or draft.for_other:
        return {}
    found: dict[str, list[KeptInfo]] = {}
    for one in queries.kept_pieces(request.viewer, draft.territory, at=timezone.now(), codes=codes):
        found.setdefault(one.code, []).append(one)
    return found


def _check_page(request: Request, progress: Progress, *, problem: str = "", status: int = 200) -> HttpResponseBase:
    wrong = progress.first_wrong
    if wrong is not None:
        url = reverse("portal:procedure-step", args=[progress.chosen.use_case, progress.draft.key, wrong.code])
        return redirect(url if progress.draft.typed.get(wrong.code) is None else f"{url}?corriger")
    procedure = progress.procedure
    context = {
        "chosen": progress.chosen,
        "procedure": procedure,
        "draft": progress.draft,
        "summary": [(page, _summary(progress, page)) for page in progress.pages],
        "proposal": queries.proposal_of(procedure, progress.answers),
        "fees": told_fees(_fees(progress)),
        "reusable": _reusable(request, progress),
        "conflicts": _conflicts(progress),
        "problem": problem,
        "step_titles": progress.titles,
        "step_number": len(progress.titles),
        "before": progress.before(CHECK_STEP),
    }
    return _private(render(request, "portal/procedures/check.html", context, status=status))


def _fees(progress: Progress) -> list[queries.FeeInfo]:
    files = {str(one["purpose"]) for one in progress.draft.files}
    return queries.fees_of(progress.procedure, progress.answers, on=progress.today, files=files)


def _reusable(request: Request, progress: Progress) -> list[tuple[str, int]]:
    """Return the documents that an account may let the town keep: each with for how many months."""
    if request.viewer.person_id is None or progress.draft.for_other:
        return []
    return [(_(one.label), one.reuse_months) for one, _files in queries.reusable(progress.procedure, progress.draft)]


def _conflicts(progress: Progress) -> list[Any]:
    """Return what the request is at odds with, before it is sent; days in disorder are told by the sending."""
    try:
        found = queries.conflicts(
            progress.procedure, progress.answers, territory=progress.draft.territory, at=timezone.now()
        )
    except BadCase:
        return []
    return told_conflicts(found, outside=True)


def _summary(progress: Progress, page: Page) -> list[tuple[str, str]]:
    if page.step is None:
        labels = [(name, bound.label) for name, bound in ((one.name, one) for one in page.form)]
        given = page.form.cleaned_data
        choices = dict(getattr(page.form.fields.get("mandate"), "choices", []))
        return [(str(label), str(choices.get(given[name], given[name]))) for name, label in labels if given.get(name)]
    lines = []
    for question in page.form.questions:  # type: ignore[attr-defined]
        if question.type == "file":
            names = [str(one["name"]) for one in progress.draft.files_of(question.code)]
            lines.append((_(question.label), ", ".join(names) or _("rien de joint")))
        elif question.code in progress.answers:
            lines.append((_(question.label), said_answer(question, progress.answers[question.code])))
        else:
            lines.append((_(question.label), _("sans réponse")))
    return lines


def _checked(request: Request, use_case: str, key: str) -> HttpResponseBase:
    """Send the form; sent twice, it is one request."""
    try:
        progress = _progress(request, use_case, key)
    except queries.DraftGone:
        known = cases.already_sent(territory_of(request), key, kind=queries.KIND, category=use_case)
        if known is None:
            raise
        return redirect(reverse("portal:followed-procedure", args=[known.token]) + "?merci")
    if request.POST.get("go") == "back":
        return redirect("portal:procedure-step", use_case, key, progress.before(CHECK_STEP))
    if progress.first_wrong is not None:
        return _check_page(request, progress)
    try:
        requester, mandate = _requester(request, progress), _mandate(request, progress)
        opened = operations.send_draft(
            key, territory=progress.draft.territory, use_case=progress.draft.use_case, answers=progress.answers,
            requester=requester, viewer=request.viewer, at=timezone.now(), mandate=mandate,
            keep="garder" in request.POST,
        )  # fmt: skip
    except BeffroiError as error:
        return _check_page(request, progress, problem=told(error), status=error.http_status)
    return redirect(reverse("portal:followed-procedure", args=[opened.token]) + "?merci")


def _requester(request: Request, progress: Progress) -> Requester:
    if progress.procedure.people is not None and not progress.draft.for_other:
        return Requester(request.viewer.person_id, ON_A_REGISTER, language=get_language() or "fr")
    given = progress.who.cleaned_data
    person = None if progress.draft.for_other else request.viewer.person_id
    return Requester(person, given["name"], given.get("email", ""), given.get("phone", ""), get_language() or "fr")


def _mandate(request: Request, progress: Progress) -> Mandate | None:
    if not progress.draft.for_other:
        return None
    given = progress.who.cleaned_data
    kind = MandateKind(given["mandate"])
    return cases.mandate_of(request.viewer, progress.draft.territory, kind, reference=given["reference"])


@open_to(EVERYONE)
@require_POST
def drop(request: HttpRequest, use_case: str, key: str) -> HttpResponse:
    """Forget a form under way."""
    request = cast(Request, request)
    operations.drop_draft(key, territory=territory_of(request), viewer=request.viewer, at=timezone.now())
    messages.success(request, _("Le brouillon est effacé, avec ce qui y était joint."))
    return redirect("portal:procedure", use_case)


def _private(response: HttpResponse) -> HttpResponse:
    """Keep no copy of a page that holds what somebody typed, and tell nobody its address."""
    response.headers["Cache-Control"] = "no-store"
    return response
