"""`/agent/signalements/obstacles/`: when an obstacle closes a way and how it fades, as the town decides it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import row_key
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.reports import operations
from beffroi.serve.reports.obstacle_rules import (
    SET_BY_TOWNS,
    ObstacleRuleInfo,
    may_set_obstacle_rule,
    obstacle_rules,
)
from beffroi.serve.reports.obstacles import MOST_LEVEL, ambassadors
from beffroi.serve.reports.trust import is_agent

WHEN = (
    ("at-once", gettext_lazy("Aussitôt, sur l’avis d’une seule personne, même sans compte")),
    ("confirmed", gettext_lazy("Une fois confirmé par d’autres, ou par un agent ou un ambassadeur")),
    ("trusted", gettext_lazy("Seulement sur l’avis d’un agent ou d’un ambassadeur")),
)


class RuleForm(forms.Form):
    """How the obstacles of one category are judged."""

    counts = forms.ChoiceField(
        label=gettext_lazy("Quand ferme-t-il le passage sur les itinéraires ?"), choices=WHEN, widget=forms.RadioSelect
    )
    seen_votes = forms.IntegerField(
        label=gettext_lazy("Combien d’autres personnes le confirment"), min_value=1, max_value=20
    )
    gone_votes = forms.IntegerField(
        label=gettext_lazy("Combien de personnes disent qu’il n’y est plus"), min_value=1, max_value=20
    )
    temporary_days = forms.IntegerField(
        label=gettext_lazy("Jours avant qu’il s’efface, s’il n’est pas revu"), min_value=1, max_value=60
    )


class AmbassadorForm(forms.Form):
    """Whose word counts at once."""

    email = forms.EmailField(label=gettext_lazy("Courriel de son compte"))
    level = forms.TypedChoiceField(
        label=gettext_lazy("Niveau de confiance"),
        choices=[(level, str(level)) for level in range(1, MOST_LEVEL + 1)],
        coerce=int,
    )


def _minutes(seconds: int) -> str:
    minutes = round(seconds / 60)
    return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)


def consequences(info: ObstacleRuleInfo) -> list[str]:
    """Return what a rule does, in plain words: to a wheelchair before and after it counts, and how it ends."""
    rule, found = info.rule, []
    if rule.counts != "at-once" and info.doubt_s:
        found.append(
            _(
                "Signalé par un inconnu, il est montré et le passage reste ouvert : "
                "un fauteuil fait un détour de {time} au plus pour l’éviter."
            ).format(time=_minutes(info.doubt_s))
        )
    found.append(_when(info))
    found.append(
        ngettext(
            "Il disparaît dès qu’une personne dit qu’il n’y est plus.",
            "Il disparaît quand {n} personnes disent qu’il n’y est plus, aussitôt si c’est un agent ou un ambassadeur.",
            rule.gone_votes,
        ).format(n=rule.gone_votes)
    )
    found.append(
        ngettext(
            "Temporaire, il s’efface au bout d’un jour sans être revu.",
            "Temporaire, il s’efface au bout de {n} jours sans être revu.",
            rule.temporary_days,
        ).format(n=rule.temporary_days)
    )
    return found


def _when(info: ObstacleRuleInfo) -> str:
    rule = info.rule
    if not info.closes:
        return _("Il ne ferme jamais le passage : il coûte {time} à un fauteuil.").format(time=_minutes(info.cost_s))
    if rule.counts == "at-once":
        return _(
            "Un seul avis, même anonyme, ferme aussitôt le passage aux fauteuils et aux poussettes. "
            "Un faux impose son détour à tous jusqu’à ce qu’on le retire."
        )
    if rule.counts == "trusted":
        return _("Seul l’avis d’un agent ou d’un ambassadeur ferme le passage.")
    return ngettext(
        "Le passage ferme dès qu’une autre personne l’a vu, ou sur l’avis d’un agent ou d’un ambassadeur.",
        "Le passage ferme dès que {n} autres personnes l’ont vu, ou sur l’avis d’un agent ou d’un ambassadeur.",
        rule.seen_votes,
    ).format(n=rule.seen_votes)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def obstacles(request: HttpRequest) -> HttpResponse:
    """Show how the obstacles of each category are judged and whom the town trusts; change it."""
    request = cast(Request, request)
    viewer, territory = request.viewer, code_of(request)
    act, category = request.POST.get("do", ""), request.POST.get("category", "")
    form: forms.Form | None = None
    if act == "rule":
        form = RuleForm(request.POST, auto_id=f"{category[:60]}_%s")
    elif act == "name":
        form = AmbassadorForm(request.POST, auto_id="ambassadeur_%s")
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            messages.success(request, _done(act, category, form.cleaned_data if form else request.POST, request))
        except BeffroiError as fault:
            if form is None:
                raise
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            return redirect("backoffice:obstacles")
    names, wrong = service_names(territory), category if form is not None and act == "rule" else ""
    context = {
        "rules": [
            {
                "info": info,
                "service": names.get(info.service, info.service),
                "told": consequences(info),
                "form": _rule_form(info, form if wrong == info.category else None, viewer, territory),
            }
            for info in obstacle_rules(territory)
        ],
        "wrong": wrong,
        "ambassadors": [
            (territory_queries.person(person), level, since) for person, level, since in ambassadors(viewer, territory)
        ],
        "may_name": is_agent(viewer, territory),
        "name_form": form if act == "name" else AmbassadorForm(auto_id="ambassadeur_%s"),
        "most_level": MOST_LEVEL,
    }
    return render(request, "backoffice/reports/obstacles.html", context, status=400 if form else 200)


def _rule_form(info: ObstacleRuleInfo, bound: forms.Form | None, viewer: Viewer, territory: str) -> forms.Form | None:
    if bound is not None or not may_set_obstacle_rule(viewer, territory, info.category):
        return bound
    return RuleForm(initial={name: getattr(info.rule, name) for name in SET_BY_TOWNS}, auto_id=f"{info.category}_%s")


def _done(act: str, category: str, values: Any, request: Request) -> str:
    territory, by, at = code_of(request), request.viewer, timezone.now()
    if act == "rule":
        operations.set_obstacle_rule(territory=territory, category=category, by=by, at=at, **values)
        return _("Le réglage est gardé ; les itinéraires en tiennent compte aussitôt.")
    if act == "file":
        operations.forget_obstacle_rule(territory=territory, category=category, by=by, at=at)
        return _("Le réglage d’origine est de retour.")
    if act == "name":
        known = territory_queries.person_by_email(values["email"])
        if known is None:
            raise territory_queries.UnknownPerson(
                "aucun compte à cette adresse", where="email", remedy="demandez-lui d’en ouvrir un d’abord"
            )
        operations.name_ambassador(territory=territory, person_id=known.id, level=values["level"], by=by, at=at)
        return _("C’est dit : son avis compte aussitôt.")
    person = row_key(values.get("person", ""))
    if act == "end" and person:
        operations.name_ambassador(territory=territory, person_id=person, level=0, by=by, at=at)
        return _("Son avis ne compte plus que comme celui de chacun.")
    return _("Rien n’est changé.")
