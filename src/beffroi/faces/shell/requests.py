"""How requests are told on every face: where they stand, since when, by whom they are followed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, Outcome, Status
from beffroi.serve.cases.queries import CaseInfo, Entry
from beffroi.serve.reports.categories import Category, ExtraField
from beffroi.serve.reports.queries import ReportInfo

STATUS_KINDS: Mapping[Status, str] = {
    Status.HELD: "bad",
    Status.RECEIVED: "warn",
    Status.ACCEPTED: "wait",
    Status.WAITING: "warn",
    Status.SCHEDULED: "wait",
    Status.CLOSED: "good",
    Status.JOINED: "done",
}

# How the requests of some kinds are told, where the common words would not do.
STATUS_WORDS: Mapping[str, Mapping[Status, str]] = {
    "procedure": {
        Status.RECEIVED: gettext_noop("Reçue"),
        Status.ACCEPTED: gettext_noop("En cours d’instruction"),
        Status.SCHEDULED: gettext_noop("Un jour est prévu"),
        Status.CLOSED: gettext_noop("Close"),
    }
}
OUTCOME_WORDS: Mapping[str, Mapping[Outcome, str]] = {
    "procedure": {
        Outcome.DONE: gettext_noop("Faite"),
        Outcome.REFUSED: gettext_noop("Refusée"),
        Outcome.WITHDRAWN: gettext_noop("Retirée par son auteur"),
    }
}

# What happened: as a resident reads it, as an agent does.
STEPS: Mapping[str, tuple[str, str]] = {
    "opened": (gettext_noop("Envoyé"), gettext_noop("Reçu")),
    "held": (gettext_noop("Mis de côté pour vérification"), gettext_noop("Mis de côté")),
    "released": (gettext_noop("Vérifié"), gettext_noop("Doute levé")),
    "accepted": (gettext_noop("Pris en charge"), gettext_noop("Pris en charge")),
    "asked": (gettext_noop("Une question vous est posée"), gettext_noop("Question posée")),
    "answered": (gettext_noop("Réponse donnée"), gettext_noop("Réponse reçue")),
    "scheduled": (gettext_noop("Intervention prévue"), gettext_noop("Intervention prévue")),
    "routed": (gettext_noop("Transmis"), gettext_noop("Transmis")),
    "reclassified": (gettext_noop("Catégorie changée"), gettext_noop("Catégorie changée")),
    "closed": (gettext_noop("Clos"), gettext_noop("Clos")),
    "reopened": (gettext_noop("Rouvert"), gettext_noop("Rouvert")),
    "joined": (gettext_noop("Suivi avec un autre signalement du même problème"), gettext_noop("Joint")),
    "parted": (gettext_noop("Suivi de nouveau séparément"), gettext_noop("Séparé")),
    "message": (gettext_noop("Message"), gettext_noop("Message")),
    "note": (gettext_noop("Note du service"), gettext_noop("Note du service")),
}


def step_title(one: Entry, *, for_agent: bool = False, kind: str = "") -> str:
    """Return what a line of a history is, with how it ended or the day it announces; `kind` is the request's."""
    known = STEPS.get(one.what, (gettext_noop("Changement"), gettext_noop("Changement")))
    title = _(known[for_agent])
    if one.outcome is not None:
        return f"{title} : {_outcome(kind, one.outcome)}"
    if one.day is not None:
        return _("Intervention prévue le {day}").format(day=formats.date_format(one.day, "j F Y"))
    return title


def answers_of(category: Category | None, info: ReportInfo) -> list[tuple[str, str, bool]]:
    """Return the answers to the questions of a category that this reader may see: question, answer, whether private."""
    return [
        (_(question.label), _answer(question, values[question.code]), private)
        for question in (category.field if category else ())
        for values, private in ((info.details, False), (info.private_details, True))
        if question.code in values
    ]


def _answer(question: ExtraField, value: object) -> str:
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    return _(question.choices[value]) if isinstance(value, str) and value in question.choices else str(value)


def _outcome(kind: str, outcome: Outcome) -> str:
    return _(OUTCOME_WORDS.get(kind, {}).get(outcome, OUTCOME_TITLES[outcome]))


def state_of(case: CaseInfo) -> str:
    """Return where a request stands in words: a closed one says how it ended."""
    if case.status is Status.CLOSED and case.outcome is not None:
        return _outcome(case.kind, case.outcome)
    return _(STATUS_WORDS.get(case.kind, {}).get(case.status, STATUS_TITLES[case.status]))


def state_kind(case: CaseInfo) -> str:
    """Return the kind of the status tag (`shell/components/status.html`)."""
    if case.status is Status.CLOSED and case.outcome is not Outcome.DONE:
        return "done"
    return STATUS_KINDS[case.status]


def age(since: datetime, at: datetime) -> str:
    """Return how long ago something was, to the day.

    >>> from datetime import UTC
    >>> age(datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 4, 9, tzinfo=UTC))
    'il y a 3 jours'
    """
    days = (timezone.localdate(at) - timezone.localdate(since)).days
    if days <= 0:
        return _("aujourd’hui")
    if days == 1:
        return _("hier")
    return ngettext("il y a {n} jour", "il y a {n} jours", days).format(n=days)


def service_names(territory: str) -> dict[str, str]:
    """Return the names of the services of a town by their slug."""
    return {one.slug: one.name for one in territory_queries.services(territory)}


def last_moment(due_at: datetime) -> str:
    """Return the last instant of a delay as people say it: what ends at midnight ends the evening before.

    >>> from datetime import UTC
    >>> last_moment(datetime(2026, 12, 2, 23, tzinfo=UTC))
    'mercredi 2 décembre 2026'
    """
    local = timezone.localtime(due_at)
    if local.time() == time(0):
        return formats.date_format(local - timedelta(days=1), "l j F Y")
    return formats.date_format(local, "l j F Y, H:i")
