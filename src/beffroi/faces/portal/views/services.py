"""The services of the town: what one may do here."""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import AUDIENCE_TITLES, STATE_TITLES, Audience, State
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.counted import shown_counts
from beffroi.faces.portal.directory import (
    count_opening,
    public_service,
    services_by_public,
    territory_of,
    waiting_services,
)
from beffroi.faces.portal.finding import found_services
from beffroi.faces.portal.layers import shown_layers
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.lacking import lacking_data

# What one may read about a service without starting it, by engine: address and words of the link.
TO_READ = {"privacy": ("portal:register", gettext_noop("Lire le registre des traitements"))}


class RemarkForm(forms.Form):
    """What a person says of a service on trial; nothing about the person is asked."""

    text = forms.CharField(
        label=gettext_lazy("Votre remarque"),
        help_text=gettext_lazy("Ce qui marche, ce qui manque. N’écrivez ni nom, ni adresse, ni téléphone."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


@open_to(EVERYONE)
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """List every open service by theme; `q`, `theme` and `public` (citoyen, agent, elu) keep some of them."""
    request = cast(Request, request)
    text = request.GET.get("q", "").strip()[:200]
    theme = next((one for one in queries.themes() if one.slug == request.GET.get("theme")), None)
    public = next((one for one in Audience if one.value == request.GET.get("public")), None)
    shown, others = services_by_public(request)
    if public is not None:
        shown, others = [one for one in (*shown, *others) if public in one.use_case.audience], []
    if theme is not None:
        shown, others = ([one for one in some if theme.slug in one.use_case.themes] for some in (shown, others))
    if text:
        shown, others = found_services(shown, text), found_services(others, text)
    staff = any(request.viewer.has(role, territory_of(request)) for role in queries.STAFF)
    context = {
        "waiting": waiting_services(request) if staff and not (text or theme or public) else [],
        "q": text,
        "theme": theme,
        "themes": [one for one in queries.themes() if one.workshop],
        "public": public,
        "publics": [(one, _(title)) for one, title in AUDIENCE_TITLES.items()],
        "groups": _by_theme(shown),
        "others": others,
        "count": len(shown) + len(others),
    }
    return render(request, "portal/services.html", context)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show one service: the need, what one gets, where to do it; a service on trial takes remarks."""
    request = cast(Request, request)
    found = public_service(request, use_case)
    code, now = territory_of(request), timezone.now()
    if request.method == "POST" and found.state is not State.PILOT:
        # Refused with a sentence: the trial has ended since the page was opened.
        operations.add_remark(use_case, territory=code, text="", person=None, at=now)
    form = RemarkForm(request.POST or None) if found.state is State.PILOT else None
    if request.method == "POST" and form is not None and form.is_valid():
        person = request.viewer.person_id
        operations.add_remark(use_case, territory=code, text=form.cleaned_data["text"], person=person, at=now)
        messages.success(request, _("Merci, votre remarque est enregistrée. Elle est lue avant la mise en service."))
        return redirect("portal:service", use_case=use_case)
    if request.method == "GET":
        count_opening(request, found)
    context = _service_context(request, found) | {"form": form}
    return render(request, "portal/service.html", context, status=400 if form is not None and form.errors else 200)


def _service_context(request: Request, found: UseCaseView) -> dict[str, object]:
    code, one = territory_of(request), found.use_case
    decisions = queries.decisions(one.id, code)
    for_staff = Audience.RESIDENT not in one.audience
    lacking = queries.lacking(one, code) if found.is_open else ()
    is_shown = found.is_open and not lacking
    counts = shown_counts(request, one) if is_shown else None
    is_staff = any(request.viewer.has(role, code) for role in queries.STAFF)
    may_start = not for_staff or is_staff
    return {
        "service": one,
        "state": _(STATE_TITLES[found.state]),
        "decision": decisions[0] if decisions and decisions[0].state is found.state else None,
        "is_pilot": found.state is State.PILOT,
        "is_retired": found.state is State.RETIRED,
        "for_staff": for_staff,
        "may_start": may_start,
        "is_agent": any(request.viewer.has(role, code) for role in (Role.AGENT, Role.ADMINISTRATOR)),
        "lacks": bool(lacking),
        "lacking": lacking_data(lacking, code) if lacking and is_staff else (),
        "is_administrator": request.viewer.has(Role.ADMINISTRATOR, code),
        "start_url": found.url if may_start and not lacking and found.url not in (None, request.path) else "",
        "to_read": (reverse(TO_READ[one.engine][0]), _(TO_READ[one.engine][1])) if one.engine in TO_READ else None,
        "counts": counts,
        "layers": shown_layers(request, one) if is_shown and counts is None else None,
    }


def _by_theme(use_cases: list[UseCaseView]) -> list[tuple[str, list[UseCaseView]]]:
    titles = {theme.slug: _(theme.title) for theme in queries.themes()}
    groups: dict[str, list[UseCaseView]] = defaultdict(list)
    for one in use_cases:
        first = one.use_case.themes[0] if one.use_case.themes else ""
        groups[titles.get(first, _("Autres services"))].append(one)
    return sorted(groups.items())
