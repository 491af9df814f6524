"""The services of the town: what one may do here."""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import State
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.faces.portal.directory import open_service, open_services, territory_of
from beffroi.faces.portal.finding import found_services
from beffroi.faces.shell.access import EVERYONE, Request, open_to


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
    """List the services open to residents, by theme; `q` filters."""
    request = cast(Request, request)
    text = request.GET.get("q", "").strip()[:200]
    shown = open_services(request)
    if text:
        shown = found_services(shown, text)
    return render(request, "portal/services.html", {"q": text, "groups": _by_theme(shown), "count": len(shown)})


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show one service: the need, what one gets, where to do it; a service on trial takes remarks."""
    request = cast(Request, request)
    found = open_service(request, use_case)
    code, now = territory_of(request), timezone.now()
    form = RemarkForm(request.POST or None) if found.state is State.PILOT else None
    if request.method == "POST" and form is not None and form.is_valid():
        person = request.viewer.person_id
        operations.add_remark(use_case, territory=code, text=form.cleaned_data["text"], person=person, at=now)
        messages.success(request, _("Merci, votre remarque est enregistrée. Elle est lue avant la mise en service."))
        return redirect("portal:service", use_case=use_case)
    if request.method == "GET":
        operations.count_use(use_case, code, now, audience=queries.audience_of(request.viewer, code))
    start = "" if found.url in (None, request.path) else found.url
    context = {"service": found.use_case, "is_pilot": found.state is State.PILOT, "form": form, "start_url": start}
    return render(request, "portal/service.html", context, status=400 if form is not None and form.errors else 200)


def _by_theme(use_cases: list[UseCaseView]) -> list[tuple[str, list[UseCaseView]]]:
    titles = {theme.slug: theme.title for theme in queries.themes()}
    groups: dict[str, list[UseCaseView]] = defaultdict(list)
    for one in use_cases:
        first = one.use_case.themes[0] if one.use_case.themes else ""
        groups[titles.get(first, _("Autres services"))].append(one)
    return sorted(groups.items())
